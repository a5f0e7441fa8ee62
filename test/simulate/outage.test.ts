import { describe, expect, it } from 'vitest';
import { outage } from '../../bench/reports/outage.js';

const FEW = { workers: 60, outageMs: 40_000, perSecond: 60, seed: 1 } as const;

describe('reports through an outage', () => {
  it('come back spread with jitter and in one moment without, where all were cut at once', () => {
    const of = (hasJitter: boolean) => outage({ ...FEW, fleet: 'idle', away: 'hangs', hasJitter });
    const [spread, inStep] = [of(true), of(false)];
    expect(inStep.peaksAfter.tenth).toBeGreaterThanOrEqual(2 * spread.peaksAfter.tenth);
    for (const { allMs, before } of [spread, inStep]) {
      expect(allMs).toBeLessThan(16_000);
      expect(before).toBe(FEW.workers / 10);
    }
    expect(of(true)).toEqual(spread);
  });
});
