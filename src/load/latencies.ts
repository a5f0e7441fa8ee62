import { createHistogram } from 'node:perf_hooks';

/** Durations, in ms. */
export interface LatencyFigures {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Microseconds in a day: nothing that is measured takes longer. */
const LONGEST_MICROS = 24 * 3_600 * 1e6;

/** 99.9 % of a thousand are 999, and not the bit more that comes of dividing. */
const RANK_SLACK = 1e-6;

const MOST_NINES = 5;
const NINES_STEP = 0.05;

/**
 * Durations, any number of them, in less than a quarter of a megabyte: the histogram of Node (HdrHistogram) keeps three
 * digits of each. Least, most and mean are exact.
 */
export class Latencies {
  readonly #histogram = createHistogram({ lowest: 1, highest: LONGEST_MICROS, figures: 3 });
  #count = 0;
  #sumMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  add(ms: number): void {
    this.#histogram.record(Math.min(Math.max(Math.round(ms * 1_000), 1), LONGEST_MICROS));
    this.#count += 1;
    this.#sumMs += ms;
    this.#minMs = Math.min(this.#minMs, ms);
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  get count(): number {
    return this.#count;
  }

  /** The duration that so many percent did not exceed; null: there were none. */
  percentile(percent: number): number | null {
    if (this.#count === 0) return null;
    // The histogram rounds to the nearest rank, so that of 60 durations the longest would not be within its 99 %.
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#count - RANK_SLACK));
    const ms = this.#histogram.percentile((rank / this.#count) * 100) / 1_000;
    return Math.min(Math.max(ms, this.#minMs), this.#maxMs);
  }

  get mean(): number | null {
    return this.#count === 0 ? null : this.#sumMs / this.#count;
  }

  get max(): number | null {
    return this.#count === 0 ? null : this.#maxMs;
  }

  /** Null: there were none. */
  figures(): LatencyFigures | null {
    if (this.#count === 0) return null;
    const at = (percent: number) => rounded(this.percentile(percent) ?? 0);
    return {
      count: this.#count,
      mean: rounded(this.#sumMs / this.#count),
      min: rounded(this.#minMs),
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      max: rounded(this.#maxMs),
    };
  }

  /** Pairs of percent and ms, evenly over the number of nines: 90 % is one, 99 % are two. */
  curve(): readonly (readonly [percent: number, ms: number])[] {
    if (this.#count === 0) return [];
    const most = Math.min(Math.log10(this.#count), MOST_NINES);
    return Array.from({ length: Math.floor(most / NINES_STEP) + 1 }, (_, index) => {
      const percent = 100 * (1 - 10 ** (-index * NINES_STEP));
      const ms = percent === 0 ? this.#minMs : (this.percentile(percent) ?? 0);
      return [Number(percent.toFixed(4)), rounded(ms)];
    });
  }

  clear(): void {
    if (this.#count === 0) return;
    this.#histogram.reset();
    [this.#count, this.#sumMs, this.#minMs, this.#maxMs] = [0, 0, Number.POSITIVE_INFINITY, 0];
  }
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
