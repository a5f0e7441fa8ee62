/**
 * What workers are believed to do, of what they say that they have measured. Nobody is believed to do more than a few
 * times what the middle one of them says, so that a wrong figure does not stand in for a whole fleet. As long as more
 * than half of them are right, that one is; of one that is alone, or where most are wrong, nothing is known but
 * what they say.
 */
export interface Belief {
  /** Units of work per second that anybody is believed to do at most. */
  readonly most: number;
  /** What one that has not measured anything is expected to do; 0: nobody knows. */
  readonly typical: number;
}

/** Everybody does what it says. */
export const NOTHING_DOUBTED: Belief = { most: Number.POSITIVE_INFINITY, typical: 0 };

/** Enough for the slowest and the quickest hardware that one fleet is likely to be made of. */
const TIMES_THE_MIDDLE_ONE = 5;

/** @param said units of work per second that each has measured; 0: it has not */
export function beliefOf(said: readonly number[]): Belief {
  const measured = new Float64Array(said.filter((perf) => perf > 0)).sort();
  const middle = measured[Math.floor(measured.length / 2)];
  if (middle === undefined) return NOTHING_DOUBTED;
  const most = middle * TIMES_THE_MIDDLE_ONE;
  const total = measured.reduce((sum, perf) => sum + Math.min(perf, most), 0);
  return { most, typical: total / measured.length };
}

/** What one does that says so much. */
export function believed({ most, typical }: Belief, said: number): number {
  return said > 0 ? Math.min(said, most) : typical;
}
