/** Those who wait until something has come to rest. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next release, or rejects with the signal's reason when that is aborted first. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.delete(done);
        reject(signal.reason);
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  release(): void {
    for (const done of [...this.#waiting]) done();
  }
}
