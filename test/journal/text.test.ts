import { describe, expect, it } from 'vitest';
import { lineOf, recordsIn } from '../../src/journal/records.js';
import { changeBetween, NOTHING, type Snapshot } from '../../src/journal/snapshot.js';
import { changeText, contentsOf, journalOf } from '../../src/journal/text.js';
import { ended, started } from '../../src/testing/request-events.js';
import { Life } from '../support/journal/snapshots.js';

const life = new Life();
const first = life
  .hear(started({ id: 1, workload: 3, requestIdx: 11, atMs: 1_000 }))
  .hear(started({ id: 2, kind: 'session', workload: 5, requestIdx: null, atMs: 2_000 }))
  .snapshot(3_000);
const second = life
  .hear(ended('succeeded', { id: 1, workload: 3, requestIdx: 11, atMs: 4_000, enteredAtMs: 1_000 }))
  .snapshot(5_000);

function step(before: Snapshot, after: Snapshot): string {
  const change = changeBetween(before, after);
  if (change === null) throw new Error('nothing has changed');
  return changeText(change);
}

const base = journalOf(first);
const whole = base + step(first, second);

describe('a journal', () => {
  it('holds the last state that was written into it', () => {
    expect(contentsOf(base)).toEqual({ snapshot: first, problem: null });
    expect(contentsOf(whole)).toEqual({ snapshot: second, problem: null });
    expect(second.waiting.completions).toEqual([
      {
        requestIdx: 11,
        status: 'Success',
        enteredQueueAt: 1_700_000_001,
        workStartedAt: 1_700_000_001,
        workCompletedAt: 1_700_000_004,
      },
    ]);
    expect([...second.present.values()]).toEqual([
      { id: 2, kind: 'session', workload: 5, requestIdx: null, enteredAt: 1_700_000_002 },
    ]);
  });

  it('is not written where nothing but time has gone by', () => {
    expect(changeBetween(second, life.snapshot(9_000))).toBeNull();
    expect(contentsOf(journalOf(NOTHING))).toEqual({ snapshot: null, problem: null });
  });

  it('whose last line a crash has cut anywhere holds what stands before it, and nothing is wrong', () => {
    for (let length = base.length; length < whole.length - 1; length++) {
      expect(contentsOf(whole.slice(0, length))).toEqual({ snapshot: first, problem: null });
    }
    expect(contentsOf(`${whole}\0\0\0`)).toEqual({ snapshot: second, problem: null });
    expect(contentsOf(`${base}0000\n`)).toEqual({ snapshot: first, problem: null });
  });

  it.each<[string, string, Snapshot | null, RegExp]>([
    ['nothing', '', null, /^its first line can not be read$/],
    ['zeros', '\0'.repeat(4_096), null, /^its first line can not be read$/],
    ['another file', '{"version": 1}\n', null, /^its first line can not be read$/],
    ['another version', lineOf({ journal: 'tsworker', version: 2 }), null, /not a journal of this version/],
    ['a base that is not whole', base.slice(0, -9), null, /a line of it is not as it was written/],
    ['a byte that is another', base.replace('11', '12') + step(first, second), null, /not as it was written/],
    [
      'a hole',
      `${base}${'\0'.repeat(80)}\n${step(first, second)}`,
      first,
      /a line of it is not as it was written/,
    ],
  ])('of %s is damaged, and what stands before the damage is used', (_, text, snapshot, problem) => {
    expect(contentsOf(text)).toEqual({ snapshot, problem: expect.stringMatching(problem) });
  });

  const [header, change] = recordsIn(base).records as [object, typeof first & { began: object[] }];
  const { accounts } = first;

  it.each<[string, object, RegExp]>([
    [
      'a sum that is none',
      { accounts: { ...accounts, totals: { ...accounts.totals, received: '3' } } },
      /received/,
    ],
    [
      'less than nothing',
      { accounts: { ...accounts, totals: { ...accounts.totals, served: -1 } } },
      /served/,
    ],
    [
      'more reported than there was',
      { accounts: { ...accounts, reported: { ...accounts.totals, received: 9 } } },
      /more was reported than there was/,
    ],
    ['no accounts', { accounts: undefined }, /accounts/],
    ['an account of its own', { accounts: { ...accounts, totals: { ...accounts.totals, x: 1 } } }, /totals/],
    ['a kind that is none', { began: [{ ...change.began[0], kind: 'x' }] }, /began\.0\.kind/],
    [
      'a workload that is null, as NaN is written',
      { began: [{ ...change.began[0], workload: null }] },
      /workload/,
    ],
    [
      'a name that is no whole number',
      { finished: { first: 0, completions: [{ requestIdx: 0.5 }] } },
      /requestIdx/,
    ],
    ['another field', { more: 1 }, /a line is not what it should be/],
  ])('with a good check sum and %s is damaged all the same', (_, wrong, problem) => {
    const text = lineOf(header) + lineOf({ ...change, ...wrong });
    expect(contentsOf(text)).toEqual({ snapshot: null, problem: expect.stringMatching(problem) });
  });
});
