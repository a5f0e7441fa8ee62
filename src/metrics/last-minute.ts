const SECONDS = 60;

/** Counts what happened in the last minute, second by second, so that it takes the same room however much happens. */
export class LastMinute {
  readonly #counts = new Array<number>(SECONDS).fill(0);
  /** The latest second of which something is counted. */
  #latest = 0;

  /** Something happened, at a monotonic time in ms. */
  add(atMs: number): void {
    const second = this.#advance(atMs);
    const index = second % SECONDS;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** How often it happened in the minute up to `nowMs`. */
  count(nowMs: number): number {
    this.#advance(nowMs);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Forgets what is over a minute old. What comes out of order counts as of the latest second. */
  #advance(atMs: number): number {
    const second = Math.max(Math.floor(atMs / 1000), this.#latest);
    const passed = Math.min(second - this.#latest, SECONDS);
    for (let step = 0; step < passed; step++) this.#counts[(second - step) % SECONDS] = 0;
    this.#latest = second;
    return second;
  }
}
