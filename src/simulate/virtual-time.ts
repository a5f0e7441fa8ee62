interface Timer {
  readonly id: number;
  readonly atMs: number;
  /** Null: it was cleared. It stays in its place until its time comes. */
  fn: (() => void) | null;
}

/**
 * Time that goes from timer to timer as fast as they can be run: the clock of machines in a simulation. Timers of one
 * moment run in the order in which they were set. Whatever a timer brings about has happened when it returns, so that
 * effects have to be synchronous: those of `effect.ts`.
 */
export class VirtualTime {
  #nowMs = 0;
  #lastId = 0;
  /** A binary heap: each is due no later than the two that follow from it. */
  readonly #heap: Timer[] = [];
  readonly #byId = new Map<number, Timer>();

  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next timer is due; Infinity: none is set. */
  get nextMs(): number {
    this.#dropCleared();
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#byId.size;
  }

  setTimeout(fn: () => void, afterMs: number): number {
    const timer: Timer = { id: ++this.#lastId, atMs: this.#nowMs + Math.max(0, afterMs), fn };
    this.#byId.set(timer.id, timer);
    // One that is never due need not wait for it.
    if (timer.atMs === Number.POSITIVE_INFINITY) return timer.id;
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1, timer);
    return timer.id;
  }

  clearTimeout(id: number): void {
    const timer = this.#byId.get(id);
    if (timer === undefined) return;
    timer.fn = null;
    this.#byId.delete(id);
  }

  /** Runs what is due until then, in order, and then it is that time. */
  advanceTo(atMs: number): void {
    while (this.nextMs <= atMs) this.#runNext();
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  #runNext(): void {
    const timer = this.#take();
    if (timer === undefined) return;
    this.#nowMs = timer.atMs;
    this.#byId.delete(timer.id);
    timer.fn?.();
  }

  #dropCleared(): void {
    while (this.#heap[0]?.fn === null) this.#take();
  }

  #take(): Timer | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first;
  }

  #rise(from: number, timer: Timer): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const other = this.#heap[above];
      if (other === undefined || isBefore(other, timer)) break;
      this.#heap[index] = other;
      index = above;
    }
    this.#heap[index] = timer;
  }

  #sink(timer: Timer): void {
    let index = 0;
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      const [one, other] = [this.#heap[left], this.#heap[right]];
      if (one === undefined) break;
      const isRight = other !== undefined && isBefore(other, one);
      const first = isRight ? other : one;
      if (isBefore(timer, first)) break;
      this.#heap[index] = first;
      index = isRight ? right : left;
    }
    this.#heap[index] = timer;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.id < other.id);
}
