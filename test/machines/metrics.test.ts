import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { cut, openLedger, type Totals } from '../../machines/ledger.js';
import { type Metrics, type MetricsEvent, metrics, reduce } from '../../machines/metrics.js';

const EMPTY: Metrics = { ledger: openLedger(0), working: 0 };
const busy = reduce(EMPTY, { type: 'request.started', id: 1, workload: 3, atMs: 1 });

function withTotals(state: Metrics, some: Partial<Totals>, working: number): Metrics {
  return { working, ledger: { ...state.ledger, totals: { ...state.ledger.totals, ...some } } };
}

describe('metrics', () => {
  it.each<[string, Metrics, MetricsEvent, Metrics]>([
    [
      'a request that starts is received and in the worker',
      EMPTY,
      { type: 'request.started', id: 1, workload: 3, atMs: 1 },
      withTotals(EMPTY, { requests: 1, received: 3 }, 1),
    ],
    [
      'a request without work counts as well',
      EMPTY,
      { type: 'request.started', id: 1, workload: 0, atMs: 1 },
      withTotals(EMPTY, { requests: 1 }, 1),
    ],
    [
      'one that succeeds is served',
      busy,
      { type: 'request.succeeded', id: 1, workload: 3, atMs: 2 },
      withTotals(busy, { served: 3 }, 0),
    ],
    [
      'one that errs is errored',
      busy,
      { type: 'request.errored', id: 1, workload: 3, atMs: 2 },
      withTotals(busy, { errored: 3 }, 0),
    ],
    [
      'one whose client went is cancelled',
      busy,
      { type: 'request.cancelled', id: 1, workload: 3, atMs: 2 },
      withTotals(busy, { cancelled: 3 }, 0),
    ],
  ])('%s', (_, before, event, after) => {
    expect(reduce(before, event)).toEqual(after);
  });

  it('takes the level of the disk', () => {
    const { ledger, working } = reduce(busy, { type: 'disk.measured', usedGib: 12.5 });
    expect([ledger.totals.diskGib, ledger.reported.diskGib, working]).toEqual([12.5, 12.5, 1]);
  });

  it('moves the ledger by an acknowledgement', () => {
    const window = cut(busy.ledger, ['requests', 'received'], 9);
    const { ledger, working } = reduce(busy, { type: 'report.acknowledged', window });
    expect(ledger.reported).toMatchObject({ requests: 1, received: 3 });
    expect([ledger.acknowledgements, working]).toEqual([1, 1]);
  });

  it('begins when it is told to, hears events as an actor, and is not changed by others', () => {
    const actor = createActor(metrics, { input: { startedAtMs: 42 } }).start();
    actor.send({ type: 'request.started', id: 1, workload: 3, atMs: 50 });
    const before = actor.getSnapshot().context;
    expect(before).toEqual(
      withTotals({ ledger: openLedger(42), working: 0 }, { requests: 1, received: 3 }, 1),
    );
    expect(reduce(before, { type: 'xstate.stop' } as unknown as MetricsEvent)).toBe(before);
    actor.stop();
  });
});
