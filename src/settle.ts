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

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
