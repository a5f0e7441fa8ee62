/** Each bucket is so much wider than the one before: what is told is within 1 % of what was. */
const GROWTH = 1.02;
const PER_BUCKET = 1 / Math.log(GROWTH);
/** From a tenth of a millisecond to a month. */
const LEAST_MS = 0.1;
const BUCKETS = 1_220;

/** Where times lie: none at all, or in buckets, so that however many there are they take no more room. */
export class Distribution {
  readonly #counts = new Float64Array(BUCKETS);
  #zeros = 0;
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#max;
  }

  /** 0, where there were none. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  add(ms: number): void {
    this.#count += 1;
    this.#sum += ms;
    if (ms > this.#max) this.#max = ms;
    if (ms < LEAST_MS) {
      this.#zeros += 1;
      return;
    }
    const bucket = Math.min(Math.floor(Math.log(ms / LEAST_MS) * PER_BUCKET), BUCKETS - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** The time that a share of them did not exceed, such as 0.99; 0, where there were none. */
  at(share: number): number {
    const rank = Math.max(1, Math.ceil(this.#count * share));
    if (this.#count === 0 || rank <= this.#zeros) return 0;
    let [bucket, below] = [0, this.#zeros + (this.#counts[0] ?? 0)];
    while (below < rank && bucket < BUCKETS - 1) below += this.#counts[++bucket] ?? 0;
    return Math.min(this.#max, LEAST_MS * GROWTH ** (bucket + 0.5));
  }

  clear(): void {
    if (this.#count === 0) return;
    this.#counts.fill(0);
    this.#zeros = this.#count = this.#sum = this.#max = 0;
  }
}
