import { exponential, type Random } from '../random.js';

/**
 * When the requests of an open loop begin: by the clock, whatever became of those before. The rate is that of the one
 * value that is given, or goes evenly from each to the next over the whole time.
 */
export interface Schedule {
  /** Requests per second. */
  readonly rates: readonly number[];
  readonly durationMs: number;
  /** `even`: as far apart as the rate says. `poisson`: by chance, as people come who do not know of one another. */
  readonly arrivals: 'even' | 'poisson';
  /** From 0 to below 1 at each call. */
  readonly random: Random;
}

/** A stretch over which the rate goes from one value to another, in requests per ms. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
  /** How many requests begin in it. */
  readonly amount: number;
}

/** The times at which requests begin, in ms after the start, in order. */
export function* arrivals(schedule: Schedule): Generator<number, void> {
  const gap = schedule.arrivals === 'even' ? () => 1 : () => exponential(schedule.random, 1);
  let [before, beforeMs] = [0, 0];
  // How many should have begun by now, at the moment at which one begins.
  let amount = schedule.arrivals === 'even' ? 0 : gap();
  for (const stretch of stretchesOf(schedule)) {
    for (; amount < before + stretch.amount; amount += gap()) {
      yield beforeMs + Math.min(timeOf(amount - before, stretch), stretch.ms);
    }
    before += stretch.amount;
    beforeMs += stretch.ms;
  }
}

/** How many requests begin in all, on average. */
export function expectedArrivals(schedule: Pick<Schedule, 'rates' | 'durationMs'>): number {
  return stretchesOf(schedule).reduce((sum, { amount }) => sum + amount, 0);
}

function stretchesOf({ rates, durationMs }: Pick<Schedule, 'rates' | 'durationMs'>): Stretch[] {
  const perMs = rates.map((rate) => rate / 1_000);
  const ends = perMs.length === 1 ? [...perMs, ...perMs] : perMs;
  const ms = durationMs / (ends.length - 1);
  return ends.slice(1).map((to, index) => {
    const from = ends[index] ?? to;
    return { from, to, ms, amount: ((from + to) / 2) * ms };
  });
}

/** When so many have begun: the inverse of `from × t + (to − from) × t² ÷ 2 ms`, in the form that holds for all slopes. */
function timeOf(amount: number, { from, to, ms }: Stretch): number {
  if (amount <= 0) return 0;
  const slope = (to - from) / ms;
  return (2 * amount) / (from + Math.sqrt(Math.max(0, from * from + 2 * slope * amount)));
}
