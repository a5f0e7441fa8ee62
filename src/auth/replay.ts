import { Recent } from './recent.js';

/** How far below the highest number, and for how many requests back, a `legacy` request is looked at. */
const WINDOW = 100;

/** How many pairs of numbers the guard of `current` remembers. */
const REMEMBERED_PAIRS = 10_000;

/**
 * Refuses `legacy` requests that were here before. Ask it only about genuine signatures: what it accepts it
 * remembers, and a number that anybody could choose would shut the others out.
 */
export class ReplayWindow {
  readonly #accepted = new Recent(WINDOW);
  #highest = Number.NEGATIVE_INFINITY;

  /** False: too old, or among the last that were accepted. What is refused changes nothing. */
  accept(reqnum: number, signedText: string): boolean {
    if (this.#highest - reqnum > WINDOW || this.#accepted.has(signedText)) return false;
    this.#highest = Math.max(this.#highest, reqnum);
    this.#accepted.add(signedText);
    return true;
  }
}

/**
 * Refuses `current` requests whose pair of numbers was here before. The signature vouches for neither, so
 * this stops a request that is sent twice by accident, and nobody who means it.
 */
export class RepeatGuard {
  readonly #accepted = new Recent(REMEMBERED_PAIRS);

  /** False: among the last that were accepted. */
  accept(requestIdx: number, reqnum: number): boolean {
    const pair = `${requestIdx} ${reqnum}`;
    if (this.#accepted.has(pair)) return false;
    this.#accepted.add(pair);
    return true;
  }
}
