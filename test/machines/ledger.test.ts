import { describe, expect, it } from 'vitest';
import {
  ACCOUNTS,
  acknowledge,
  cut,
  holdsWork,
  type Ledger,
  openLedger,
  record,
  recordDisk,
  type Totals,
  unreported,
} from '../../machines/ledger.js';

const totals = (some: Partial<Totals> = {}): Totals => ({
  requests: 0,
  received: 0,
  served: 0,
  errored: 0,
  cancelled: 0,
  rejected: 0,
  load: 0,
  diskGib: 0,
  ...some,
});

const since = (atMs: number, some: Partial<Totals> = {}): Totals => ({
  ...(Object.fromEntries(ACCOUNTS.map((account) => [account, atMs])) as Totals),
  ...some,
});

describe('whether a window would tell work', () => {
  const accounts = ['requests', 'load', 'diskGib'] as const;

  it('is so from when work is recorded until it is acknowledged', () => {
    const empty = openLedger(0);
    const busy = record(empty, { requests: 1, load: 3 });
    const told = acknowledge(busy, cut(busy, accounts, 1));
    expect([empty, busy, told].map((ledger) => holdsWork(ledger, accounts))).toEqual([false, true, false]);
  });

  it('is not so of accounts that it does not tell, of the used space, nor of a deficit', () => {
    const busy = record(openLedger(0), { received: 3 });
    const grown = recordDisk(recordDisk(openLedger(0), 10), 12);
    const less = record(openLedger(0), { load: -3 });
    expect([busy, grown, less].map((ledger) => holdsWork(ledger, accounts))).toEqual([false, false, false]);
  });
});

describe('a ledger', () => {
  it('begins empty, with its first interval', () => {
    expect(openLedger(7)).toEqual({
      totals: totals(),
      reported: totals(),
      reportedUntilMs: since(7),
      acknowledgements: 0,
    });
  });

  it('adds what is recorded, and leaves the ledger that was as it was', () => {
    const before = openLedger(0);
    const after = record(record(before, { requests: 1, received: 3 }), { received: 2, served: 3 });
    expect(after).toEqual({ ...before, totals: totals({ requests: 1, received: 5, served: 3 }) });
    expect(before).toEqual(openLedger(0));
  });

  it('cuts what is not yet reported of the accounts that it is asked for, and does not change', () => {
    const ledger = record(openLedger(7), { requests: 2, received: 6, served: 4 });
    expect(cut(ledger, ['requests', 'received'], 107)).toEqual({
      basis: 0,
      cutAtMs: 107,
      work: { requests: 2, received: 6 },
      upTo: { requests: 2, received: 6 },
      sinceMs: { requests: 7, received: 7 },
    });
    expect(cut(ledger, [], 107)).toEqual({ basis: 0, cutAtMs: 107, work: {}, upTo: {}, sinceMs: {} });
  });

  it('moves by an acknowledgement to what its window held, up to when it was cut', () => {
    const ledger = record(openLedger(7), { requests: 2, received: 6, served: 4 });
    const window = cut(ledger, ['requests', 'received'], 107);
    const later = record(ledger, { requests: 1, received: 5 });
    expect(acknowledge(later, window)).toEqual({
      totals: totals({ requests: 3, received: 11, served: 4 }),
      reported: totals({ requests: 2, received: 6 }),
      reportedUntilMs: since(7, { requests: 107, received: 107 }),
      acknowledgements: 1,
    });
    expect(unreported(acknowledge(later, window))).toEqual(totals({ requests: 1, received: 5, served: 4 }));
  });

  it.each<[string, (ledger: Ledger) => Ledger]>([
    ['that it has heard already', (ledger) => acknowledge(ledger, cut(ledger, ['received'], 1))],
    ['of a window from before another one', (ledger) => acknowledge(ledger, cut(ledger, ['served'], 1))],
  ])('is not moved by an acknowledgement %s', (_, acknowledgeFirst) => {
    const ledger = record(openLedger(0), { received: 6, served: 2 });
    const window = cut(ledger, ['received'], 1);
    const after = acknowledgeFirst(ledger);
    expect(acknowledge(after, window)).toBe(after);
  });

  describe('of the load', () => {
    const told = (ledger: Ledger) => {
      const window = cut(ledger, ['load'], 1);
      return { new: window.work.load, ledger: acknowledge(ledger, window) };
    };

    it.each<[string, steps: (number | 'told')[], expected: number[]]>([
      ['what came in', [5, 'told'], [5]],
      ['what came in less what was given up since', [5, -2, 'told'], [3]],
      ['nothing where as much was given up as came in', [5, -5, 'told'], [0]],
      [
        'nothing where more was given up than came in, and the rest when more comes in',
        [5, 'told', -5, 'told', 8, 'told'],
        [5, 0, 3],
      ],
      [
        'no more than nothing until what comes in is more than the deficit',
        [5, 'told', -5, 'told', 2, 'told', 2, 'told', 2, 'told'],
        [5, 0, 0, 0, 1],
      ],
      ['a deficit that grows as a whole', [9, 'told', -4, 'told', -5, 'told', 10, 'told'], [9, 0, 0, 1]],
      ['what came in and was not told before it was given up as nothing at all', [5, -5, 3, 'told'], [3]],
    ])('a window tells %s', (_, steps, expected) => {
      let ledger = openLedger(0);
      const seen: (number | undefined)[] = [];
      for (const step of steps) {
        if (step !== 'told') ledger = record(ledger, { load: step });
        else {
          const next = told(ledger);
          seen.push(next.new);
          ledger = next.ledger;
        }
      }
      expect(seen).toEqual(expected);
    });

    it('a deficit is what is not yet reported, below nothing', () => {
      const { ledger } = told(record(openLedger(0), { load: 5 }));
      const deficit = record(ledger, { load: -5 });
      expect(unreported(deficit)).toEqual(totals({ load: -5 }));
      expect(cut(deficit, ['load'], 2)).toMatchObject({ work: { load: 0 }, upTo: { load: 5 } });
    });
  });

  it('tells the growth of the disk beyond the first measurement, and its shrinking', () => {
    const first = recordDisk(openLedger(0), 100);
    expect(cut(first, ['diskGib'], 1)).toMatchObject({ work: { diskGib: 0 }, upTo: { diskGib: 100 } });
    const grown = recordDisk(first, 104);
    const window = cut(grown, ['diskGib'], 2);
    expect(window).toMatchObject({ work: { diskGib: 4 }, upTo: { diskGib: 104 } });
    const shrunk = recordDisk(acknowledge(grown, window), 101);
    expect(cut(shrunk, ['diskGib'], 3)).toMatchObject({ work: { diskGib: -3 }, upTo: { diskGib: 101 } });
  });
});
