import fc from 'fast-check';
import type { Misdeed } from '../conformance/scribe.js';

/** One step of one client. What becomes of it is fixed by its kind: see `storm.ts`. */
export interface Step {
  readonly kind: StepKind;
  /** Units of work, and its name among the steps. */
  readonly units: number;
  readonly ms: number;
  readonly requestIdx: number;
  readonly reqnum: number;
}

/** How often each kind comes. */
const WEIGHTS = {
  'is answered': 5,
  'is streamed': 4,
  'waits for its turn': 3,
  'leaves before the first byte': 3,
  'leaves half-way': 4,
  'leaves while it waits': 2,
  'is refused at the door': 3,
  'waits for too long': 3,
  'is an error of the model': 2,
  'is cut by the model': 2,
  'is a session': 2,
  'is forged': 1,
  'names no session': 1,
  'is malformed': 1,
} as const;

export type StepKind = keyof typeof WEIGHTS;

const KINDS = Object.entries(WEIGHTS).flatMap(([kind, weight]) => {
  const arbitrary = fc.constant(kind as StepKind);
  return [{ weight, arbitrary }];
});

/** Of the numbers there are fewer than clients, so that they collide all the time. */
const step = fc.record({
  kind: fc.oneof(...KINDS),
  ms: fc.nat(120),
  requestIdx: fc.integer({ min: 1, max: 5 }),
  reqnum: fc.integer({ min: 1, max: 2 }),
});

/** The same for the same seed. */
export function stepsOf(seed: number, count: number): Step[] {
  return fc.sample(step, { seed, numRuns: count }).map((each, index) => ({ ...each, units: 100 + index }));
}

/** Longer than a report is waited for, and so much shorter that no busy processor makes it as long. */
export const REPORT_TIMEOUT_MS = 700;
const SLOW_MS = 60;

/** Twenty answers of an autoscaler: half of them are as they should be. */
const DECK: readonly Misdeed[] = [
  ...Array.from({ length: 10 }, () => undefined),
  ...([500, 503, 429, 'reset', 'reset', 'cut', 'cut'] as const),
  ...[{ afterMs: SLOW_MS }, { afterMs: SLOW_MS / 2 }, { afterMs: REPORT_TIMEOUT_MS * 1.5 }],
];

/** Deals the answers of the deck in an order of the seed, and shuffles it again when it is empty. */
export function dealer(seed: number): () => Misdeed {
  let round = 0;
  let left: Misdeed[] = [];
  return () => {
    if (left.length === 0) {
      const [shuffled = []] = fc.sample(
        fc.shuffledSubarray([...DECK, ...(round % 2 === 1 ? ['hang' as const] : [])], {
          minLength: DECK.length,
        }),
        { seed: seed + round++, numRuns: 1 },
      );
      left = [...shuffled];
    }
    return left.pop();
  };
}
