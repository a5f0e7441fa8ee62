import { PlaceHeap } from './place-heap.js';

/** What routing knows of a worker. */
export interface Routable {
  readonly id: number;
  /** A small whole number that no other worker has at the same time. */
  readonly place: number;
  /** Units of work per second. */
  readonly perf: number;
  /** When it has done all that is in it. */
  busyUntilMs: number;
}

/**
 * Which worker a request goes to: the one that would begin with it first, and of several the oldest, as the local
 * autoscaler chooses. That goes over all workers for each request; here they are kept in order.
 */
export class Router {
  readonly #byPlace: (Routable | undefined)[] = [];
  /** Those that have nothing to do, by id, and the others, by when they are done. */
  readonly #idle = new PlaceHeap();
  readonly #busy = new PlaceHeap();

  get size(): number {
    return this.#idle.size + this.#busy.size;
  }

  add(worker: Routable): void {
    this.#byPlace[worker.place] = worker;
    this.#busy.add(worker.place, worker.busyUntilMs, worker.id);
  }

  remove({ place }: Routable): void {
    this.#idle.remove(place);
    this.#busy.remove(place);
    this.#byPlace[place] = undefined;
  }

  /** The worker for a request, unless each has more to do than that. */
  choose(nowMs: number, longestWaitMs: number): Routable | undefined {
    this.#rest(nowMs);
    if (this.#idle.size > 0) return this.#byPlace[this.#idle.first];
    // The same sum as in `nextChoiceMs`, so that what was foretold comes true.
    return this.nextChoiceMs(longestWaitMs) <= nowMs ? this.#byPlace[this.#busy.first] : undefined;
  }

  /** When there will be one, if nothing else happens. Infinity: never. */
  nextChoiceMs(longestWaitMs: number): number {
    return this.#idle.size > 0 ? 0 : this.#busy.firstKey - longestWaitMs;
  }

  /** Gives it work. Answers when it begins with it. */
  give(worker: Routable, units: number, nowMs: number): number {
    const startMs = Math.max(nowMs, worker.busyUntilMs);
    worker.busyUntilMs = startMs + (units / worker.perf) * 1_000;
    this.#idle.remove(worker.place);
    this.#busy.remove(worker.place);
    this.#busy.add(worker.place, worker.busyUntilMs, worker.id);
    return startMs;
  }

  /** Those that have become idle since. */
  #rest(nowMs: number): void {
    while (this.#busy.firstKey <= nowMs) {
      const worker = this.#byPlace[this.#busy.first];
      if (worker === undefined) return;
      this.#busy.remove(worker.place);
      this.#idle.add(worker.place, worker.id, worker.id);
    }
  }
}
