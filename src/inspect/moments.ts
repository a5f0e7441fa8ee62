import type { Now, ToldNow } from './contract.js';
import type { Source } from './source.js';
import { staysOf } from './timeline.js';

/** For so long, what is told to one reader is told to the others. */
const LASTS_MS = 10;

/** How a worker is, as text for all who look at it: each text is made once, when the first wants it. */
export class Moment {
  readonly seq: number;
  /** The number of the last line of the model's log that it holds. */
  readonly line: number;
  /** The number of the last stay that it holds. */
  readonly stay: number;
  readonly #now: Now;
  readonly #later = new Map<number, string>();
  #whole: string | undefined;
  #mark: string | undefined;

  constructor(now: Now, line: number) {
    this.#now = now;
    this.seq = now.seq;
    this.line = line;
    this.stay = staysOf(now).at(-1)?.nth ?? 0;
  }

  get whole(): string {
    this.#whole ??= JSON.stringify(this.#now);
    return this.#whole;
  }

  /** For who knows all but the stays since this one, which may have changed. */
  after(stay: number): string {
    const known = this.#later.get(stay);
    if (known !== undefined) return known;
    const { modelLog: _, ...rest } = this.#now;
    const told: ToldNow = { ...rest, timeline: staysOf(this.#now).filter(({ nth }) => nth >= stay) };
    const text = JSON.stringify(told);
    this.#later.set(stay, text);
    return text;
  }

  /** Another one when something has changed, but for what does so though nothing happens, and what else is told. */
  get mark(): string {
    this.#mark ??= JSON.stringify(timeless(this.#now));
    return this.#mark;
  }
}

/** How a worker is, as it is told to those who look at it at the same time. */
export class Moments {
  readonly #source: Source;
  #moment: Moment | undefined;
  #passing: NodeJS.Timeout | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  /** The one that lasts still, if it knows of all that has happened up to this. */
  since(seq: number): Moment {
    return this.#moment !== undefined && this.#moment.seq >= seq ? this.#moment : this.fresh();
  }

  fresh(): Moment {
    clearTimeout(this.#passing);
    const moment = new Moment(this.#source.now(), this.#source.linesAfter(0).last);
    this.#moment = moment;
    this.#passing = setTimeout(() => {
      this.#moment = undefined;
    }, LASTS_MS).unref();
    return moment;
  }
}

function timeless(now: Now) {
  const { atMs: _, seq: __, modelLog: ___, timeline: ____, worker, ...rest } = now;
  const { inStateMs: _____, ...facts } = worker;
  return { ...rest, worker: facts, stay: staysOf(now).at(-1) };
}
