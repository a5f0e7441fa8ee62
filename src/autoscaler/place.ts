import type { WorkState } from '../../machines/life.js';
import type { WorkerRecord } from './worker-record.js';
import { stateOf } from './worker-state.js';

/** The states of a worker's lifecycle that reports can tell. None tells that a worker is draining, or has stopped. */
export type ReportedState = Exclude<WorkState, 'draining' | 'stopped'>;

/** Where in its lifecycle a worker is, as far as its reports tell. */
export interface Place {
  /** In one of these, in the order of the lifecycle. More than one: the reports do not say in which. */
  readonly states: readonly ReportedState[];
  /** Whether that is now; false: it was so when the worker was last heard of. */
  readonly now: boolean;
}

export function placeOf(worker: WorkerRecord, atMs: number, reportIntervalMs: number): Place {
  return { states: statesOf(worker), now: stateOf(worker, atMs, reportIntervalMs) !== 'silent' };
}

function statesOf({ dialect, loaded, loadAnswered, error }: WorkerRecord): readonly ReportedState[] {
  // In `current` a worker whose load is in trouble goes on loading, and tells it as one that has failed does.
  if (error !== '') return loaded || dialect === 'legacy' ? ['failing'] : ['loading', 'failing'];
  if (!loaded) return ['loading'];
  // It serves when it knows that it was heard. Until then it may, if it waits for that no longer.
  return loadAnswered ? ['serving'] : ['loaded', 'serving'];
}
