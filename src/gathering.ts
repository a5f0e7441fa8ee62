/** Hands things over in bundles: all that came within a while, in one go. */
export class Gathering<Item> {
  readonly #whileMs: number;
  readonly #handOver: (items: readonly Item[]) => void;
  #items: Item[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param whileMs how long the first of a bundle waits */
  constructor(whileMs: number, handOver: (items: readonly Item[]) => void) {
    this.#whileMs = whileMs;
    this.#handOver = handOver;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#timer ??= setTimeout(() => this.flush(), this.#whileMs).unref();
  }

  /** Hands over what there is, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#items.length > 0) this.#handOver(this.#items.splice(0));
  }
}
