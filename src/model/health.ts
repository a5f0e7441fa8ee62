import { setTimeout as delay } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import type { ProbeResult } from '../../machines/health.js';
import { messageOf } from '../errors.js';
import type { Probe } from './probe.js';

/**
 * The effect behind the health machine.
 *
 * @param bytesSoFar how many bytes of answers the model server has sent to clients in all
 */
export function createHealthProbe(probe: Probe, bytesSoFar: () => number) {
  let bytesBefore = bytesSoFar();
  return fromPromise<ProbeResult, undefined>(async ({ signal }) => {
    try {
      await probe.once(signal);
      return { ok: true };
    } catch (error) {
      return { ok: false, reason: messageOf(error), bytesFlowed: bytesSoFar() > bytesBefore };
    } finally {
      bytesBefore = bytesSoFar();
    }
  });
}

export interface UntilHealthyOptions {
  readonly probe: Probe;
  /** Between two questions. */
  readonly pauseMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Hears why the server is not well yet, each time. */
  readonly onUnwell: (reason: string) => void;
}

/**
 * Resolves at the first 200.
 *
 * @throws when the signal is aborted before
 */
export async function untilHealthy({ probe, pauseMs, signal, onUnwell }: UntilHealthyOptions): Promise<void> {
  for (;;) {
    try {
      return await probe.once(signal);
    } catch (error) {
      signal.throwIfAborted();
      onUnwell(messageOf(error));
    }
    await delay(pauseMs, undefined, { signal });
  }
}
