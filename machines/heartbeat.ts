import { nextRandom } from './back-off.js';

/**
 * When a heart beats first: by chance, in the course of one interval. Each beat after it comes a whole interval later.
 * So workers that were started together do not report together, and none is heard from less often.
 */
export function firstBeatMs({
  intervalMs,
  seed,
}: {
  readonly intervalMs: number;
  readonly seed: number;
}): number {
  // A draw of its own: what else is drawn from the seed has nothing to do with it.
  const { random } = nextRandom(~seed);
  return Math.ceil((1 - random) * intervalMs);
}
