/** How far an answer has come: whether its turn has, and what of its body has gone to its client. */
export class Sent {
  /** When the turn of its request came; null: it has not. */
  workStartedAtMs: number | null = null;
  readonly #now: () => number;
  #firstByteAtMs: number | null = null;
  #bytes = 0;

  /** @param now monotonic, in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** When the first byte went; null: none did. */
  get firstByteAtMs(): number | null {
    return this.#firstByteAtMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So many bytes go now. */
  add(bytes: number): void {
    if (bytes === 0) return;
    this.#firstByteAtMs ??= this.#now();
    this.#bytes += bytes;
  }
}
