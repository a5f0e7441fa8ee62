import { type Ledger, openLedger, record } from '../../machines/ledger.js';
import type { Completion } from '../../machines/outbox.js';
import type { Present, Snapshot } from './snapshot.js';

/** What a worker begins with. */
export interface NextLife {
  readonly ledger: Ledger;
  /** Finished requests to be told, oldest first. */
  readonly untold: readonly Completion[];
  /** How many requests and sessions were in the worker when it ended. */
  readonly died: number;
}

/**
 * What a worker begins with after the one that left this snapshot; null: nothing is known of one. Pure.
 *
 * What was in the worker died with it. That is an error: its work was received and is not given back, so that
 * received is served, errored, cancelled and expired again; and the autoscaler is told that it has ended, or it
 * would wait for it. When work on it began is not known, and its end was not seen: the snapshot was taken a moment
 * before. A ledger's intervals are of a monotonic clock that has ended, so they begin anew, and the first report
 * tells the work that the last life still owed.
 *
 * @param startedAtMs when the first interval begins, in ms of the new worker's monotonic clock
 */
export function nextLife(snapshot: Snapshot | null, startedAtMs: number): NextLife {
  const fresh = openLedger(startedAtMs);
  if (snapshot === null) return { ledger: fresh, untold: [], died: 0 };
  const dead = [...snapshot.present.values()];
  const errored = dead.reduce((sum, { workload }) => sum + workload, 0);
  return {
    ledger: record({ ...fresh, ...snapshot.accounts }, { errored }),
    untold: [
      ...snapshot.waiting.completions,
      ...dead.flatMap((one) => completionFor(one, snapshot.takenAt) ?? []),
    ],
    died: dead.filter(({ kind }) => kind !== 'in-session').length,
  };
}

/** Undefined: the autoscaler has no name for it, or knows it as part of its session. */
function completionFor({ kind, requestIdx, enteredAt }: Present, endedAt: number): Completion | undefined {
  if (kind === 'in-session' || requestIdx === null) return undefined;
  return {
    requestIdx,
    status: 'Error',
    enteredQueueAt: enteredAt,
    workStartedAt: 0,
    workCompletedAt: Math.max(endedAt, enteredAt),
  };
}
