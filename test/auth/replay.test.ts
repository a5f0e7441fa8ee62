import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Recent } from '../../src/auth/recent.js';
import { RepeatGuard, ReplayWindow } from '../../src/auth/replay.js';

describe('the window of legacy', () => {
  it('takes a text once', () => {
    const window = new ReplayWindow();
    expect(window.accept(7, 'a')).toBe(true);
    expect(window.accept(7, 'a')).toBe(false);
    expect(window.accept(7, 'b')).toBe(true);
  });

  it('takes a number that is up to 100 below the highest', () => {
    const window = new ReplayWindow();
    expect(window.accept(500, 'a')).toBe(true);
    expect(window.accept(400, 'b')).toBe(true);
    expect(window.accept(399, 'c')).toBe(false);
    expect(window.accept(501, 'd')).toBe(true);
    expect(window.accept(400, 'e')).toBe(false);
  });

  it('knows the last 100 texts that it took', () => {
    const window = new ReplayWindow();
    for (let n = 0; n < 100; n++) window.accept(0, `text ${n}`);
    for (let n = 0; n < 100; n++) expect(window.accept(0, `text ${n}`)).toBe(false);
    expect(window.accept(0, 'text 100')).toBe(true);
    expect(window.accept(0, 'text 1')).toBe(false);
    expect(window.accept(0, 'text 0')).toBe(true);
  });

  it('is not moved by what it refuses', () => {
    const window = new ReplayWindow();
    expect(window.accept(5, 'a')).toBe(true);
    expect(window.accept(1_000, 'a')).toBe(false);
    expect(window.accept(5, 'b')).toBe(true);
    expect(window.accept(-96, 'c')).toBe(false);
    expect(window.accept(5, 'c')).toBe(true);
  });

  it('takes no text twice where each has a number of its own, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -200, max: 200 }), { maxLength: 400 }), (numbers) => {
        const window = new ReplayWindow();
        const accepted = numbers.filter((reqnum) => window.accept(reqnum, `signed ${reqnum}`));
        expect(new Set(accepted).size).toBe(accepted.length);
      }),
    );
  });
});

describe('the guard of current', () => {
  it('takes a pair once', () => {
    const guard = new RepeatGuard();
    expect(guard.accept(1, 2)).toBe(true);
    expect(guard.accept(1, 2)).toBe(false);
    expect(guard.accept(2, 1)).toBe(true);
    expect(guard.accept(12, 0)).toBe(true);
    expect(guard.accept(1, 20)).toBe(true);
    expect(guard.accept(-1, 2)).toBe(true);
  });

  it('knows the last 10 000 pairs that it took', () => {
    const guard = new RepeatGuard();
    for (let n = 0; n < 10_000; n++) guard.accept(n, 0);
    expect(guard.accept(0, 0)).toBe(false);
    expect(guard.accept(10_000, 0)).toBe(true);
    expect(guard.accept(1, 0)).toBe(false);
    expect(guard.accept(0, 0)).toBe(true);
  });
});

describe('the memory of recent texts', () => {
  it('has the last so many different ones, whatever comes in which order', () => {
    const adds = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', ''), fc.constant(null)));
    fc.assert(
      fc.property(fc.nat(5), adds, (limit, all) => {
        const recent = new Recent(limit);
        let expected: string[] = [];
        for (const text of all) {
          if (text === null) {
            recent.clear();
            expected = [];
          } else {
            recent.add(text);
            if (!expected.includes(text)) expected = limit === 0 ? [] : [...expected, text].slice(-limit);
          }
          expect(['a', 'b', 'c', 'd', 'e', 'f', ''].filter((each) => recent.has(each))).toEqual(
            ['a', 'b', 'c', 'd', 'e', 'f', ''].filter((each) => expected.includes(each)),
          );
          expect(recent.size).toBe(expected.length);
        }
      }),
    );
  });
});
