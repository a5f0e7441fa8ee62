import { describe, expect, it } from 'vitest';
import { type Kept, Ring } from '../../src/inspect/ring.js';

function kept(seq: number, group = 'a', text = `"${seq}"`): Kept {
  return { seq, group, text, ofRequest: false };
}

const seqs = (ring: Ring, after = 0) => ring.after(after).map(({ seq }) => seq);

describe('the ring of happenings', () => {
  it('has what came last, in its order, whatever group it is of', () => {
    const ring = new Ring({ count: 10, bytes: 1000 });
    for (const seq of [1, 2, 3, 4]) ring.add(kept(seq, seq % 2 === 0 ? 'even' : 'odd'));
    expect(seqs(ring)).toEqual([1, 2, 3, 4]);
    expect(seqs(ring, 2)).toEqual([3, 4]);
    expect(seqs(ring, 4)).toEqual([]);
    expect(ring.after(3)).toEqual([kept(4, 'even')]);
  });

  it('drops the oldest of what there is most of: what is rare outlives thousands of what is not', () => {
    const ring = new Ring({ count: 5, bytes: 1000 });
    ring.add(kept(1, 'loaded'));
    for (let seq = 2; seq <= 1000; seq++) ring.add(kept(seq, 'reported'));
    ring.add(kept(1001, 'failed'));
    expect(seqs(ring)).toEqual([1, 998, 999, 1000, 1001]);
  });

  it('is bounded in bytes, not in characters', () => {
    const ring = new Ring({ count: 1000, bytes: 30 });
    for (let seq = 1; seq <= 5; seq++) ring.add(kept(seq, 'a', '"ääää"'));
    expect(ring.bytes).toBe(30);
    expect(seqs(ring)).toEqual([3, 4, 5]);
  });

  it('does not keep what is larger than all that it may hold', () => {
    const ring = new Ring({ count: 10, bytes: 10 });
    ring.add(kept(1, 'small', '1'));
    ring.add(kept(2, 'large', '"12345678901234567890"'));
    expect(seqs(ring)).toEqual([1]);
    expect([ring.count, ring.bytes]).toEqual([1, 1]);
  });
});
