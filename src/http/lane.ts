import type { Abortable } from '../cancellation.js';
import { WorkerError } from '../errors.js';
import { retryAfter } from './retry-after.js';

interface Waiter {
  readonly begin: () => void;
}

/** Lets a number of requests work at once; the others wait for their turn, first in first out. */
export class Lane {
  readonly #capacity: number;
  readonly #waiting = new Set<Waiter>();
  #working = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when it is the caller's turn, with the function that ends it. Whoever gives up loses the place.
   *
   * @param longestMs how long to wait at most
   * @throws {WorkerError} `queue_time_exceeded`; or what the signal was aborted with
   */
  enter(signal: Abortable, longestMs: number): Promise<() => void> | (() => void) {
    signal.throwIfAborted();
    if (this.#working < this.#capacity) return this.#begin();
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', abandon);
      };
      const abandon = () => {
        leave();
        reject(signal.reason);
      };
      const tooLate = () => {
        leave();
        reject(
          new WorkerError('queue_time_exceeded', `The request has waited for ${longestMs} ms.`, {
            // Who has waited in vain had better stay away for as long again.
            headers: retryAfter(longestMs),
          }),
        );
      };
      const waiter = {
        begin: () => {
          leave();
          resolve(this.#begin());
        },
      };
      const timer = Number.isFinite(longestMs) ? setTimeout(tooLate, longestMs) : undefined;
      signal.addEventListener('abort', abandon, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #begin(): () => void {
    this.#working += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#working -= 1;
      const [next] = this.#waiting;
      next?.begin();
    };
  }
}
