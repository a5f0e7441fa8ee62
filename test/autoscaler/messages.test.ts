import { describe, expect, it } from 'vitest';
import { type MessageRecord, MessageRing } from '../../src/autoscaler/messages.js';

const record = (sequence: number, body: unknown = {}): MessageRecord => ({
  sequence,
  receivedAt: '2026-01-01T00:00:00.000Z',
  workerId: 1,
  dialect: 'legacy',
  kind: 'update',
  acknowledged: false,
  body,
});

const sequences = (records: readonly MessageRecord[]) => records.map(({ sequence }) => sequence);

describe('the last messages', () => {
  it('are told newest last, as many as asked for', () => {
    const ring = new MessageRing();
    for (const sequence of [1, 2, 3]) ring.append(record(sequence));
    expect(sequences(ring.latest())).toEqual([1, 2, 3]);
    expect(sequences(ring.latest(2))).toEqual([2, 3]);
    expect(sequences(ring.latest(9))).toEqual([1, 2, 3]);
  });

  it('are bounded in number', () => {
    const ring = new MessageRing({ maxCount: 2 });
    for (const sequence of [1, 2, 3, 4]) ring.append(record(sequence));
    expect(sequences(ring.latest())).toEqual([3, 4]);
    expect(ring.dropped).toBe(2);
  });

  it('are bounded in bytes, and one that is over the bound alone is not kept', () => {
    const ring = new MessageRing({ maxBytes: 25 });
    ring.append(record(1, '12345678'));
    ring.append(record(2, '12345678'));
    ring.append(record(3, '12345678'));
    expect(sequences(ring.latest())).toEqual([2, 3]);
    ring.append(record(4, 'x'.repeat(30)));
    expect(ring.latest()).toEqual([]);
    ring.append(record(5, '12345678'));
    expect(sequences(ring.latest())).toEqual([5]);
    expect(ring.dropped).toBe(4);
  });

  it('are acknowledged later, without changing a record that was handed out', () => {
    const ring = new MessageRing();
    ring.append(record(1));
    const before = ring.latest();
    ring.acknowledge(1);
    ring.acknowledge(99);
    expect(before).toEqual([record(1)]);
    expect(ring.latest()).toEqual([{ ...record(1), acknowledged: true }]);
  });
});
