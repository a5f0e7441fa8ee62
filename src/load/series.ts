import { Latencies } from './latencies.js';
import type { Outcome, Sample } from './sample.js';

/** What happened in one stretch of the run. */
export interface SeriesPoint {
  /** When it began, in ms after the start. */
  readonly atMs: number;
  /** How long it was: the last one may be shorter. */
  readonly forMs: number;
  /** Requests that began in it. */
  readonly begun: number;
  /** Requests that ended in it. */
  readonly succeeded: number;
  readonly failed: number;
  /** At its end. */
  readonly underWay: number;
  /** Of those that succeeded in it; null: none did. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly firstByteP50Ms: number | null;
  /** Workers that answered in it, where there are several. */
  readonly workers: number;
}

const LEAST_MS = 1_000;
const MOST_POINTS = 300;

/** The run in stretches of a second, or longer ones where it is long. */
export class Series {
  readonly #stretchMs: number;
  readonly #points: SeriesPoint[] = [];
  readonly #latencies = new Latencies();
  readonly #firstBytes = new Latencies();
  readonly #workers = new Set<string>();
  #atMs = 0;
  #begun = 0;
  #succeeded = 0;
  #failed = 0;
  #underWay = 0;

  constructor(durationMs: number) {
    this.#stretchMs = LEAST_MS * Math.max(1, Math.ceil(durationMs / MOST_POINTS / LEAST_MS));
  }

  get points(): readonly SeriesPoint[] {
    return this.#points;
  }

  began(nowMs: number): void {
    this.advanceTo(nowMs);
    this.#begun += 1;
    this.#underWay += 1;
  }

  ended(sample: Sample, outcome: Outcome, nowMs: number): void {
    this.advanceTo(nowMs);
    this.#underWay -= 1;
    if (outcome.kind === 'failed') this.#failed += 1;
    if (outcome.kind !== 'succeeded') return;
    this.#succeeded += 1;
    this.#latencies.add(nowMs - sample.dueMs);
    if (sample.firstByteMs !== null) this.#firstBytes.add(sample.firstByteMs - sample.dueMs);
    if (sample.worker !== null) this.#workers.add(sample.worker);
  }

  /** Ends the stretches that are over. */
  advanceTo(nowMs: number): void {
    while (nowMs >= this.#atMs + this.#stretchMs) this.#endStretch(this.#stretchMs);
  }

  /** Ends the last one. */
  endAt(nowMs: number): void {
    this.advanceTo(nowMs);
    if (nowMs > this.#atMs) this.#endStretch(nowMs - this.#atMs);
  }

  #endStretch(forMs: number): void {
    this.#points.push({
      atMs: this.#atMs,
      forMs,
      begun: this.#begun,
      succeeded: this.#succeeded,
      failed: this.#failed,
      underWay: this.#underWay,
      p50Ms: this.#latencies.percentile(50),
      p99Ms: this.#latencies.percentile(99),
      firstByteP50Ms: this.#firstBytes.percentile(50),
      workers: this.#workers.size,
    });
    this.#atMs += forMs;
    [this.#begun, this.#succeeded, this.#failed] = [0, 0, 0];
    this.#latencies.clear();
    this.#firstBytes.clear();
    this.#workers.clear();
  }
}
