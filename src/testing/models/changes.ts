interface Waiter {
  look(): void;
  fail(reason: unknown): void;
}

/** Lets many wait until what they look at has become true. */
export class Changes {
  readonly #waiters = new Set<Waiter>();
  #closed: Error | undefined;

  /** Everyone who waits looks again. */
  changed(): void {
    for (const waiter of [...this.#waiters]) waiter.look();
  }

  /** Nothing changes any more: whoever still waits, or will, is given this error. */
  close(error: Error): void {
    this.#closed = error;
    for (const waiter of [...this.#waiters]) waiter.fail(error);
  }

  /** The first answer that is not undefined, asked now and at each change. Rejects when the signal aborts. */
  until<T>(ask: () => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        look: () => {
          const answer = ask();
          if (answer === undefined) return;
          settle();
          resolve(answer);
        },
        fail: (reason) => {
          settle();
          reject(reason);
        },
      };
      const onAbort = () => waiter.fail(signal?.reason);
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort);
      waiter.look();
      if (signal?.aborted) onAbort();
      if (this.#closed !== undefined) waiter.fail(this.#closed);
    });
  }
}
