import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { came, expectedPerSecond, type Forecast, movedOn, NO_WORK_YET } from '../../machines/forecast.js';
import { randomFrom } from '../../machines/random.js';

/** The forecast after so much work a second, from a second on. */
function worked(load: readonly number[], from = 0, before: Forecast = NO_WORK_YET): Forecast {
  return load.reduce((forecast, units, index) => came(forecast, units, (from + index) * 1_000), before);
}

const steady = (units: number, seconds: number) => Array.from({ length: seconds }, () => units);

describe('the work that is expected', () => {
  it('is none before any came', () => {
    expect(expectedPerSecond(NO_WORK_YET, 5_000)).toBe(0);
  });

  it('follows a rise within ten seconds', () => {
    const rises = [1, 5, 10, 20].map((seconds) =>
      expectedPerSecond(worked(steady(30, seconds)), (seconds - 1) * 1_000),
    );
    expect(rises).toEqual([3, 15, 30, 30]);
  });

  it.each([60, 300])('follows a rise within ten seconds after %d steady ones', (before) => {
    const forecast = worked([...steady(10, before), ...steady(30, 10)]);
    expect(expectedPerSecond(forecast, (before + 9) * 1_000)).toBe(30);
  });

  it.each([60, 300])('follows a fall within a minute after %d steady seconds', (before) => {
    const forecast = worked(steady(60, before));
    const falls = [-1, 58, 59, 500].map((second) => expectedPerSecond(forecast, (before + second) * 1_000));
    expect(falls).toEqual([60, 1, 0, 0]);
  });

  it('never grows again once nothing has come for ten seconds, whatever came before', () => {
    const phase = fc.tuple(
      fc.integer({ min: 1, max: 400 }),
      fc.constantFrom(0, 0.3, 1, 25, 1_200),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.array(phase, { minLength: 1, maxLength: 4 }), fc.nat(), (phases, seed) => {
        const random = randomFrom(seed);
        const load = phases.flatMap(([seconds, units, isByChance]) =>
          steady(units, seconds).map((each) => (isByChance ? each * 2 * random() : each)),
        );
        let forecast = worked(load);
        const last = forecast;
        const expected = Array.from({ length: 400 }, (_, second) => {
          forecast = movedOn(forecast, (load.length + second) * 1_000);
          return expectedPerSecond(forecast, (load.length + second) * 1_000);
        });
        // Looked at seldom it is the same.
        expect(expectedPerSecond(last, (load.length + 70) * 1_000)).toBe(expected[70]);
        const grown = expected.findIndex(
          (each, second) => second > 10 && each > (expected[second - 1] ?? 0) + 1e-9,
        );
        expect([grown, expected.at(-1)]).toEqual([-1, 0]);
      }),
    );
  });

  it('is the mean of five minutes where each second differs by chance alone', () => {
    const random = randomFrom(1);
    const load = Array.from({ length: 600 }, () => 100 * random());
    const mean = load.slice(300).reduce((sum, units) => sum + units, 0) / 300;
    expect(expectedPerSecond(worked(load), 599_000)).toBeCloseTo(mean, 9);
  });

  it('counts what comes at once together, and what comes late as now', () => {
    const forecast = came(came(came(NO_WORK_YET, 1, 7_900), 2, 7_100), 3, 6_000);
    expect(forecast).toEqual({ passed: [], current: 6, second: 7, lastWorkAtMs: 7_900 });
  });

  it('bears a pause of any length', () => {
    const centuries = 1e13;
    expect(came(came(NO_WORK_YET, 5, 0), 30, centuries)).toMatchObject({
      passed: steady(0, 299),
      current: 30,
    });
    expect(expectedPerSecond(came(NO_WORK_YET, 5, 0), centuries)).toBe(0);
  });

  it('remembers five minutes and no more, and all of the last ten seconds, whenever work comes', () => {
    const times = fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 100 });
    fc.assert(
      fc.property(times, (all) => {
        const sorted = all.toSorted((one, other) => one - other);
        const forecast = sorted.reduce((before, atMs) => came(before, 1, atMs), NO_WORK_YET);
        const newest = Math.floor((sorted.at(-1) ?? 0) / 1_000);
        const within = (seconds: number) =>
          sorted.filter((each) => Math.floor(each / 1_000) > newest - seconds).length;
        const seconds = [...forecast.passed, forecast.current];
        const { length } = seconds;
        expect(length).toBeLessThanOrEqual(300);
        expect(seconds.reduce((sum, units) => sum + units, 0)).toBe(within(length));
        expect(within(Math.max(10, length))).toBe(within(length));
        expect(forecast.lastWorkAtMs).toBe(sorted.at(-1) ?? null);
      }),
    );
  });
});
