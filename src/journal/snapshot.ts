import { openLedger, type Totals } from '../../machines/ledger.js';
import { type Completion, type Outbox, size } from '../../machines/outbox.js';
import { oldest } from '../../machines/queue.js';

/**
 * What of a worker must outlive a crash, as it stood at one moment. Pure. The journal does not write whole
 * snapshots but what has changed from one to the next, so that its work follows the requests and not the length
 * of the outbox, which grows for as long as the autoscaler is away.
 */

/** The amounts of a ledger. Its times are of a monotonic clock, which ends with the process. */
export interface Accounts {
  readonly totals: Totals;
  readonly reported: Totals;
  readonly acknowledgements: number;
}

/** A request that is in the worker, or a session. */
export interface Present {
  /** The worker's own. */
  readonly id: number;
  readonly kind: 'request' | 'session' | 'in-session';
  readonly workload: number;
  /** The autoscaler's name for it; null when it was not signed for one. */
  readonly requestIdx: number | null;
  /** Unix seconds. */
  readonly enteredAt: number;
}

/** Finished requests that the autoscaler has not acknowledged. */
export interface Waiting {
  /** The sequence number of the first completion. */
  readonly first: number;
  /** Oldest first. */
  readonly completions: readonly Completion[];
}

export interface Snapshot {
  /** Unix seconds. */
  readonly takenAt: number;
  readonly accounts: Accounts;
  /** By the worker's own ids. */
  readonly present: ReadonlyMap<number, Present>;
  readonly waiting: Waiting;
}

/** What makes one snapshot into the next. From {@link NOTHING} it tells all of a snapshot. */
export interface Change {
  readonly takenAt: number;
  readonly accounts: Accounts;
  readonly began: readonly Present[];
  /** The ids of those that are no longer in the worker. */
  readonly ended: readonly number[];
  /** What was put into the outbox, and the sequence number of what is oldest in it now. */
  readonly finished: Waiting;
}

/** A worker of which nothing is known. */
export const NOTHING: Snapshot = {
  takenAt: 0,
  accounts: accountsOf(openLedger(0)),
  present: new Map(),
  waiting: { first: 0, completions: [] },
};

export function accountsOf({ totals, reported, acknowledgements }: Accounts): Accounts {
  return { totals, reported, acknowledgements };
}

/** What waits in an outbox. */
export function waitingIn(outbox: Outbox): Waiting {
  return { first: outbox.queue.first, completions: oldest(outbox.queue, size(outbox)) };
}

/** What makes `before` into `after`, a later snapshot of the same worker; null: nothing but time has gone by. */
export function changeBetween(before: Snapshot, after: Snapshot): Change | null {
  const began = [...after.present.values()].filter(({ id }) => !before.present.has(id));
  const ended = [...before.present.keys()].filter((id) => !after.present.has(id));
  const known = endOf(before.waiting) - after.waiting.first;
  const completions = after.waiting.completions.slice(Math.max(known, 0));
  const isSame =
    began.length + ended.length + completions.length === 0 &&
    before.waiting.first === after.waiting.first &&
    haveSame(before.accounts, after.accounts);
  if (isSame) return null;
  const finished = { first: after.waiting.first, completions };
  return { takenAt: after.takenAt, accounts: accountsOf(after.accounts), began, ended, finished };
}

/** The snapshot after a change. */
export function apply(before: Snapshot, { takenAt, accounts, began, ended, finished }: Change): Snapshot {
  const present = new Map(before.present);
  for (const one of began) present.set(one.id, one);
  for (const id of ended) present.delete(id);
  const { first, completions } = before.waiting;
  const left = completions.slice(Math.max(finished.first - first, 0));
  const waiting = { first: finished.first, completions: [...left, ...finished.completions] };
  return { takenAt, accounts, present, waiting };
}

/** The sequence number after that of the last completion. */
function endOf({ first, completions }: Waiting): number {
  return first + completions.length;
}

/** A ledger makes new totals where it changes any, and only there. */
function haveSame(before: Accounts, after: Accounts): boolean {
  return before.totals === after.totals && before.reported === after.reported;
}
