/** A few things that are lent one by one. Who finds none left waits, first come first served. */
export class Places<T> {
  readonly #free: T[];
  readonly #waiting = new Set<(thing: T) => void>();

  constructor(things: readonly T[]) {
    this.#free = [...things];
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Rejects with the signal's reason when it aborts before something is free. */
  async use<R>(signal: AbortSignal, work: (thing: T) => Promise<R>): Promise<R> {
    signal.throwIfAborted();
    const thing = this.#free.shift() ?? (await this.#wait(signal));
    try {
      return await work(thing);
    } finally {
      this.#giveBack(thing);
    }
  }

  #wait(signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const take = (thing: T) => {
        settle();
        resolve(thing);
      };
      const leave = () => {
        settle();
        reject(signal.reason);
      };
      const settle = () => {
        this.#waiting.delete(take);
        signal.removeEventListener('abort', leave);
      };
      this.#waiting.add(take);
      signal.addEventListener('abort', leave);
    });
  }

  #giveBack(thing: T): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free.push(thing);
    else next(thing);
  }
}
