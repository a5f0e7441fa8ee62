/** What one look at the fleet saw. Rates in units/s. */
export interface ScalingSample {
  /** 1 for the first, then one more each. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly expectedPerSecond: number;
  /** Of those that are ready, and what was aimed at. */
  readonly capacity: number;
  readonly wantedCapacity: number;
  /** How many are ready, how many are or will be when they have loaded, and how many are wanted. */
  readonly ready: number;
  readonly active: number;
  readonly wanted: number;
}

/** Ten minutes, at a look a second. */
const MAX_SAMPLES = 600;

/** What the last looks saw, bounded. */
export class ScalingHistory {
  #samples: readonly ScalingSample[] = [];
  #made = 0;

  add(seen: Omit<ScalingSample, 'sequence'>): void {
    this.#made += 1;
    this.#samples = [...this.#samples.slice(1 - MAX_SAMPLES), { sequence: this.#made, ...seen }];
  }

  /** Those after this one, oldest first; all of them where this one is not of this history. */
  after(sequence: number): readonly ScalingSample[] {
    if (sequence > this.#made) return this.#samples;
    return this.#samples.filter((sample) => sample.sequence > sequence);
  }
}
