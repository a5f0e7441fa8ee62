import type { WorkerRecord } from './worker-record.js';

/**
 * How a worker is doing, derived from its messages and the time; nothing on the wire says it.
 * - `loading`: heard of, but it has not said that its model is loaded.
 * - `serving`: loaded, without an error, and heard of lately.
 * - `failing`: its last word on errors was one (`error_msg`).
 * - `silent`: not heard of for three report intervals, whatever it said before.
 */
export type WorkerState = 'loading' | 'serving' | 'failing' | 'silent';

/** A worker is silent after this many report intervals without a message. */
const SILENT_AFTER_INTERVALS = 3;

export function silentAfterMs(reportIntervalMs: number): number {
  return SILENT_AFTER_INTERVALS * reportIntervalMs;
}

/** The state of a worker at `atMs` (monotonic milliseconds, the clock of the record). */
export function stateOf(worker: WorkerRecord, atMs: number, reportIntervalMs: number): WorkerState {
  if (atMs - worker.lastSeenAtMs >= silentAfterMs(reportIntervalMs)) return 'silent';
  if (worker.error !== '') return 'failing';
  return worker.loaded ? 'serving' : 'loading';
}
