/** Hands things over in bundles: all that came while one turn of the event loop went by, in one go. */
export class Gathering<Item> {
  readonly #handOver: (items: readonly Item[]) => void;
  #items: Item[] = [];
  #next: NodeJS.Immediate | undefined;

  constructor(handOver: (items: readonly Item[]) => void) {
    this.#handOver = handOver;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#next ??= setImmediate(() => this.flush());
  }

  /** Hands over what there is, now. */
  flush(): void {
    clearImmediate(this.#next);
    this.#next = undefined;
    if (this.#items.length > 0) this.#handOver(this.#items.splice(0));
  }
}
