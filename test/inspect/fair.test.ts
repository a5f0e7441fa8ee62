import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Happening } from '../../src/inspect/contract.js';
import { fairly, groupOf } from '../../src/inspect/fair.js';
import { Ring } from '../../src/inspect/ring.js';

function happening(seq: number, event: string): Happening {
  return { seq, atMs: 0, actor: 'lifecycle', machine: 'lifecycle', nth: seq, kind: 'transition', event };
}

const seqs = (happenings: readonly { readonly seq: number }[]) => happenings.map(({ seq }) => seq);

describe('what is kept of too much', () => {
  it('is all of what is rare, and the last of what is not', () => {
    const rare = [happening(1, 'loaded'), happening(2, 'delivered'), happening(3, 'failed')];
    const often = Array.from({ length: 1_000 }, (_, index) => happening(4 + index, 'settled'));
    const all = [...rare, ...often, happening(1_004, 'delivered')];
    expect(seqs(fairly(all, 10))).toEqual([1, 2, 3, 998, 999, 1000, 1001, 1002, 1003, 1004]);
    expect(fairly(all, all.length)).toBe(all);
  });

  it('is as many as may be: what a small group does not need, the large ones share', () => {
    const all = Array.from({ length: 90 }, (_, index) =>
      happening(index + 1, ['a', 'b', 'c'][index % 3] ?? ''),
    );
    expect(seqs(fairly([happening(0, 'd'), ...all], 9))).toEqual([0, 83, 84, 85, 86, 87, 88, 89, 90]);
  });

  it('is what a ring keeps of it, however it comes: of each group the newest, and as many but for one', () => {
    const most = 12;
    const batches = fc.array(fc.array(fc.constantFrom('a', 'a', 'a', 'b', 'b', 'c', 'd'), { maxLength: 20 }));
    fc.assert(
      fc.property(batches, (given) => {
        const ring = new Ring({ count: most, bytes: Number.POSITIVE_INFINITY });
        const all: Happening[] = [];
        let kept: readonly Happening[] = [];
        for (const events of given) {
          const news = events.map((event, index) => happening(all.length + index + 1, event));
          all.push(...news);
          kept = fairly([...kept, ...news], most);
          for (const each of news)
            ring.add({ seq: each.seq, ofRequest: false, group: groupOf(each), text: '' });
        }
        const inRing = new Set(seqs(ring.after(0)));
        expect(kept).toHaveLength(inRing.size);
        for (const event of ['a', 'b', 'c', 'd']) {
          const group = all.filter((each) => each.event === event);
          const mine = kept.filter((each) => each.event === event);
          const its = group.filter(({ seq }) => inRing.has(seq));
          expect(seqs(mine)).toEqual(seqs(group.slice(group.length - mine.length)));
          expect(Math.abs(mine.length - its.length)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
