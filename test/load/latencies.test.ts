import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Latencies } from '../../src/load/latencies.js';

function of(...all: number[]): Latencies {
  const latencies = new Latencies();
  for (const ms of all) latencies.add(ms);
  return latencies;
}

describe('latencies', () => {
  it('that there are none of tell nothing', () => {
    const latencies = of();
    expect([latencies.figures(), latencies.percentile(50), latencies.mean, latencies.max]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  it('have least, most and mean exactly, and percentiles to three digits', () => {
    const latencies = of(...Array.from({ length: 1_000 }, (_, index) => index + 1));
    const figures = latencies.figures();
    expect(figures).toMatchObject({ count: 1_000, mean: 500.5, min: 1, max: 1_000 });
    for (const [percent, exact] of [
      [figures?.p50, 500],
      [figures?.p90, 900],
      [figures?.p95, 950],
      [figures?.p99, 990],
      [figures?.p999, 999],
    ] as const) {
      expect(Math.abs((percent ?? 0) / exact - 1)).toBeLessThan(0.002);
    }
  });

  it('of few are not better than they were: one of sixty is more than one percent', () => {
    const all = Array.from({ length: 59 }, () => 10);
    const { p50, p95, p99 } = of(...all, 30_000).figures() ?? {};
    expect([p50, p95, p99]).toEqual([10.007, 10.007, 30_000]);
  });

  it('lie, at any percentile, within a thousandth of those that stand there in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 3_600_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (all, percent) => {
          const sorted = all.toSorted((a, b) => a - b);
          const rank = Math.max(1, Math.ceil((percent / 100) * all.length - 1e-6));
          const exact = sorted[rank - 1] ?? Number.NaN;
          const told = of(...all).percentile(percent) ?? Number.NaN;
          expect(told).toBeGreaterThanOrEqual(exact * 0.998 - 0.001);
          expect(told).toBeLessThanOrEqual(exact * 1.002 + 0.001);
        },
      ),
    );
  });

  it('are forgotten when they are cleared', () => {
    const latencies = of(5, 7);
    latencies.clear();
    expect(latencies.figures()).toBe(null);
    latencies.add(3);
    expect(latencies.figures()).toEqual({
      count: 1,
      mean: 3,
      min: 3,
      p50: 3,
      p90: 3,
      p95: 3,
      p99: 3,
      p999: 3,
      max: 3,
    });
  });
});
