export interface TallyOptions<Detail> {
  /** Hears the first of each kind at once, with what it was. */
  readonly first: (detail: Detail) => void;
  /** Hears at the end of a period how many more of each kind there were. */
  readonly summary: (counts: Readonly<Record<string, number>>, periodMs: number) => void;
  readonly periodMs: number;
}

/**
 * Tells of things that may happen very often without flooding the log: the first of a kind at once,
 * the others counted and summed up after a while. Nothing is dropped in silence.
 */
export class Tally<Detail> {
  readonly #options: TallyOptions<Detail>;
  readonly #counts = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TallyOptions<Detail>) {
    this.#options = options;
  }

  note(kind: string, detail: Detail): void {
    const count = this.#counts.get(kind);
    if (count === undefined) this.#options.first(detail);
    this.#counts.set(kind, count === undefined ? 0 : count + 1);
    this.#timer ??= setTimeout(() => this.flush(), this.#options.periodMs).unref();
  }

  /** Sums up what was counted, and begins anew. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts = Object.fromEntries([...this.#counts].filter(([, count]) => count > 0));
    this.#counts.clear();
    if (Object.keys(counts).length > 0) this.#options.summary(counts, this.#options.periodMs);
  }
}
