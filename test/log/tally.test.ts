import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Tally } from '../../src/tally.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function makeTally(periodMs = 1_000) {
  const firsts: string[] = [];
  const summaries: Readonly<Record<string, number>>[] = [];
  const tally = new Tally<string>({
    periodMs,
    first: (detail) => firsts.push(detail),
    summary: (counts) => summaries.push(counts),
  });
  return { tally, firsts, summaries };
}

it('tells the first of each kind at once, and counts the others at the end of the period', () => {
  const { tally, firsts, summaries } = makeTally();
  for (const kind of ['a', 'b', 'a', 'a', 'c', 'b']) tally.note(kind, `first ${kind}`);
  expect(firsts).toEqual(['first a', 'first b', 'first c']);
  vi.advanceTimersByTime(999);
  expect(summaries).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(summaries).toEqual([{ a: 2, b: 1 }]);
  tally.note('a', 'first a again');
  vi.advanceTimersByTime(10_000);
  expect(firsts.slice(3)).toEqual(['first a again']);
  expect(summaries).toEqual([{ a: 2, b: 1 }]);
  expect(vi.getTimerCount()).toBe(0);
});

it('a kind may have any name', () => {
  const { tally, firsts, summaries } = makeTally();
  for (const kind of ['constructor', '__proto__', 'constructor', '__proto__']) tally.note(kind, kind);
  tally.flush();
  expect(firsts).toEqual(['constructor', '__proto__']);
  expect(summaries.map((counts) => Object.entries(counts))).toEqual([
    [
      ['constructor', 1],
      ['__proto__', 1],
    ],
  ]);
});

it('loses nothing and floods nothing, whatever comes when', () => {
  const step = fc.oneof(
    fc.constantFrom('a', 'b', 'c'),
    fc.integer({ min: 1, max: 3_000 }),
    fc.constant('flush' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { tally, firsts, summaries } = makeTally();
      const noted: Record<string, number> = {};
      let periods = 1;
      for (const each of steps) {
        if (typeof each === 'number') {
          vi.advanceTimersByTime(each);
          periods += each / 1_000;
        } else if (each === 'flush') {
          tally.flush();
          periods++;
        } else {
          tally.note(each, each);
          noted[each] = (noted[each] ?? 0) + 1;
        }
      }
      tally.flush();
      const told: Record<string, number> = {};
      for (const kind of firsts) told[kind] = (told[kind] ?? 0) + 1;
      for (const counts of summaries) {
        for (const [kind, count] of Object.entries(counts)) told[kind] = (told[kind] ?? 0) + count;
      }
      expect(told).toEqual(noted);
      expect(firsts.length).toBeLessThanOrEqual(3 * periods);
      expect(summaries.length).toBeLessThanOrEqual(periods);
    }),
  );
});
