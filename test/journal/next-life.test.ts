import { describe, expect, it } from 'vitest';
import { cut, openLedger, unreported } from '../../machines/ledger.js';
import { nextLife } from '../../src/journal/next-life.js';
import { ended, rejected, started } from '../../src/testing/request-events.js';
import { Life } from '../support/journal/snapshots.js';

describe('the life after a crash', () => {
  it('is a new one where nothing is known of one before', () => {
    expect(nextLife(null, 42)).toEqual({ ledger: openLedger(42), untold: [], died: 0 });
  });

  it('goes on with the accounts, and its intervals begin anew', () => {
    const life = new Life()
      .hear(started({ id: 1, workload: 3 }))
      .hear(ended('succeeded', { id: 1, workload: 3 }))
      .move({ type: 'disk.measured', usedGib: 10 });
    const window = cut(life.metrics.ledger, ['requests', 'received'], 99);
    life.move({ type: 'report.acknowledged', window }).hear(rejected({ id: 2, workload: 4 }));
    const { ledger } = life.metrics;
    const next = nextLife(life.snapshot(1_000), 7);
    expect(next).toEqual({
      ledger: { ...ledger, reportedUntilMs: openLedger(7).reportedUntilMs },
      untold: [],
      died: 0,
    });
    expect(unreported(next.ledger)).toMatchObject({
      requests: 1,
      received: 0,
      served: 3,
      rejected: 4,
      load: 3,
    });
  });

  it('counts what was in the worker as errored: its work was received and is not given back', () => {
    const life = new Life()
      .hear(started({ id: 1, workload: 3, requestIdx: 11, atMs: 1_000 }))
      .hear(started({ id: 2, workload: 4, atMs: 2_000 }))
      .hear(started({ id: 3, kind: 'session', workload: 5, requestIdx: 13, atMs: 3_000 }))
      .hear(started({ id: 4, kind: 'in-session', workload: 6, requestIdx: 14, atMs: 4_000 }))
      .hear(started({ id: 5, workload: 7, requestIdx: 15, atMs: 5_000 }))
      .hear(ended('cancelled', { id: 5, workload: 7, requestIdx: 15, atMs: 6_000, enteredAtMs: 5_000 }));
    const { ledger, untold, died } = nextLife(life.snapshot(8_000), 0);
    expect(ledger.totals).toEqual({
      ...life.metrics.ledger.totals,
      requests: 4,
      received: 25,
      cancelled: 7,
      errored: 18,
      load: 18,
    });
    const error = { status: 'Error', workStartedAt: 0, workCompletedAt: 1_700_000_008 };
    expect(untold).toEqual([
      {
        requestIdx: 15,
        status: 'Cancelled',
        enteredQueueAt: 1_700_000_005,
        workStartedAt: 1_700_000_005,
        workCompletedAt: 0,
      },
      { ...error, requestIdx: 11, enteredQueueAt: 1_700_000_001 },
      { ...error, requestIdx: 13, enteredQueueAt: 1_700_000_003 },
    ]);
    expect(died).toBe(3);
  });

  it('tells no request as finished before it came, though the clock was set back', () => {
    const life = new Life().hear(started({ id: 1, requestIdx: 11, atMs: 9_000 }));
    const [completion] = nextLife(life.snapshot(2_000), 0).untold;
    expect(completion).toMatchObject({ enteredQueueAt: 1_700_000_009, workCompletedAt: 1_700_000_009 });
  });
});
