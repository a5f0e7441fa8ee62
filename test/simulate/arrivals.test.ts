import { describe, expect, it } from 'vitest';
import { type Arrivals, RandomArrivals, type Rate, secondBySecond } from '../../src/simulate/arrivals.js';
import { SHAPES } from '../../src/simulate/shapes.js';

function listed(arrivals: Arrivals) {
  const all: { atMs: number; units: number }[] = [];
  for (; arrivals.atMs < Number.POSITIVE_INFINITY; arrivals.next())
    all.push({ atMs: arrivals.atMs, units: arrivals.units });
  return all;
}

const HOUR_MS = 3_600_000;
const arrivalsOf = (rate: Rate, seed = 1, sizes = { least: 100, most: 100 }, untilMs = HOUR_MS) =>
  new RandomArrivals(secondBySecond(rate), sizes, untilMs, seed);

/** Whether a count of what comes by chance is within four standard deviations. */
const isAbout = (count: number, mean: number) => Math.abs(count - mean) < 4 * Math.sqrt(mean);

describe('requests that come by chance', () => {
  it('come at the rate of each second, in order, and not after the end', () => {
    const rate: Rate = (second) => (second < 1_800 ? 4 : second < 2_700 ? 0 : 20);
    const times = listed(arrivalsOf(rate)).map(({ atMs }) => atMs / 1_000);
    const countIn = (from: number, to: number) => times.filter((at) => at >= from && at < to).length;
    expect(countIn(0, 1_800)).toSatisfy((count: number) => isAbout(count, 7_200));
    expect(countIn(1_800, 2_700)).toBe(0);
    expect(countIn(2_700, 3_600)).toSatisfy((count: number) => isAbout(count, 18_000));
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times.at(-1)).toBeLessThan(HOUR_MS / 1_000);
  });

  it('come in the same way with the same seed, and in another with another', () => {
    const of = (seed: number) => listed(arrivalsOf(() => 1, seed, { least: 10, most: 1_000 }, 60_000));
    expect(of(7)).toEqual(of(7));
    expect(of(8)).not.toEqual(of(7));
  });

  it('are as much work as was said, each tenfold alike', () => {
    const units = listed(arrivalsOf(() => 3, 1, { least: 10, most: 1_000 })).map((each) => each.units);
    expect(Math.min(...units)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...units)).toBeLessThanOrEqual(1_000);
    expect(units.filter((each) => each < 100).length / units.length).toBeCloseTo(0.5, 1);
  });

  it('never come at a rate of none', () => {
    expect(listed(arrivalsOf(() => 0))).toEqual([]);
  });
});

describe('the shapes of a load', () => {
  const meanOf = (rate: Rate, seconds: number) => {
    let sum = 0;
    for (let second = 0; second < seconds; second++) sum += rate(second);
    return sum / seconds;
  };

  it('come to what was asked for on average', () => {
    expect(meanOf(SHAPES.constant.of(5), 100)).toBe(5);
    expect(meanOf(SHAPES.diurnal.of(5), 86_400)).toBeCloseTo(5, 6);
    expect(meanOf(SHAPES.bursty.of(5, 1), 4_000_000)).toBeCloseTo(5, 0);
  });

  it('have a night and a day, and bursts', () => {
    const day = SHAPES.diurnal.of(5);
    expect([day(0), day(43_200)].map((rate) => Math.round(rate))).toEqual([1, 9]);
    const bursty = SHAPES.bursty.of(13, 3);
    const rates = new Set(Array.from({ length: 20_000 }, (_, second) => Math.round(bursty(second))));
    expect([...rates].toSorted((one, other) => one - other)).toEqual([9, 45]);
  });
});
