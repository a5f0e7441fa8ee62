import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitingLine } from '../../src/simulate/waiting-line.js';

describe('the line of those who wait', () => {
  it('is first in, first out, and knows how much waits, however long it grows', () => {
    const runs = fc.array(fc.record({ add: fc.nat(900), drop: fc.nat(900) }), { maxLength: 12 });
    fc.assert(
      fc.property(runs, (changes) => {
        const line = new WaitingLine();
        const model: { atMs: number; units: number }[] = [];
        let atMs = 0;
        for (const { add, drop } of changes) {
          for (let nth = 0; nth < add; nth++) {
            atMs += 1;
            line.add(atMs, atMs % 7);
            model.push({ atMs, units: atMs % 7 });
          }
          for (let nth = 0; nth < drop; nth++) {
            line.dropFirst();
            model.shift();
          }
          const [first] = model;
          expect([line.size, line.units, line.firstAtMs]).toEqual([
            model.length,
            model.reduce((sum, { units }) => sum + units, 0),
            first?.atMs ?? Number.POSITIVE_INFINITY,
          ]);
          if (first !== undefined) expect(line.firstUnits).toBe(first.units);
          const waited = model.reduce((sum, each) => sum + each.units * (atMs + 5 - each.atMs), 0);
          expect(line.waitedMs(atMs + 5)).toBeCloseTo(line.units === 0 ? 0 : waited / line.units, 6);
        }
      }),
      { numRuns: 50 },
    );
  });
});
