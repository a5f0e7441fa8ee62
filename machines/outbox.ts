import { append, oldest, openQueue, type Queue, removeBefore, sizeOf } from './queue.js';

/**
 * The outbox of finished requests: what the autoscaler has not yet acknowledged. It is bounded, since an
 * autoscaler may be away for days; when it is full the oldest is dropped, and counted.
 *
 * One that the autoscaler refuses although it was posted alone must not hold up all others: it goes behind them. It is
 * dropped, and counted, when it is refused again after others were taken, since then it is the one that is wrong. An
 * autoscaler that is itself wrong for a while refuses all of them, and takes them afterwards; so one that nothing
 * speaks against but its refusals has many.
 *
 * Each completion has a sequence number of its own. A batch names the numbers that it holds, so two requests
 * that the client gave the same number are two, and what ends while its twin is being posted stays.
 */

/** How a request ended, in the words of the wire. */
export type CompletionStatus = 'Success' | 'Error' | 'Cancelled' | 'Rejected';

/** A finished request. Times are Unix seconds; 0: it never came to that. */
export interface Completion {
  /** The autoscaler's name for the request. */
  readonly requestIdx: number;
  readonly status: CompletionStatus;
  readonly enteredQueueAt: number;
  readonly workStartedAt: number;
  readonly workCompletedAt: number;
}

export interface Outbox {
  /** How many completions it holds at most. */
  readonly limit: number;
  readonly queue: Queue<Completion>;
  /**
   * How many it has ever dropped, because it was full or because they were refused. One that was dropped while
   * a batch with it was under way may have been told all the same.
   */
  readonly dropped: number;
  /** How many batches were ever acknowledged. */
  readonly deliveries: number;
  /** Those that were refused alone, by their sequence numbers; others of them have gone since. */
  readonly suspects: ReadonlyMap<number, Suspicion>;
}

/** What speaks against one that was refused alone. */
export interface Suspicion {
  readonly refusals: number;
  /** How many batches had been acknowledged when it was refused first. */
  readonly deliveries: number;
}

/** With a usual back-off these take about a minute, which is longer than most autoscalers are wrong. */
const MOST_REFUSALS = 12;

/** The oldest completions of an outbox, as it stood when the batch was cut. */
export interface Batch {
  /** The sequence number of the first completion. */
  readonly first: number;
  /** The sequence number after that of the last completion. */
  readonly end: number;
  /** Oldest first. */
  readonly completions: readonly Completion[];
}

export const EMPTY_BATCH: Batch = { first: 0, end: 0, completions: [] };

/** An empty outbox for at most `limit` completions. */
export function openOutbox(limit: number): Outbox {
  return { limit, queue: openQueue(), dropped: 0, deliveries: 0, suspects: new Map() };
}

/** How many completions wait to be acknowledged. */
export function size({ queue }: Outbox): number {
  return sizeOf(queue);
}

/** Puts completions in, oldest first. When they are too many, the oldest of all go. */
export function add(outbox: Outbox, ...completions: Completion[]): Outbox {
  const queue = append(outbox.queue, ...completions);
  const surplus = sizeOf(queue) - outbox.limit;
  if (surplus <= 0) return { ...outbox, queue };
  return {
    ...outbox,
    queue: removeBefore(queue, queue.first + surplus),
    dropped: outbox.dropped + surplus,
  };
}

/** Cuts a batch of at most `max` completions. The outbox does not change: cutting again and again is free. */
export function cutBatch({ queue }: Outbox, max: number): Batch {
  const completions = oldest(queue, max);
  return { first: queue.first, end: queue.first + completions.length, completions };
}

/**
 * Removes what the batch held. What of it was dropped or acknowledged before has gone already, so a second
 * acknowledgement changes nothing. A batch begins with what was oldest when it was cut, and nothing older
 * can have come since, so all that goes is in the batch.
 */
export function acknowledgeBatch(outbox: Outbox, { end }: Batch): Outbox {
  const queue = removeBefore(outbox.queue, end);
  return queue === outbox.queue ? outbox : { ...outbox, queue, deliveries: outbox.deliveries + 1 };
}

/**
 * Nobody takes the only one of the batch: it goes behind all others, or is dropped if nothing is left to hope for. One
 * that has gone already stays gone, and is not counted again.
 */
export function refuseBatch(outbox: Outbox, { first, end, completions: [refused] }: Batch): Outbox {
  const queue = removeBefore(outbox.queue, end);
  if (refused === undefined || queue === outbox.queue) return outbox;
  const before = outbox.suspects.get(first) ?? { refusals: 0, deliveries: outbox.deliveries };
  const suspicion = { ...before, refusals: before.refusals + 1 };
  const others = [...outbox.suspects].filter(([sequence]) => sequence > first);
  if (suspicion.deliveries < outbox.deliveries || suspicion.refusals >= MOST_REFUSALS) {
    return { ...outbox, queue, suspects: new Map(others), dropped: outbox.dropped + 1 };
  }
  const suspects = new Map([...others, [queue.next, suspicion]]);
  return { ...outbox, queue: append(queue, refused), suspects };
}
