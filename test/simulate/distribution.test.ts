import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Distribution } from '../../src/simulate/distribution.js';

const times = fc.array(
  fc.oneof(fc.constant(0), fc.double({ min: 0.2, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 50 })),
  { minLength: 1, maxLength: 200 },
);

describe('a distribution', () => {
  it('tells each share to within one percent, and the most as it was', () => {
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const distribution = new Distribution();
        for (const ms of all) distribution.add(ms);
        const sorted = all.toSorted((one, other) => one - other);
        const exact = sorted[Math.max(1, Math.ceil(all.length * share)) - 1] ?? 0;
        expect(Math.abs(distribution.at(share) - exact)).toBeLessThanOrEqual(exact * 0.01);
        expect([distribution.max, distribution.count]).toEqual([sorted.at(-1), all.length]);
        expect(distribution.mean).toBeCloseTo(all.reduce((sum, ms) => sum + ms, 0) / all.length, 3);
      }),
    );
  });

  it('has nothing to tell of nothing, and again when it is cleared', () => {
    const distribution = new Distribution();
    const told = () => [distribution.count, distribution.mean, distribution.max, distribution.at(0.5)];
    expect(told()).toEqual([0, 0, 0, 0]);
    for (const ms of [0, 5, 1e12]) distribution.add(ms);
    distribution.clear();
    expect(told()).toEqual([0, 0, 0, 0]);
    distribution.add(7);
    expect(told().map((figure) => Number(figure.toPrecision(2)))).toEqual([1, 7, 7, 7]);
  });
});
