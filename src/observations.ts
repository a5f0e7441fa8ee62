import { isDeepStrictEqual } from 'node:util';
import { NOTHING_OBSERVED, type Observed } from './dialects/dialect.js';

/** What those have told who watch the model server from outside: the latest of each. */
export class Observations {
  #latest = NOTHING_OBSERVED;

  get latest(): Observed {
    return this.#latest;
  }

  /** Answers whether the batch capacity is another one now: a watcher that starts again repeats what is known. */
  take(what: Partial<Observed>): boolean {
    const before = this.#latest;
    this.#latest = { ...before, ...what };
    return !isDeepStrictEqual(this.#latest.capacity, before.capacity);
  }
}
