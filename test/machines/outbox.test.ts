import { describe, expect, it } from 'vitest';
import {
  acknowledgeBatch,
  add,
  type Completion,
  cutBatch,
  EMPTY_BATCH,
  type Outbox,
  openOutbox,
  refuseBatch,
  size,
} from '../../machines/outbox.js';
import { completion } from '../support/machines/completions.js';

const filled = (limit: number, ...completions: Completion[]) => add(openOutbox(limit), ...completions);
const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => completion(from + index));
const held = (outbox: Outbox) => cutBatch(outbox, Number.POSITIVE_INFINITY).completions;

describe('an outbox', () => {
  it('begins empty, and an empty one cuts an empty batch', () => {
    const outbox = openOutbox(10);
    expect([size(outbox), outbox.dropped, cutBatch(outbox, 5)]).toEqual([0, 0, EMPTY_BATCH]);
    expect(acknowledgeBatch(outbox, EMPTY_BATCH)).toBe(outbox);
  });

  it('holds what is put in, oldest first, and leaves the outbox that was as it was', () => {
    const [a, b] = [completion(1), completion(2, 'Rejected')];
    const one = filled(10, a);
    const two = add(one, b);
    expect([held(one), held(two), size(two)]).toEqual([[a], [a, b], 2]);
  });

  it('cuts the oldest, as many as it is asked for, and does not change', () => {
    const all = numbered(200);
    const outbox = filled(1_000, ...all);
    expect(cutBatch(outbox, 150)).toEqual({ first: 0, end: 150, completions: all.slice(0, 150) });
    expect(cutBatch(outbox, 500)).toEqual({ first: 0, end: 200, completions: all });
    expect(held(outbox)).toEqual(all);
  });

  it('loses by an acknowledgement what the batch held, and nothing that came since', () => {
    const all = numbered(130);
    const outbox = filled(1_000, ...all);
    const batch = cutBatch(outbox, 100);
    const later = add(outbox, completion(999));
    const after = acknowledgeBatch(later, batch);
    expect(held(after)).toEqual([...all.slice(100), completion(999)]);
    expect(held(later)).toEqual([...all, completion(999)]);
  });

  describe('of which one is refused alone', () => {
    const refuse = (outbox: Outbox) => refuseBatch(outbox, cutBatch(outbox, 1));
    const acknowledge = (outbox: Outbox) => acknowledgeBatch(outbox, cutBatch(outbox, 1));

    it('puts it behind all others, and drops it at the next refusal after others were taken', () => {
      const [a, b, c] = [completion(1), completion(2), completion(3)];
      const once = refuse(filled(10, a, b, c));
      expect([held(once), once.dropped]).toEqual([[b, c, a], 0]);
      const taken = acknowledge(acknowledge(once));
      expect(held(taken)).toEqual([a]);
      const twice = refuse(taken);
      expect([held(twice), twice.dropped]).toEqual([[], 1]);
    });

    it('keeps all of them while none is taken, a dozen refusals each', () => {
      let outbox = filled(10, ...numbered(3));
      for (let refusal = 0; refusal < 3 * 11; refusal++) outbox = refuse(outbox);
      expect([held(outbox), outbox.dropped]).toEqual([numbered(3), 0]);
      const after = refuse(outbox);
      expect([held(after), after.dropped]).toEqual([numbered(2, 1), 1]);
    });

    it('bears no grudge against one that was taken in the end, nor against its twin', () => {
      const [one, twin] = [completion(1), completion(1)];
      const taken = acknowledge(refuse(filled(10, one)));
      const again = refuse(add(taken, twin));
      expect([held(again), again.dropped]).toEqual([[twin], 0]);
      expect(again.suspects.size).toBe(1);
    });

    it('counts what had been dropped or told before no second time', () => {
      const outbox = filled(2, ...numbered(2));
      const batch = cutBatch(outbox, 1);
      const full = add(outbox, completion(2));
      expect(refuseBatch(full, batch)).toBe(full);
      const told = acknowledgeBatch(outbox, batch);
      expect(refuseBatch(told, batch)).toBe(told);
      expect(refuseBatch(outbox, EMPTY_BATCH)).toBe(outbox);
    });
  });

  it('keeps the twin of what was posted: one number twice is two requests', () => {
    const outbox = filled(10, completion(7));
    const batch = cutBatch(outbox, 10);
    const twin = completion(7, 'Error');
    const after = acknowledgeBatch(add(outbox, twin), batch);
    expect(held(after)).toEqual([twin]);
    expect(acknowledgeBatch(after, batch)).toBe(after);
  });

  it('is not changed by a second acknowledgement, nor by that of a batch that is part of another', () => {
    const outbox = filled(10, ...numbered(4));
    const [small, large] = [cutBatch(outbox, 2), cutBatch(outbox, 3)];
    const after = acknowledgeBatch(outbox, large);
    expect(acknowledgeBatch(after, large)).toBe(after);
    expect(acknowledgeBatch(after, small)).toBe(after);
    expect(held(acknowledgeBatch(acknowledgeBatch(outbox, small), large))).toEqual([completion(3)]);
  });

  it('drops the oldest when it is full, and counts them', () => {
    const outbox = filled(3, ...numbered(5));
    expect([held(outbox), size(outbox), outbox.dropped]).toEqual([numbered(3, 2), 3, 2]);
  });

  it('acknowledges a batch of which something was dropped meanwhile', () => {
    const outbox = filled(3, ...numbered(3));
    const batch = cutBatch(outbox, 2);
    const once = add(outbox, completion(3));
    const thrice = add(once, completion(4), completion(5));
    expect(held(acknowledgeBatch(once, batch))).toEqual(numbered(2, 2));
    expect(held(acknowledgeBatch(thrice, batch))).toEqual(numbered(3, 3));
    expect(acknowledgeBatch(thrice, batch)).toMatchObject({ dropped: 3 });
  });

  it('that may hold nothing drops everything', () => {
    const outbox = filled(0, ...numbered(70));
    expect([held(outbox), outbox.dropped]).toEqual([[], 70]);
  });

  it('copies one chunk, and not the whole of ten thousand, for each that is put in', () => {
    let outbox = filled(10_000, ...numbered(10_000));
    let [listsCopied, mostInLast] = [0, 0];
    for (let index = 0; index < 6_400; index++) {
      const after = add(outbox, completion(index));
      const chunks = new Set<unknown>(outbox.queue.full);
      const made = after.queue.full.filter((chunk) => !chunks.has(chunk)).length;
      expect(made).toBeLessThanOrEqual(1);
      if (after.queue.full !== outbox.queue.full) listsCopied += 1;
      mostInLast = Math.max(mostInLast, after.queue.last.length);
      outbox = after;
    }
    expect([size(outbox), outbox.dropped]).toEqual([10_000, 6_400]);
    // The list of chunks is copied when one begins or ends: twice for each 64.
    expect(listsCopied).toBeLessThanOrEqual(200);
    expect(mostInLast).toBeLessThan(64);
    expect(outbox.queue.full.length).toBeLessThanOrEqual(10_000 / 64 + 1);
  });
});
