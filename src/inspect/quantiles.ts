const LEAST_MS = 0.1;
/** Each bucket is so many times as wide as the one before: what is told is within 5 % of what was. */
const GROWTH = 1.1;
const BUCKETS = 220;

const PER_BUCKET = 1 / Math.log(GROWTH);

/** Durations of a while, counted in buckets, so that each costs nothing but an addition. */
export class Quantiles {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;

  add(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) * PER_BUCKET);
    const index = Math.min(bucket, BUCKETS - 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
  }

  /** The duration that a part of them did not exceed, such as 0.99; null: there were none. */
  of(part: number): number | null {
    if (this.#count === 0) return null;
    const rank = Math.max(Math.ceil(this.#count * part), 1);
    let [bucket, below] = [0, this.#counts[0] ?? 0];
    while (below < rank) below += this.#counts[++bucket] ?? 0;
    return rounded(LEAST_MS * GROWTH ** (bucket - (bucket === 0 ? 0 : 0.5)));
  }

  clear(): void {
    if (this.#count === 0) return;
    this.#counts.fill(0);
    this.#count = 0;
  }
}

function rounded(ms: number): number {
  return ms < 100 ? Math.round(ms * 10) / 10 : Math.round(ms);
}
