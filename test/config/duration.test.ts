import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LONGEST_MS, parseDuration } from '../../src/duration.js';

it.each<[text: string, ms: number | undefined]>([
  ['500ms', 500],
  ['10s', 10_000],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['1.5s', 1_500],
  ['0.5ms', 1],
  ['0.4ms', undefined],
  ['0s', undefined],
  ['2147483647ms', LONGEST_MS],
  ['2147483648ms', undefined],
  ['597h', undefined],
  ['', undefined],
  ['10', undefined],
  ['s', undefined],
  ['-1s', undefined],
  ['+1s', undefined],
  ['1 s', undefined],
  [' 1s', undefined],
  ['1S', undefined],
  ['1d', undefined],
  ['1e3s', undefined],
  ['.5s', undefined],
  ['1.s', undefined],
  ['1s2m', undefined],
  ['Infinity', undefined],
])('%j', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it('is always something that a timer can wait for', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, noNaN: true }), fc.constantFrom('ms', 's', 'm', 'h'), (amount, unit) => {
      const ms = parseDuration(`${amount}${unit}`);
      expect(ms === undefined || (Number.isInteger(ms) && ms >= 1 && ms <= LONGEST_MS)).toBe(true);
    }),
  );
});
