import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivals, expectedArrivals, type Schedule } from '../../src/load/schedule.js';
import { randomFrom } from '../../src/random.js';

function scheduleOf(given: Partial<Schedule>): Schedule {
  return { rates: [10], durationMs: 1_000, arrivals: 'even', random: randomFrom(1), ...given };
}

const rates = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 200, noNaN: true })), {
    minLength: 1,
    maxLength: 5,
  })
  .filter((some) => some.some((rate) => rate > 0));

const schedules = fc.record({
  rates,
  durationMs: fc.integer({ min: 1, max: 20_000 }),
  arrivals: fc.constantFrom('even' as const, 'poisson' as const),
  seed: fc.integer(),
});

/** How many requests should have begun by a time, added up in small steps. */
function amountBy({ rates, durationMs }: Schedule, ms: number): number {
  const ends = rates.length === 1 ? [...rates, ...rates] : rates;
  const rateAt = (at: number) => {
    const place = (at / durationMs) * (ends.length - 1);
    const [from = 0, to = from] = ends.slice(Math.min(Math.floor(place), ends.length - 2));
    return from + (to - from) * (place - Math.min(Math.floor(place), ends.length - 2));
  };
  const steps = 4_000;
  return Array.from(
    { length: steps },
    (_, step) => (rateAt(((step + 0.5) / steps) * ms) * ms) / steps / 1_000,
  ).reduce((sum, each) => sum + each, 0);
}

describe('the arrivals of an open loop', () => {
  it('are as far apart as the rate says', () => {
    expect([...arrivals(scheduleOf({ rates: [4] }))]).toEqual([0, 250, 500, 750]);
    expect([...arrivals(scheduleOf({ rates: [0.5], durationMs: 5_000 }))]).toEqual([0, 2_000, 4_000]);
  });

  it('come closer while the rate rises and farther apart while it falls', () => {
    const times = [...arrivals(scheduleOf({ rates: [0, 16, 0], durationMs: 2_000 }))];
    expect(times.map(Math.round)).toEqual([
      0, 354, 500, 612, 707, 791, 866, 935, 1_000, 1_065, 1_134, 1_209, 1_293, 1_388, 1_500, 1_646,
    ]);
  });

  it('are in order and within the time', () => {
    fc.assert(
      fc.property(schedules, ({ seed, ...given }) => {
        const times = [...arrivals(scheduleOf({ ...given, random: randomFrom(seed) }))];
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(times.every((ms) => ms >= 0 && ms <= given.durationMs)).toBe(true);
      }),
    );
  });

  it('at an even pace, are at any time as many as the rate wants, to within one', () => {
    fc.assert(
      fc.property(schedules, fc.double({ min: 0, max: 1, noNaN: true }), ({ seed: _, ...given }, share) => {
        const schedule = scheduleOf({ ...given, arrivals: 'even' });
        const atMs = share * given.durationMs;
        const begun = [...arrivals(schedule)].filter((ms) => ms <= atMs).length;
        expect(Math.abs(begun - amountBy(schedule, atMs))).toBeLessThan(1.05);
        expect(Math.abs([...arrivals(schedule)].length - expectedArrivals(schedule))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  it('by chance, are the same for the same seed, as many as the rate says on average, and spread as chance spreads', () => {
    const of = (seed: number) => [
      ...arrivals(
        scheduleOf({ rates: [100], durationMs: 100_000, arrivals: 'poisson', random: randomFrom(seed) }),
      ),
    ];
    const times = of(7);
    expect(of(7)).toEqual(times);
    expect(of(8)).not.toEqual(times);
    // Four standard deviations of a Poisson count.
    expect(Math.abs(times.length - 10_000)).toBeLessThan(400);
    const perSecond = Array.from({ length: 100 }, () => 0);
    for (const ms of times) perSecond[Math.floor(ms / 1_000)] = (perSecond[Math.floor(ms / 1_000)] ?? 0) + 1;
    const mean = times.length / 100;
    const variance = perSecond.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 99;
    // An even pace would have next to none.
    expect(variance / mean).toBeGreaterThan(0.5);
    expect(variance / mean).toBeLessThan(1.7);
  });
});
