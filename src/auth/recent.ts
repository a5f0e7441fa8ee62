/** Remembers the last so many texts that it was given. */
export class Recent {
  readonly #limit: number;
  readonly #texts = new Set<string>();
  /** In the order in which they came, as a ring: the next place is that of the oldest. */
  #order: string[] = [];
  #next = 0;

  /** @param limit how many; 0 remembers nothing */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#texts.size;
  }

  has(text: string): boolean {
    return this.#texts.has(text);
  }

  /** One that is remembered already keeps its place. */
  add(text: string): void {
    if (this.#limit === 0 || this.#texts.has(text)) return;
    const oldest = this.#order[this.#next];
    if (oldest !== undefined) this.#texts.delete(oldest);
    this.#texts.add(text);
    this.#order[this.#next] = text;
    this.#next = (this.#next + 1) % this.#limit;
  }

  clear(): void {
    this.#texts.clear();
    this.#order = [];
    this.#next = 0;
  }
}
