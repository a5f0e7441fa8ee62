/** How long nothing may come of a worker: it tells its figures each second. */
const LONGEST_MS = 5_000;

/** Ends what listens when nothing has come for too long: a worker that hangs leaves its connections open. */
export class Silence {
  readonly #tooLong = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isMinded = true;

  constructor() {
    this.onHeard();
  }

  get signal(): AbortSignal {
    return this.#tooLong.signal;
  }

  onHeard(): void {
    clearTimeout(this.#timer);
    if (this.#isMinded) this.#timer = setTimeout(() => this.#tooLong.abort(), LONGEST_MS);
  }

  /** It is of no matter any more. */
  ignore(): void {
    this.#isMinded = false;
    clearTimeout(this.#timer);
  }
}
