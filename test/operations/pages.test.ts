import { expect, it } from 'vitest';
import { loadOf, readinessOf } from '../../src/operations/pages.js';

const UNIX_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

it('a worker that does not accept says in which state it is, since when, and why', () => {
  expect(
    readinessOf({ state: 'loading', inStateMs: 61_500, reason: "it waits for the model's log" }, UNIX_MS),
  ).toEqual({
    ready: false,
    state: 'loading',
    since: '2026-01-02T03:03:03.500Z',
    forSeconds: 61.5,
    reason: "it waits for the model's log",
  });
});

it('utilisation is the seconds of work that are there, and 0 while the speed is not known', () => {
  const facts = { inFlight: 3, rejectedLastMinute: 2 };
  const view = { state: 'serving', maxPerf: 20, requestsQueued: 1, pendingWorkload: 50 } as const;
  expect(loadOf(view, facts)).toEqual({
    state: 'serving',
    ready: true,
    inFlight: 3,
    queued: 1,
    pendingWorkload: 50,
    maxPerf: 20,
    utilisation: 2.5,
    rejectedLastMinute: 2,
  });
  expect(loadOf({ ...view, maxPerf: 0, state: 'loading' }, facts)).toMatchObject({
    utilisation: 0,
    ready: false,
  });
});
