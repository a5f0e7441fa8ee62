import { exponential, type Random, randomFrom } from '../../machines/random.js';

/** Requests in the order in which they come. It stands on one of them, and makes no object for each. */
export interface Arrivals {
  /** When the request comes; Infinity: there are no more. */
  readonly atMs: number;
  readonly units: number;
  next(): void;
}

/** Requests per second, from one whole second to the next; asked for second after second. */
export type Rate = (second: number) => number;

/** A rate, and until when it holds. */
export interface Pace {
  readonly perSecond: number;
  readonly untilMs: number;
}

/** Asked for one after the other: the one from 0 on, then the one from where that ends. */
export type Paces = (fromMs: number) => Pace;

export function secondBySecond(rateAt: Rate): Paces {
  return (fromMs) => ({ perSecond: rateAt(fromMs / 1_000), untilMs: fromMs + 1_000 });
}

/** How many requests come until then, on average. */
export function requestsUntil(paceFrom: Paces, untilMs: number): number {
  let count = 0;
  for (let fromMs = 0; fromMs < untilMs; ) {
    const pace = paceFrom(fromMs);
    const endMs = Math.min(pace.untilMs, untilMs);
    count += (pace.perSecond * (endMs - fromMs)) / 1_000;
    fromMs = endMs;
  }
  return count;
}

/** How much work a request is: the same for each, or anything between two, each tenfold as likely as the next. */
export interface Sizes {
  readonly least: number;
  readonly most: number;
}

/** Requests that come by themselves, each when it happens to, at a rate. */
export class RandomArrivals implements Arrivals {
  atMs = 0;
  units = 0;
  #pace: Pace;
  readonly #paceFrom: Paces;
  readonly #sizes: Sizes;
  readonly #untilMs: number;
  readonly #random: Random;

  constructor(paceFrom: Paces, sizes: Sizes, untilMs: number, seed: number) {
    this.#paceFrom = paceFrom;
    this.#pace = paceFrom(0);
    this.#sizes = sizes;
    this.#untilMs = untilMs;
    this.#random = randomFrom(seed);
    this.next();
  }

  next(): void {
    // How many requests would come meanwhile on average, by what their rate is then.
    let left = exponential(this.#random, 1);
    let atMs = this.atMs;
    while (atMs < this.#untilMs) {
      const endMs = Math.min(this.#pace.untilMs, this.#untilMs);
      const coming = (this.#pace.perSecond * (endMs - atMs)) / 1_000;
      if (left < coming) break;
      left -= coming;
      atMs = endMs;
      if (atMs < this.#untilMs) this.#pace = this.#paceFrom(atMs);
    }
    const comesAtMs = atMs + (left / this.#pace.perSecond) * 1_000;
    const hasEnded = atMs >= this.#untilMs || comesAtMs >= this.#untilMs;
    this.atMs = hasEnded ? Number.POSITIVE_INFINITY : comesAtMs;
    this.units = hasEnded ? 0 : sizeOf(this.#sizes, this.#random);
  }
}

/** Requests that are listed one by one. */
export class ListedArrivals implements Arrivals {
  readonly #times: Float64Array;
  readonly #units: Float64Array;
  readonly #untilMs: number;
  #index = 0;

  constructor(times: Float64Array, units: Float64Array, untilMs: number) {
    this.#times = times;
    this.#units = units;
    this.#untilMs = untilMs;
  }

  get atMs(): number {
    const atMs = this.#times[this.#index] ?? Number.POSITIVE_INFINITY;
    return atMs < this.#untilMs ? atMs : Number.POSITIVE_INFINITY;
  }

  get units(): number {
    return this.#units[this.#index] ?? 0;
  }

  next(): void {
    this.#index += 1;
  }
}

export function sizeOf({ least, most }: Sizes, random: Random): number {
  return least === most ? least : least * (most / least) ** random();
}
