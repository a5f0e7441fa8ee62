import type { Abortable } from './cancellation.js';

/** The time limits of one exchange: a signal that is aborted when one of them is over, or with the signal given. */
export class Patience {
  readonly #controller = new AbortController();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #given: Abortable;
  readonly #giveUp = () => this.#controller.abort(this.#given.reason);

  constructor(given: Abortable) {
    this.#given = given;
    if (given.aborted) this.#giveUp();
    else given.addEventListener('abort', this.#giveUp);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Sets a limit, in the place of the one of that name. Without a time there is none.
   *
   * @param missing what had not come when it is over; or makes the reason of the abort
   */
  limit(name: string, ms: number | undefined, missing: string | (() => Error)): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    if (ms === undefined || !Number.isFinite(ms)) return;
    const late = () => (typeof missing === 'string' ? new Error(`${missing} within ${ms} ms`) : missing());
    this.#timers.set(
      name,
      setTimeout(() => this.#controller.abort(late()), ms),
    );
  }

  /** Lifts all limits. */
  end(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#given.removeEventListener('abort', this.#giveUp);
  }
}

/**
 * Bounds one attempt: its signal is aborted when the time is over, or when the caller's is.
 *
 * @param timeoutMs for the whole attempt
 * @throws what the work throws; the reason, when it was given up or took too long
 */
export async function within<T>(
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const patience = new Patience(signal);
  patience.limit('total', timeoutMs, 'no answer');
  try {
    return await work(patience.signal);
  } catch (error) {
    throw patience.signal.aborted ? patience.signal.reason : error;
  } finally {
    patience.end();
  }
}
