import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACCOUNTS,
  type Account,
  acknowledge,
  cut,
  type Ledger,
  openLedger,
  record,
  type Totals,
  unreported,
  type Window,
} from '../../machines/ledger.js';
import { legacy } from '../../src/dialects/legacy/report.js';
import { LOADED } from '../support/machines/reporter.js';

const COUNTING = ACCOUNTS.filter((account) => account !== 'diskGib');

/** What can happen to a ledger. A number chooses one of the windows that were cut so far. */
type Step =
  | { do: 'record'; amounts: Partial<Totals> }
  | { do: 'cut'; accounts: Account[]; afterMs: number }
  | { do: 'acknowledge'; which: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('record' as const),
      amounts: fc.dictionary(fc.constantFrom(...COUNTING), fc.nat(1_000)) as fc.Arbitrary<Partial<Totals>>,
    }),
    fc.record({
      do: fc.constant('cut' as const),
      accounts: fc.subarray([...COUNTING]),
      afterMs: fc.integer({ min: 1, max: 10_000 }),
    }),
    fc.record({ do: fc.constant('acknowledge' as const), which: fc.nat(100) }),
  ),
  { maxLength: 60 },
);

/** One step: the ledger before and after, and the window that it acknowledged, if it did. */
interface Move {
  readonly before: Ledger;
  readonly after: Ledger;
  readonly window?: Window | undefined;
}

interface Run {
  readonly moves: readonly Move[];
  readonly windows: readonly Window[];
  /** The windows that moved the ledger. */
  readonly acknowledged: readonly Window[];
  readonly recorded: Totals;
}

function run(all: readonly Step[]): Run {
  let ledger = openLedger(0);
  let atMs = 0;
  const moves: Move[] = [];
  const windows: Window[] = [];
  const acknowledged: Window[] = [];
  const recorded = { ...ledger.totals };
  for (const step of all) {
    const before = ledger;
    let window: Window | undefined;
    if (step.do === 'record') {
      for (const account of ACCOUNTS) recorded[account] += step.amounts[account] ?? 0;
      ledger = record(ledger, step.amounts);
    } else if (step.do === 'cut') {
      atMs += step.afterMs;
      windows.push(cut(ledger, step.accounts, atMs));
    } else if (windows.length > 0) {
      window = windows[step.which % windows.length];
      if (window) ledger = acknowledge(ledger, window);
      if (window && ledger !== before) acknowledged.push(window);
    }
    moves.push({ before, after: ledger, window });
  }
  return { moves, windows, acknowledged, recorded };
}

function last({ moves }: Run): Ledger {
  return moves.at(-1)?.after ?? openLedger(0);
}

describe('the law of the ledger, under any order of recording, cutting and acknowledging', () => {
  const holds = (law: (result: Run) => void) =>
    fc.assert(
      fc.property(steps, (all) => law(run(all))),
      { numRuns: 500 },
    );

  it('totals only grow, and are what was recorded', () => {
    holds((result) => {
      for (const { before, after } of result.moves) {
        for (const account of ACCOUNTS) {
          expect(after.totals[account]).toBeGreaterThanOrEqual(before.totals[account]);
        }
      }
      expect(last(result).totals).toEqual(result.recorded);
    });
  });

  it('a window is totals less reported, and cutting one changes nothing', () => {
    fc.assert(
      fc.property(steps, fc.subarray([...ACCOUNTS]), (all, accounts) => {
        const ledger = last(run(all));
        const before = structuredClone(ledger);
        const { work, upTo } = cut(ledger, accounts, 1e9);
        for (const account of accounts) {
          expect(work[account]).toBe(ledger.totals[account] - ledger.reported[account]);
          expect(upTo[account]).toBe(ledger.totals[account]);
        }
        expect(Object.keys(work)).toEqual(accounts);
        expect(ledger).toEqual(before);
      }),
    );
  });

  it('only an acknowledgement moves reported, and by what was sent', () => {
    holds(({ moves }) => {
      for (const { before, after, window } of moves) {
        const moved = { ...before.reported };
        if (window && after !== before) {
          for (const account of ACCOUNTS) moved[account] += window.work[account] ?? 0;
        }
        expect(after.reported).toEqual(moved);
        if (window) expect(after.totals).toEqual(before.totals);
      }
    });
  });

  it('a void, late or second acknowledgement changes nothing', () => {
    holds((result) => {
      const ledger = last(result);
      const stale = result.windows.filter(({ basis }) => basis !== ledger.acknowledgements);
      for (const window of [...stale, ...result.acknowledged]) {
        expect(acknowledge(ledger, window)).toBe(ledger);
      }
    });
  });

  it('the acknowledged windows and what is unreported are the totals, in each account', () => {
    holds((result) => {
      const ledger = last(result);
      const left = unreported(ledger);
      for (const account of ACCOUNTS) {
        const told = result.acknowledged.reduce((sum, { work }) => sum + (work[account] ?? 0), 0);
        expect(told + left[account]).toBe(ledger.totals[account]);
        expect(told).toBe(ledger.reported[account]);
      }
    });
  });

  it('the acknowledged windows of an account follow one another without a gap or an overlap', () => {
    holds(({ acknowledged }) => {
      for (const account of ACCOUNTS) {
        let [reached, untilMs] = [0, 0];
        for (const { work, upTo, sinceMs, cutAtMs } of acknowledged) {
          if (upTo[account] === undefined) continue;
          expect([upTo[account] - (work[account] ?? 0), sinceMs[account]]).toEqual([reached, untilMs]);
          [reached, untilMs] = [upTo[account], cutAtMs];
        }
      }
    });
  });

  it('the acknowledged rates times their intervals are the work', () => {
    holds((result) => {
      let work = 0;
      for (const window of result.acknowledged) {
        if (window.upTo.received === undefined) continue;
        const { body } = legacy.encode('work', { id: 1, mtoken: '', status: LOADED, window });
        const seconds = (window.cutAtMs - (window.sinceMs.received ?? 0)) / 1_000;
        work += Number(body.cur_load) * seconds;
      }
      expect(work).toBeCloseTo(last(result).reported.received, 6);
    });
  });
});
