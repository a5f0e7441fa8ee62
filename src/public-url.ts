import type { Config } from './config/index.js';

/**
 * The url that clients are told, and that the autoscaler signs; undefined: it is not known.
 *
 * @param port what the worker listens on
 */
export function publicUrl(
  { publicIp, publicPort, useTls, workerPort }: Config,
  port: number,
): string | undefined {
  // A port that was taken from the free ones is not mapped to another.
  const seen = publicPort ?? (workerPort === 0 ? port : undefined);
  if (publicIp === undefined || seen === undefined) return undefined;
  const host = publicIp.includes(':') ? `[${publicIp}]` : publicIp;
  return `${useTls ? 'https' : 'http'}://${host}:${seen}`;
}
