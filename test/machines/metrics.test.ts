import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { cut, openLedger, type Totals } from '../../machines/ledger.js';
import { type Metrics, type MetricsEvent, metrics, reduce } from '../../machines/metrics.js';
import { ended, rejected, started } from '../../src/testing/request-events.js';

const EMPTY: Metrics = { ledger: openLedger(0), working: 0 };
const busy = reduce(EMPTY, started({ workload: 3 }));

function withTotals(state: Metrics, some: Partial<Totals>, working: number): Metrics {
  return { working, ledger: { ...state.ledger, totals: { ...state.ledger.totals, ...some } } };
}

describe('metrics', () => {
  it.each<[string, Metrics, MetricsEvent, Metrics]>([
    [
      'a request that starts is received and in the worker',
      EMPTY,
      started({ workload: 3, atMs: 1 }),
      withTotals(EMPTY, { requests: 1, received: 3, load: 3 }, 1),
    ],
    [
      'a request without work counts as well',
      EMPTY,
      started({ atMs: 1 }),
      withTotals(EMPTY, { requests: 1 }, 1),
    ],
    [
      'one that succeeds is served',
      busy,
      ended('succeeded', { workload: 3, atMs: 2 }),
      withTotals(busy, { served: 3 }, 0),
    ],
    [
      'one that errs is errored, and its work was received all the same',
      busy,
      ended('errored', { workload: 3, atMs: 2 }),
      withTotals(busy, { errored: 3 }, 0),
    ],
    [
      'one whose client went is cancelled, and its work is given up again',
      busy,
      ended('cancelled', { workload: 3, atMs: 2 }),
      withTotals(busy, { cancelled: 3, load: 0 }, 0),
    ],
    [
      'one that waited too long is rejected, and its work is given up again',
      busy,
      ended('expired', { workload: 3, atMs: 2, workStartedAtMs: null }),
      withTotals(busy, { rejected: 3, load: 0 }, 0),
    ],
    [
      'one that is refused at the door is counted and rejected, and never in the worker',
      busy,
      rejected({ id: 2, workload: 4, atMs: 2 }),
      withTotals(busy, { requests: 2, rejected: 4 }, 1),
    ],
    [
      'a session that starts counts as one request of its cost',
      EMPTY,
      started({ kind: 'session', workload: 9 }),
      withTotals(EMPTY, { requests: 1, received: 9, load: 9 }, 1),
    ],
    [
      'a session that ends is served',
      busy,
      ended('succeeded', { kind: 'session', workload: 3 }),
      withTotals(busy, { served: 3 }, 0),
    ],
    [
      'what starts in a session is work, but no request of its own',
      busy,
      started({ id: 2, kind: 'in-session', workload: 4 }),
      withTotals(busy, { received: 7, load: 7 }, 2),
    ],
    [
      'what succeeds in a session is served',
      busy,
      ended('succeeded', { kind: 'in-session', workload: 3 }),
      withTotals(busy, { served: 3 }, 0),
    ],
    [
      'what is refused in a session is no request of its own either',
      busy,
      rejected({ id: 2, kind: 'in-session', workload: 4 }),
      withTotals(busy, { rejected: 4 }, 1),
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
    actor.send(started({ workload: 3, atMs: 50 }));
    const before = actor.getSnapshot().context;
    expect(before).toEqual(
      withTotals({ ledger: openLedger(42), working: 0 }, { requests: 1, received: 3, load: 3 }, 1),
    );
    expect(reduce(before, { type: 'xstate.stop' } as unknown as MetricsEvent)).toBe(before);
    actor.stop();
  });
});
