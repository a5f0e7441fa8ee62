/** Tells of changes, of many within a while once: a while after the first. */
export class Settle {
  readonly #afterMs: number;
  readonly #tell: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(afterMs: number, tell: () => void) {
    this.#afterMs = afterMs;
    this.#tell = tell;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
    }, this.#afterMs).unref();
  }

  /** Tells now of a change that is not told yet. */
  flush(): void {
    if (this.#timer === undefined) return;
    this.stop();
    this.#tell();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
