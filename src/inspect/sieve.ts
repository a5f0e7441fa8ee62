import type { RequestEvent } from '../../machines/events.js';

/** How many requests of a second are noted. More nobody reads, and each costs the worker about as much as a tenth of a request. */
const A_SECOND = 100;

/** Lets so many requests of a second through as can be looked at, each with its start and its end. */
export class Sieve {
  readonly #noted = new Set<number>();
  #left = A_SECOND;
  #heldBack = 0;

  lets({ type, id }: RequestEvent): boolean {
    const isEnd = type !== 'request.started' && type !== 'request.rejected';
    if (isEnd && this.#noted.delete(id)) return true;
    // Of a request whose start was not noted the end is news while there is room, as when it began before.
    if (this.#left <= 0) {
      if (!isEnd) this.#heldBack += 1;
      return false;
    }
    this.#left -= 1;
    if (type === 'request.started') this.#noted.add(id);
    return true;
  }

  /** A second is over. Answers how many requests were held back in it. */
  nextSecond(): number {
    const heldBack = this.#heldBack;
    this.#heldBack = 0;
    this.#left = A_SECOND;
    return heldBack;
  }

  /** Nobody looks any more. */
  forget(): void {
    this.#noted.clear();
  }
}
