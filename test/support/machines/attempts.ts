import type { SteppedClock } from '../../../src/testing/clock.js';

/** What becomes of one attempt. An answer that is late reached the autoscaler, but nobody waits for it any more. */
export type Answer =
  | { is: 'accepted'; afterMs: number }
  | { is: 'refused'; afterMs: number }
  | { is: 'late'; afterMs: number }
  | { is: 'never' };

export interface AttemptsOptions {
  readonly clock: SteppedClock;
  readonly timeoutMs: number;
  /** In order. */
  readonly answers: readonly Answer[];
  readonly finally: Answer;
}

/** The attempts of one effect, each of which ends as a schedule says. */
export class Attempts {
  /** Something reached the autoscaler, and the answer came when nobody waited for it any more. */
  answerLost = false;
  mostAtOnce = 0;
  #underWay = 0;
  readonly #options: AttemptsOptions;
  readonly #answers: Answer[];
  readonly #late: (() => void)[] = [];

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#answers = [...options.answers];
  }

  /** To be called when an attempt begins, and again with -1 when it has ended. */
  count(by: 1 | -1): void {
    this.#underWay += by;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay);
  }

  /** Resolves to what was delivered, rejects when that is not known. `arrived`: the autoscaler has got it. */
  async end<T>(delivery: T, signal: AbortSignal, arrived: () => void = () => {}): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    const timers: number[] = [];
    try {
      return await new Promise<T>((resolve, reject) => {
        const answer = this.#answers.shift() ?? this.#options.finally;
        const after = (ms: number, act: () => void) => timers.push(clock.setTimeout(act, ms));
        after(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
        if (answer.is === 'accepted') after(answer.afterMs, () => resolve(delivery));
        if (answer.is === 'refused') after(answer.afterMs, () => reject(new Error('refused')));
        if (answer.is === 'accepted' || answer.is === 'late') arrived();
        if (answer.is === 'late') {
          this.answerLost = true;
          clock.setTimeout(() => resolve(delivery), timeoutMs + answer.afterMs);
        }
        this.#late.push(() => resolve(delivery));
        signal.addEventListener('abort', () => {
          for (const timer of timers) clock.clearTimeout(timer);
        });
      });
    } finally {
      for (const timer of timers) clock.clearTimeout(timer);
    }
  }

  /** The answers come for which nobody waits any more. */
  answerLate(): void {
    for (const answer of this.#late) answer();
  }
}
