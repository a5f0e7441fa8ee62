import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fullJitterMs, nextRandom } from '../../machines/back-off.js';

function randoms(seed: number, count: number): number[] {
  const drawn: number[] = [];
  for (let state = seed; drawn.length < count; ) {
    const { random, seed: next } = nextRandom(state);
    drawn.push(random);
    state = next;
  }
  return drawn;
}

describe('fullJitterMs', () => {
  const backOff = { baseMs: 500, capMs: 4_000 };

  it.each([
    [1, 0, 0],
    [1, 0.5, 250],
    [1, 0.9999, 499],
    [2, 0.5, 500],
    [3, 0.5, 1_000],
    [4, 0.5, 2_000],
    [5, 0.5, 2_000],
    [5_000, 0.9999, 3_999],
  ])('after failure %i with the random number %d it is %i ms', (failures, random, expected) => {
    expect(fullJitterMs(backOff, failures, random)).toBe(expected);
  });

  it('is a whole number of milliseconds from 0 up to the ceiling, and never above the cap', () => {
    fc.assert(
      fc.property(
        fc.record({
          baseMs: fc.integer({ min: 1, max: 60_000 }),
          capMs: fc.integer({ min: 1, max: 600_000 }),
        }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        ({ baseMs, capMs }, failures, random) => {
          const ms = fullJitterMs({ baseMs, capMs }, failures, random);
          expect(Number.isSafeInteger(ms)).toBe(true);
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThan(Math.min(capMs, baseMs * 2 ** (failures - 1)));
        },
      ),
    );
  });
});

describe('nextRandom', () => {
  it('draws the same numbers from the same seed', () => {
    expect(randoms(42, 3)).toEqual([0.6011037519201636, 0.44829055899754167, 0.8524657934904099]);
    expect(randoms(42, 1_000)).toEqual(randoms(42, 1_000));
    expect(randoms(42, 10)).not.toEqual(randoms(43, 10));
  });

  it('draws from 0 (included) to 1 (excluded) with every seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { random, seed: next } = nextRandom(seed);
        expect(random).toBeGreaterThanOrEqual(0);
        expect(random).toBeLessThan(1);
        expect(next).toBe(next | 0);
      }),
    );
  });

  it.each([0, 1, 42, -1, 2 ** 31 - 1])('spreads its numbers evenly from seed %i', (seed) => {
    const count = 20_000;
    const buckets = Array<number>(10).fill(0);
    for (const random of randoms(seed, count)) {
      const bucket = Math.floor(random * 10);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const size of buckets) expect(Math.abs(size - count / 10)).toBeLessThan(200);
  });

  it('spreads the first number over neighbouring seeds as well', () => {
    const first = Array.from({ length: 2_000 }, (_, seed) => nextRandom(seed).random);
    const mean = first.reduce((sum, random) => sum + random, 0) / first.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
    expect(new Set(first).size).toBe(first.length);
  });
});
