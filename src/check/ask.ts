import { Agent, request } from 'undici';
import { within } from '../patience.js';

/** Well before the time of the whole check is over, so that silence is judged, and hides no other's answer. */
export const LONGEST_MS = 5_000;

/** What a server answered, whatever it was. */
export interface Asked {
  readonly status: number;
  /** Its clock, in Unix ms; null: it did not say. */
  readonly dateMs: number | null;
  /** Unix ms of ours, half-way between the question and the answer. */
  readonly askedAtMs: number;
}

/**
 * Asks a server whether it answers at all, over a connection of its own. Rejects when it does not, or not in time.
 *
 * @param timeoutMs for how long the worker would wait
 */
export function ask(url: string, timeoutMs: number, signal: AbortSignal): Promise<Asked> {
  return within(Math.min(timeoutMs, LONGEST_MS), signal, (bounded) => askOnce(url, bounded));
}

async function askOnce(url: string, signal: AbortSignal): Promise<Asked> {
  const dispatcher = new Agent({ connections: 1, pipelining: 0 });
  try {
    const beganAtMs = Date.now();
    const { statusCode, headers, body } = await request(url, { dispatcher, signal });
    const askedAtMs = (beganAtMs + Date.now()) / 2;
    // Nothing but its headers matters.
    body.on('error', () => {}).destroy();
    const date = Date.parse(String(headers.date ?? ''));
    return { status: statusCode, dateMs: Number.isNaN(date) ? null : date, askedAtMs };
  } finally {
    await dispatcher.destroy();
  }
}
