import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LastMinute } from '../../src/metrics/last-minute.js';

it('counts what happened, and forgets it after a minute', () => {
  const minute = new LastMinute();
  minute.add(1_000);
  minute.add(1_999);
  minute.add(30_000);
  expect([30_000, 60_999, 61_000, 89_999, 90_000].map((nowMs) => minute.count(nowMs))).toEqual([
    3, 3, 1, 1, 0,
  ]);
});

it('forgets everything after a long rest', () => {
  const minute = new LastMinute();
  minute.add(5_000);
  expect(minute.count(10_000_000_000)).toBe(0);
  minute.add(10_000_000_500);
  expect(minute.count(10_000_000_900)).toBe(1);
});

it('is the number of those within the last sixty seconds, whenever they came', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40_000), { maxLength: 60 }), fc.nat(70_000), (gapsMs, restMs) => {
      const minute = new LastMinute();
      let atMs = 0;
      const timesMs = gapsMs.map((gapMs) => (atMs += gapMs));
      for (const timeMs of timesMs) minute.add(timeMs);
      const now = Math.floor((atMs + restMs) / 1000);
      const expected = timesMs.filter((timeMs) => now - Math.floor(timeMs / 1000) < 60).length;
      expect(minute.count(atMs + restMs)).toBe(expected);
    }),
  );
});
