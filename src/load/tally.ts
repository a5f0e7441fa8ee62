import { Latencies, type LatencyFigures } from './latencies.js';
import type { Outcome, Sample } from './sample.js';
import { Series, type SeriesPoint } from './series.js';

export interface Counts {
  /** Requests that began. */
  readonly sent: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Given up when the run was stopped. */
  readonly cut: number;
  /** Had to wait within the tool, as too many were under way. */
  readonly held: number;
  /** Were due, and could not be sent before the run was over. */
  readonly unsent: number;
  /** How often requests were sent again. */
  readonly retries: number;
  /** How often there was no worker to send one to. */
  readonly waits: number;
}

/** How requests ended that ended alike. */
export interface OutcomeRow {
  readonly name: string;
  readonly count: number;
  readonly latencyMs: LatencyFigures | null;
}

export interface WorkerRow {
  readonly worker: string;
  readonly requests: number;
  readonly failed: number;
  readonly latencyMs: LatencyFigures | null;
  readonly firstByteMs: LatencyFigures | null;
}

/** So many have a row of their own; what comes beyond is counted as others. */
const MOST_OUTCOMES = 40;
const MOST_WORKERS = 400;

const OTHERS = 'others';

interface WorkerTally {
  requests: number;
  failed: number;
  readonly latency: Latencies;
  readonly firstByte: Latencies;
}

/** Everything that was seen of a run, in bounded memory. */
export class Tally {
  /** Of requests that succeeded, from when each was due. */
  readonly latency = new Latencies();
  readonly firstByte = new Latencies();
  /** Until a worker was named. */
  readonly routed = new Latencies();
  /** How much later than it was due each was sent: the part that is the tool's own. */
  readonly late = new Latencies();
  readonly #series: Series;
  readonly #durationMs: number;
  readonly #outcomes = new Map<string, Latencies>();
  readonly #workers = new Map<string, WorkerTally>();
  readonly #counts = { sent: 0, succeeded: 0, failed: 0, cut: 0, held: 0, unsent: 0, retries: 0, waits: 0 };
  #noWorkerStatus: string | null = null;
  #inTime = 0;
  #units = 0;
  #events = 0;
  #bytes = 0;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
    this.#series = new Series(durationMs);
  }

  began(sample: Sample): void {
    this.#counts.sent += 1;
    this.late.add(sample.sentMs - sample.dueMs);
    this.#series.began(sample.sentMs);
  }

  held(): void {
    this.#counts.held += 1;
  }

  unsent(): void {
    this.#counts.unsent += 1;
  }

  ended(sample: Sample, outcome: Outcome, nowMs: number): void {
    this.#counts[outcome.kind] += 1;
    this.#counts.retries += sample.retries;
    this.#counts.waits += sample.waits;
    this.#noWorkerStatus = sample.noWorkerStatus ?? this.#noWorkerStatus;
    this.#series.ended(sample, outcome, nowMs);
    const latencyMs = nowMs - sample.dueMs;
    if (outcome.kind !== 'cut') this.#endedByItself(sample, outcome, latencyMs);
    if (outcome.kind === 'succeeded') this.#succeeded(sample, latencyMs, nowMs);
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  get underWay(): number {
    const { sent, succeeded, failed, cut } = this.#counts;
    return sent - succeeded - failed - cut;
  }

  /** What the autoscaler said last when it had no worker; null: it always had one. */
  get noWorkerStatus(): string | null {
    return this.#noWorkerStatus;
  }

  /** Requests that failed, and those that were due and never sent. */
  get errors(): number {
    return this.#counts.failed + this.#counts.unsent;
  }

  /** The share of errors, of all but the requests that the tool itself gave up, from 0 to 1; null: there are none. */
  get errorShare(): number | null {
    const all = this.#counts.succeeded + this.errors;
    return all === 0 ? null : this.errors / all;
  }

  /** What succeeded before the planned end of the run. Later no request begins, so that later answers tell no rate. */
  get inTime(): {
    readonly requests: number;
    readonly units: number;
    readonly events: number;
    readonly bytes: number;
  } {
    return { requests: this.#inTime, units: this.#units, events: this.#events, bytes: this.#bytes };
  }

  advanceTo(nowMs: number): readonly SeriesPoint[] {
    this.#series.advanceTo(nowMs);
    return this.#series.points;
  }

  seriesUntil(nowMs: number): readonly SeriesPoint[] {
    this.#series.endAt(nowMs);
    return this.#series.points;
  }

  /** The most frequent first. */
  outcomes(): OutcomeRow[] {
    const rows = [...this.#outcomes].map(([name, latencies]) => ({
      name,
      count: latencies.count,
      latencyMs: latencies.figures(),
    }));
    const { cut, unsent } = this.#counts;
    const others = [
      { name: 'cut', count: cut, latencyMs: null },
      { name: 'never sent', count: unsent, latencyMs: null },
    ];
    return [...rows, ...others.filter(({ count }) => count > 0)].toSorted((a, b) => b.count - a.count);
  }

  workers(): WorkerRow[] {
    return [...this.#workers]
      .map(([worker, { requests, failed, latency, firstByte }]) => ({
        worker,
        requests,
        failed,
        latencyMs: latency.figures(),
        firstByteMs: firstByte.figures(),
      }))
      .toSorted((a, b) => b.requests - a.requests);
  }

  #endedByItself({ worker, routedMs, dueMs }: Sample, outcome: Outcome, latencyMs: number): void {
    const name = outcome.kind === 'failed' ? outcome.name : outcome.kind;
    rowOf(this.#outcomes, name, MOST_OUTCOMES, () => new Latencies()).add(latencyMs);
    if (routedMs !== null) this.routed.add(routedMs - dueMs);
    if (worker === null) return;
    const row = this.#workerOf(worker);
    row.requests += 1;
    if (outcome.kind === 'failed') row.failed += 1;
  }

  #succeeded(sample: Sample, latencyMs: number, nowMs: number): void {
    const { worker, firstByteMs, dueMs } = sample;
    const row = worker === null ? undefined : this.#workerOf(worker);
    this.latency.add(latencyMs);
    row?.latency.add(latencyMs);
    if (firstByteMs !== null) {
      this.firstByte.add(firstByteMs - dueMs);
      row?.firstByte.add(firstByteMs - dueMs);
    }
    if (nowMs > this.#durationMs) return;
    this.#inTime += 1;
    this.#units += sample.cost;
    this.#events += sample.events;
    this.#bytes += sample.bytes;
  }

  #workerOf(worker: string): WorkerTally {
    return rowOf(this.#workers, worker, MOST_WORKERS, () => ({
      requests: 0,
      failed: 0,
      latency: new Latencies(),
      firstByte: new Latencies(),
    }));
  }
}

function rowOf<T>(rows: Map<string, T>, name: string, most: number, make: () => T): T {
  const own = rows.has(name) || rows.size < most ? name : OTHERS;
  const found = rows.get(own) ?? make();
  rows.set(own, found);
  return found;
}
