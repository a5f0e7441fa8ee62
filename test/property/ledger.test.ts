import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestOutcome } from '../../machines/events.js';
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
import { type Metrics, reduce } from '../../machines/metrics.js';
import { NOTHING_OBSERVED } from '../../src/dialects/dialect.js';
import { legacy } from '../../src/dialects/legacy/report.js';
import { ended, rejected, started } from '../../src/testing/request-events.js';
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

const NOBODY = {
  id: 1,
  mtoken: '',
  url: '',
  present: { load: 0, requests: 0, requestIdxs: [] },
  observed: NOTHING_OBSERVED,
};

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
        const { body } = legacy.encode('work', { ...NOBODY, status: LOADED, window });
        const seconds = (window.cutAtMs - (window.sinceMs.received ?? 0)) / 1_000;
        work += Number(body.cur_load) * seconds;
      }
      expect(work).toBeCloseTo(last(result).reported.received, 6);
    });
  });
});

/** A request, by its place among those so far: what it does next follows from how far it is. */
type LoadStep =
  | { do: 'start' | 'reject'; workload: number }
  | { do: 'end'; which: number; outcome: RequestOutcome }
  | { do: 'cut' | 'tell' }
  | { do: 'acknowledge'; which: number };

const loadSteps: fc.Arbitrary<LoadStep[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('start' as const, 'reject' as const),
        workload: fc.nat(100),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        which: fc.nat(100),
        outcome: fc.constantFrom<RequestOutcome>('succeeded', 'errored', 'cancelled', 'expired'),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'tell' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), which: fc.nat(100) }) },
  ),
  { maxLength: 60 },
);

/** Requests and acknowledgements in some order. `net`: what was received less what was given up again. */
function runLoad(steps: readonly LoadStep[]) {
  let state: Metrics = { ledger: openLedger(0), working: 0 };
  let net = 0;
  const open: { workload: number }[] = [];
  const windows: Window[] = [];
  const acknowledged: number[] = [];
  const settle = (window: Window) => {
    const { ledger } = state;
    state = reduce(state, { type: 'report.acknowledged', window });
    if (state.ledger !== ledger) acknowledged.push(window.work.load ?? Number.NaN);
  };
  const begin = (workload: number) => {
    net += workload;
    open.push({ workload });
    state = reduce(state, started({ workload }));
  };
  const tell = () => settle(cut(state.ledger, ['load', 'rejected'], 2));
  for (const step of steps) {
    if (step.do === 'tell') tell();
    if (step.do === 'start') begin(step.workload);
    if (step.do === 'reject') state = reduce(state, rejected({ workload: step.workload }));
    if (step.do === 'end' && open.length > 0) {
      const [{ workload } = { workload: 0 }] = open.splice(step.which % open.length, 1);
      if (step.outcome === 'cancelled' || step.outcome === 'expired') net -= workload;
      state = reduce(state, ended(step.outcome, { workload }));
    }
    if (step.do === 'cut') windows.push(cut(state.ledger, ['load', 'rejected'], 1));
    const window = step.do === 'acknowledge' ? windows[step.which % windows.length] : undefined;
    if (window !== undefined) settle(window);
  }
  return { windows, acknowledged, begin, tell, net: () => net, ledger: () => state.ledger };
}

describe('the law of the load, under any order of requests and acknowledgements', () => {
  const sum = (amounts: readonly number[]) => amounts.reduce((all, amount) => all + amount, 0);

  it('no window tells less than nothing, and those that were acknowledged add up to what is reported', () => {
    fc.assert(
      fc.property(loadSteps, (steps) => {
        const { windows, acknowledged, ledger } = runLoad(steps);
        for (const { work } of windows) expect(work.load).toBeGreaterThanOrEqual(0);
        expect(sum(acknowledged)).toBe(ledger().reported.load);
      }),
      { numRuns: 500 },
    );
  });

  it('once more has come in than was given up, the windows add up to exactly what was received less that', () => {
    let carried = 0;
    fc.assert(
      fc.property(loadSteps, fc.nat(100), (steps, beyond) => {
        const { acknowledged, begin, tell, net, ledger } = runLoad(steps);
        tell();
        const deficit = sum(acknowledged) - net();
        expect(deficit).toBeGreaterThanOrEqual(0);
        if (deficit > 0) carried += 1;
        begin(deficit + beyond);
        tell();
        expect(acknowledged.at(-1)).toBe(beyond);
        expect(sum(acknowledged)).toBe(net());
        expect(unreported(ledger()).load).toBe(0);
      }),
      { numRuns: 500 },
    );
    expect(carried).toBeGreaterThan(0);
  });
});
