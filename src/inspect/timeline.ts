import type { Now, Stay, ToldNow } from './contract.js';

/** How many stays are kept: a worker that fails and recovers each minute fills them in half a day. */
const LONGEST = 1000;
/** Of a reason: a thousand of them have to fit into what is told of the worker at once. */
const CHARACTERS = 500;

/** In which states the worker was, and since when it is in this one. */
export class Timeline {
  #stays: Stay[] = [];
  #entered = 0;

  /** @param why without secrets, since it may be cut */
  enter(state: string, why: string, atMs: number): void {
    const reason = why.length > CHARACTERS ? `${why.slice(0, CHARACTERS)}…` : why;
    const last = this.#stays.pop();
    // What is told again in the same state is another reason, not another stay.
    if (last?.state === state) this.#stays.push({ ...last, reason });
    else {
      if (last !== undefined) this.#stays.push({ ...last, toMs: Math.max(atMs, last.fromMs) });
      this.#stays.push({ nth: this.#entered++, state, fromMs: atMs, toMs: null, reason });
    }
    if (this.#stays.length > LONGEST) this.#stays.shift();
  }

  get stays(): readonly Stay[] {
    return this.#stays;
  }
}

/** The whole of what a stream tells of a worker, from what was known of it before. */
export function withTold(before: Now | null, told: ToldNow): Now {
  const { modelLog } = told;
  // Told with its log, it is whole.
  if (modelLog !== undefined || before === null) return { ...told, modelLog: modelLog ?? [] };
  const first = staysOf(told)[0]?.nth ?? Number.POSITIVE_INFINITY;
  const known = staysOf(before).filter(({ nth }) => nth < first);
  return { ...told, timeline: [...known, ...staysOf(told)].slice(-LONGEST), modelLog: before.modelLog };
}

/** Those of a timeline, in place of which there may be what says that it was too long. */
export function staysOf({ timeline }: Pick<Now, 'timeline'>): readonly Stay[] {
  return [timeline].flat();
}
