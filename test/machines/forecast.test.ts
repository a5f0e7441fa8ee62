import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { came, expectedPerSecond, type Forecast, NO_WORK_YET } from '../../machines/forecast.js';

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

  it('follows a fall within a minute', () => {
    const forecast = worked(steady(60, 60));
    const falls = [59, 69, 89, 118, 119, 500].map((second) => expectedPerSecond(forecast, second * 1_000));
    expect(falls).toEqual([60, 50, 30, 1, 0, 0]);
  });

  it('counts what comes at once together, and what comes late as now', () => {
    const forecast = came(came(came(NO_WORK_YET, 1, 7_900), 2, 7_100), 3, 6_000);
    expect(forecast).toEqual({ seconds: [6], newest: 7, lastWorkAtMs: 7_900 });
  });

  it('bears a pause of any length', () => {
    const centuries = 1e13;
    expect(came(came(NO_WORK_YET, 5, 0), 30, centuries).seconds).toEqual([...steady(0, 59), 30]);
    expect(expectedPerSecond(came(NO_WORK_YET, 5, 0), centuries)).toBe(0);
  });

  it('remembers a minute and no more, whenever work comes', () => {
    const times = fc.array(fc.nat({ max: 500_000 }), { maxLength: 100 });
    fc.assert(
      fc.property(times, (all) => {
        const sorted = all.toSorted((one, other) => one - other);
        const forecast = sorted.reduce((before, atMs) => came(before, 1, atMs), NO_WORK_YET);
        const atMs = sorted.at(-1) ?? 0;
        const recent = sorted.filter((each) => Math.floor(each / 1_000) > Math.floor(atMs / 1_000) - 60);
        expect(forecast.seconds.length).toBeLessThanOrEqual(60);
        expect(forecast.seconds.reduce((sum, units) => sum + units, 0)).toBe(recent.length);
        expect(forecast.lastWorkAtMs).toBe(sorted.at(-1) ?? null);
      }),
    );
  });
});
