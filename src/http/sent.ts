/** What has gone to a client of the body of its answer. */
export class Sent {
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
