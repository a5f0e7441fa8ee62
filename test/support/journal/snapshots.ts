import type { RequestEvent } from '../../../machines/events.js';
import { openLedger } from '../../../machines/ledger.js';
import { type Metrics, type MetricsEvent, reduce } from '../../../machines/metrics.js';
import { acknowledgeBatch, add, type Completion, cutBatch, openOutbox } from '../../../machines/outbox.js';
import { completionOf } from '../../../src/completion.js';
import { accountsOf, type Present, type Snapshot, waitingIn } from '../../../src/journal/snapshot.js';

/** Monotonic ms 0 is this many Unix seconds. */
export const EPOCH = 1_700_000_000;

export const unixSeconds = (atMs: number): number => EPOCH + atMs / 1000;

/** A worker's books without a worker: ledger, outbox and who is present, moved by events. */
export class Life {
  metrics: Metrics = { ledger: openLedger(0), working: 0 };
  outbox = openOutbox(1_000);
  readonly present = new Map<number, Present>();

  hear(event: RequestEvent): this {
    this.metrics = reduce(this.metrics, event);
    if (event.type === 'request.started') {
      const { id, kind, workload, requestIdx, atMs } = event;
      this.present.set(id, { id, kind, workload, requestIdx, enteredAt: unixSeconds(atMs) });
    } else this.present.delete(event.id);
    const completion = completionOf(event, unixSeconds);
    if (completion) this.outbox = add(this.outbox, completion);
    return this;
  }

  move(event: MetricsEvent): this {
    this.metrics = reduce(this.metrics, event);
    return this;
  }

  /** All that has finished was told. */
  deliver(max = Number.POSITIVE_INFINITY): readonly Completion[] {
    const batch = cutBatch(this.outbox, max);
    this.outbox = acknowledgeBatch(this.outbox, batch);
    return batch.completions;
  }

  snapshot(atMs: number): Snapshot {
    return {
      takenAt: unixSeconds(atMs),
      accounts: accountsOf(this.metrics.ledger),
      present: new Map(this.present),
      waiting: waitingIn(this.outbox),
    };
  }
}
