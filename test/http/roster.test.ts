import { describe, expect, it } from 'vitest';
import type { RequestFacts } from '../../machines/events.js';
import { Roster } from '../../src/http/roster.js';

function facts(id: number, workload: number, more: Partial<RequestFacts> = {}): RequestFacts {
  return { id, workload, kind: 'request', route: '/run', requestIdx: null, atMs: 0, ...more };
}

describe('who is in the worker', () => {
  it('is nobody at first', () => {
    const roster = new Roster();
    expect(roster.presence()).toEqual({ load: 0, requests: 0, requestIdxs: [] });
    expect(roster.expectedWaitMs(10)).toBe(0);
  });

  it('is summed, and told by the names that the autoscaler gave', () => {
    const roster = new Roster();
    roster.add(facts(1, 10, { requestIdx: 7 }));
    roster.add(facts(2, 5));
    roster.add(facts(3, 1, { requestIdx: 7 }));
    roster.add(facts(4, 100, { requestIdx: 0, kind: 'session' }));
    expect(roster.presence()).toEqual({ load: 116, requests: 4, requestIdxs: [7, 7, 0] });
    roster.remove(1);
    expect(roster.presence()).toEqual({ load: 106, requests: 3, requestIdxs: [7, 0] });
  });

  it('counts what is sent in a session, and does not name it', () => {
    const roster = new Roster();
    roster.add(facts(1, 40, { requestIdx: 5, kind: 'session' }));
    roster.add(facts(2, 7, { requestIdx: 6, kind: 'in-session' }));
    expect(roster.presence()).toEqual({ load: 47, requests: 2, requestIdxs: [5] });
  });

  it('leaves once, and who was never here changes nothing', () => {
    const roster = new Roster();
    roster.add(facts(1, 10));
    roster.add(facts(2, 5));
    roster.remove(1);
    roster.remove(1);
    roster.remove(99);
    expect(roster.presence()).toEqual({ load: 5, requests: 1, requestIdxs: [] });
  });

  it('is nothing when all have left, though sums of fractions drift', () => {
    const roster = new Roster();
    for (const [id, workload] of [0.1, 0.2, 0.3].entries()) roster.add(facts(id, workload));
    for (const id of [0, 1, 2]) roster.remove(id);
    expect(roster.presence()).toEqual({ load: 0, requests: 0, requestIdxs: [] });
    expect(roster.expectedWaitMs(1)).toBe(0);
  });

  it('is never less than nothing', () => {
    const roster = new Roster();
    expect(0.7 + 0.1 - 0.7 - 0.1).toBeLessThan(0);
    roster.add(facts(1, 0.7));
    roster.add(facts(2, 0.1));
    roster.add(facts(3, 0));
    roster.remove(1);
    roster.remove(2);
    expect(roster.presence()).toMatchObject({ load: 0, requests: 1 });
    expect(roster.expectedWaitMs(1)).toBe(0);
  });
});

describe('how long a new request may have to wait', () => {
  it('is the work of the requests by how much can be done', () => {
    const roster = new Roster();
    roster.add(facts(1, 10));
    roster.add(facts(2, 20));
    expect(roster.expectedWaitMs(10)).toBe(3_000);
    roster.remove(1);
    expect(roster.expectedWaitMs(10)).toBe(2_000);
  });

  it('is not for sessions, nor for what is sent in them', () => {
    const roster = new Roster();
    roster.add(facts(1, 10, { kind: 'session' }));
    roster.add(facts(2, 10, { kind: 'in-session' }));
    expect(roster.expectedWaitMs(10)).toBe(0);
    roster.remove(1);
    roster.remove(2);
    expect(roster.expectedWaitMs(10)).toBe(0);
  });

  it('is none for what is made, however often that is said, though its client still takes it', () => {
    const roster = new Roster();
    roster.add(facts(1, 10));
    roster.add(facts(2, 5));
    roster.add(facts(3, 100, { kind: 'in-session' }));
    for (const id of [1, 1, 3, 99]) roster.made(id);
    expect(roster.expectedWaitMs(10)).toBe(500);
    expect(roster.presence()).toMatchObject({ load: 115, requests: 3 });
    roster.remove(1);
    expect(roster.expectedWaitMs(10)).toBe(500);
    expect(roster.presence()).toMatchObject({ load: 105, requests: 2 });
    roster.add(facts(1, 20));
    expect(roster.expectedWaitMs(10)).toBe(2_500);
  });

  it('is finite where nothing can be done', () => {
    const roster = new Roster();
    roster.add(facts(1, 1));
    expect(roster.expectedWaitMs(0)).toBeCloseTo(1e8);
  });
});
