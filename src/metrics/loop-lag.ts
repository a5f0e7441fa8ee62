import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How often it is looked whether the loop is late. What is measured contains this time. */
const RESOLUTION_MS = 20;

const PERIOD_MS = 10_000;

export interface Lag {
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

/**
 * How late the event loop runs. It tells of the last full period rather than of the time since somebody asked, so that
 * several who ask do not take it from one another.
 */
export class LoopLag {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #timer: NodeJS.Timeout | undefined;
  #last: Lag | undefined;

  start(): void {
    this.#histogram.enable();
    this.#timer ??= setInterval(() => {
      this.#last = this.#read();
      this.#histogram.reset();
    }, PERIOD_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#histogram.disable();
  }

  /** Of the last full period; in the first one, up to now. */
  get last(): Lag {
    return this.#last ?? this.#read();
  }

  #read(): Lag {
    const { count, max } = this.#histogram;
    if (count === 0) return { p99Seconds: 0, maxSeconds: 0 };
    return { p99Seconds: lateness(this.#histogram.percentile(99)), maxSeconds: lateness(max) };
  }
}

function lateness(nanoseconds: number): number {
  return Math.max(nanoseconds / 1e9 - RESOLUTION_MS / 1e3, 0);
}
