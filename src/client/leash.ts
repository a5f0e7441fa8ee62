/** What holds one fetch: it ends with the caller's signal, when its time is over, or when it is let go. */
export class Leash {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = () => this.#controller.abort(this.#caller?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isTimeOver = false;
  /** Whether the answer to it has begun. */
  isAnswered = false;

  constructor(caller: AbortSignal | undefined, ms: number) {
    this.#caller = caller;
    if (caller?.aborted) this.#onAbort();
    caller?.addEventListener('abort', this.#onAbort, { once: true });
    this.allow(ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time was over first. */
  get isTimeOver(): boolean {
    return this.#isTimeOver;
  }

  /** So much time from now, in place of what was left. */
  allow(ms: number): void {
    this.pause();
    this.#timer = setTimeout(() => {
      if (this.signal.aborted) return;
      this.#isTimeOver = true;
      this.#controller.abort(new DOMException('The time is over.', 'TimeoutError'));
    }, ms);
  }

  /** No time passes until it is allowed anew. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  /** Ends the fetch if it still goes on, and leaves nothing behind. */
  letGo(): void {
    this.pause();
    this.#caller?.removeEventListener('abort', this.#onAbort);
    this.#controller.abort();
  }
}
