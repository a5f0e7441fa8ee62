import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How often it is looked whether the loop is late. What is measured contains this time. */
const RESOLUTION_MS = 20;

const PERIOD_MS = 10_000;

export interface Lag {
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

const NONE: Lag = { p99Seconds: 0, maxSeconds: 0 };

/**
 * How late the event loop runs. It tells of the last full period rather than of the time since somebody asked, so that
 * several who ask do not take it from one another.
 */
export class LoopLag {
  #histogram: IntervalHistogram | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last: Lag | undefined;

  start(): void {
    if (this.#histogram !== undefined) return;
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    this.#histogram = histogram;
    this.#timer = setInterval(() => {
      this.#last = lagIn(histogram);
      histogram.reset();
    }, PERIOD_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#histogram?.disable();
    this.#histogram = this.#timer = undefined;
  }

  /** Of the last full period; in the first one, up to now. */
  get last(): Lag {
    return this.#last ?? (this.#histogram === undefined ? NONE : lagIn(this.#histogram));
  }
}

function lagIn(histogram: IntervalHistogram): Lag {
  if (histogram.count === 0) return NONE;
  return { p99Seconds: lateness(histogram.percentile(99)), maxSeconds: lateness(histogram.max) };
}

function lateness(nanoseconds: number): number {
  return Math.max(nanoseconds / 1e9 - RESOLUTION_MS / 1e3, 0);
}
