import { SimulatedClock } from 'xstate';

/** Lets every promise that is settled by now be heard. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * Simulated time that goes from timer to timer, so that each one fires at its own time, and what it
 * brings about has happened before the next one fires.
 */
export class SteppedClock extends SimulatedClock {
  readonly #dueAtMs = new Map<number, number>();

  /** How many timers wait. */
  get waiting(): number {
    return this.#dueAtMs.size;
  }

  override setTimeout(fn: () => void, timeoutMs: number): number {
    const id = super.setTimeout(() => {
      this.#dueAtMs.delete(id);
      fn();
    }, timeoutMs);
    this.#dueAtMs.set(id, this.now() + timeoutMs);
    return id;
  }

  override clearTimeout(id: number): void {
    this.#dueAtMs.delete(id);
    super.clearTimeout(id);
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.now() + ms;
    await turn();
    for (let next = this.#next(); next <= untilMs; next = this.#next()) {
      this.set(next);
      await turn();
    }
    this.set(untilMs);
    await turn();
  }

  /** Goes from timer to timer until something holds, and says how long that took. */
  async until(holds: () => boolean, withinMs: number): Promise<number> {
    const startedAtMs = this.now();
    await turn();
    while (!holds()) {
      const next = this.#next();
      if (next > startedAtMs + withinMs) throw new Error(`It did not come true within ${withinMs} ms.`);
      this.set(next);
      await turn();
    }
    return this.now() - startedAtMs;
  }

  #next(): number {
    return Math.min(...this.#dueAtMs.values());
  }
}
