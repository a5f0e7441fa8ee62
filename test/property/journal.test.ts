import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestOutcome } from '../../machines/events.js';
import { ACCOUNTS, type Account, cut, type Totals } from '../../machines/ledger.js';
import { add } from '../../machines/outbox.js';
import { nextLife } from '../../src/journal/next-life.js';
import { changeBetween, NOTHING, type Snapshot } from '../../src/journal/snapshot.js';
import { changeText, contentsOf, journalOf } from '../../src/journal/text.js';
import { ended, rejected, started } from '../../src/testing/request-events.js';
import { Life } from '../support/journal/snapshots.js';

type Step =
  | { do: 'start' | 'reject'; workload: number; named: boolean }
  | { do: 'end'; which: number; outcome: RequestOutcome }
  /** An acknowledgement of the work, or of finished requests: before or after it has got to the disk the worker may die. */
  | { do: 'tell' }
  | { do: 'deliver'; max: number }
  | { do: 'flush'; whole: boolean }
  /** The part of what was being written that got to the disk. */
  | { do: 'crash'; part: number };

const outcomes = fc.constantFrom<RequestOutcome>('succeeded', 'errored', 'cancelled', 'expired');

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('start' as const, 'reject' as const),
        workload: fc.nat(100),
        named: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(100), outcome: outcomes }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('tell' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('deliver' as const), max: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('flush' as const), whole: fc.boolean() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('crash' as const),
        part: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
  ),
  { maxLength: 80 },
);

const COUNTING = ACCOUNTS.filter((account) => account !== 'diskGib');

/** Adds up amounts of each account. */
class Sums {
  readonly sums = new Map<Account, number>();

  add(amounts: Partial<Totals>, sign = 1): void {
    for (const account of COUNTING) {
      this.sums.set(account, this.of(account) + sign * (amounts[account] ?? 0));
    }
  }

  of(account: Account): number {
    return this.sums.get(account) ?? 0;
  }
}

/** Lives of one worker, each going on from what the one before had on the disk when it crashed. */
class Lives {
  life = new Life();
  crashes = 0;
  /** What happened, whether it was remembered or not. */
  readonly happened = new Sums();
  /** What was in reports that were acknowledged. */
  readonly told = new Sums();
  /** What the crashes took: done, or acknowledged, since the last flush. */
  readonly lost = new Sums();
  readonly forgotten = new Sums();
  /** How often each request was told as finished, and in how many crashes it may have been lost or told again. */
  readonly tellings = new Map<number, number>();
  readonly inDoubt = new Map<number, number>();
  readonly #touched = new Set<number>();
  #disk = '';
  #written: Snapshot = NOTHING;
  #lastId = 0;

  constructor() {
    this.flush(true);
  }

  do(step: Step): void {
    if (step.do === 'start') this.begin(step.workload, step.named);
    if (step.do === 'reject') this.#hear(rejected(this.#said(step.workload, step.named)));
    if (step.do === 'end') this.end(step.which, step.outcome);
    if (step.do === 'tell') this.tell();
    if (step.do === 'deliver') this.deliver(step.max);
    if (step.do === 'flush') this.flush(step.whole);
    if (step.do === 'crash') this.crash(step.part);
  }

  begin(workload: number, named = false): void {
    this.#hear(started(this.#said(workload, named)));
  }

  end(which: number, outcome: RequestOutcome): void {
    const one = [...this.life.present.values()][which % Math.max(this.life.present.size, 1)];
    if (one) this.#hear(ended(outcome, one));
  }

  tell(): void {
    const window = cut(this.life.metrics.ledger, COUNTING, 1);
    this.life.move({ type: 'report.acknowledged', window });
    this.told.add(window.work);
  }

  deliver(max?: number): void {
    for (const { requestIdx } of this.life.deliver(max)) {
      this.tellings.set(requestIdx, (this.tellings.get(requestIdx) ?? 0) + 1);
      this.#touched.add(requestIdx);
    }
  }

  flush(whole: boolean): void {
    const now = this.life.snapshot(0);
    const change = changeBetween(this.#written, now);
    if (whole) this.#disk = journalOf(now);
    else if (change !== null) this.#disk += changeText(change);
    this.#written = now;
    this.#touched.clear();
  }

  /** The last write gets to the disk in part: what the disk holds then is the state before it. */
  crash(part: number): void {
    const change = changeBetween(this.#written, this.life.snapshot(0));
    const line = change === null ? '' : changeText(change);
    const disk = this.#disk + line.slice(0, Math.floor(part * Math.max(line.length - 1, 0)));
    const { snapshot, problem } = contentsOf(disk);
    expect(problem).toBeNull();
    const { ledger, untold } = nextLife(snapshot, 0);
    const before = this.life.metrics.ledger;
    this.crashes += 1;
    this.lost.add(before.totals);
    this.lost.add(this.#written.accounts.totals, -1);
    this.forgotten.add(before.reported);
    this.forgotten.add(this.#written.accounts.reported, -1);
    // What was in the worker is errored now.
    this.happened.add(ledger.totals);
    this.happened.add(this.#written.accounts.totals, -1);
    for (const idx of this.#touched) this.inDoubt.set(idx, (this.inDoubt.get(idx) ?? 0) + 1);
    this.life = new Life();
    this.life.metrics = { ledger, working: 0 };
    this.life.outbox = add(this.life.outbox, ...untold);
    this.flush(true);
  }

  /** Everything ends, more comes in than was given up, and all of it is told. */
  finish(): void {
    while (this.life.present.size > 0) this.end(0, 'succeeded');
    this.tell();
    const { totals, reported } = this.life.metrics.ledger;
    this.begin(reported.load - totals.load);
    this.end(0, 'succeeded');
    this.tell();
    this.deliver();
  }

  #hear(event: Parameters<Life['hear']>[0]): void {
    const before = this.life.metrics.ledger.totals;
    this.life.hear(event);
    this.happened.add(this.life.metrics.ledger.totals);
    this.happened.add(before, -1);
    if (event.requestIdx === null) return;
    this.#touched.add(event.requestIdx);
    if (!this.tellings.has(event.requestIdx)) this.tellings.set(event.requestIdx, 0);
  }

  #said(workload: number, named: boolean) {
    this.#lastId += 1;
    return { id: this.#lastId, workload, requestIdx: named ? this.#lastId : null };
  }
}

describe('over any number of lives, each of which ends in a crash at any point', () => {
  const holds = (law: (lives: Lives) => void) =>
    fc.assert(
      fc.property(steps, (all) => {
        const lives = new Lives();
        for (const step of all) lives.do(step);
        lives.finish();
        law(lives);
      }),
      { numRuns: 500 },
    );

  it('what the autoscaler was told is what happened, but for what was not on the disk', () => {
    let crashes = 0;
    holds(({ told, happened, lost, forgotten, ...lives }) => {
      crashes += lives.crashes;
      for (const account of COUNTING) {
        const expected = happened.of(account) - lost.of(account) + forgotten.of(account);
        expect([account, told.of(account)]).toEqual([account, expected]);
      }
    });
    expect(crashes).toBeGreaterThan(100);
  });

  it('where all was on the disk when it crashed, each unit is told once', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const lives = new Lives();
        for (const step of all) {
          if (step.do === 'crash') lives.flush(false);
          lives.do(step);
        }
        lives.finish();
        for (const account of COUNTING) expect(lives.told.of(account)).toBe(lives.happened.of(account));
        for (const tellings of lives.tellings.values()) expect(tellings).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  it('what was received is served, errored, cancelled or expired in the end', () => {
    holds(({ life }) => {
      const { totals } = life.metrics.ledger;
      expect(totals.served + totals.errored).toBe(totals.load);
    });
  });

  it('each request is told as finished once, but for those that were not on the disk', () => {
    holds(({ tellings, inDoubt }) => {
      for (const [idx, times] of tellings) {
        const doubt = inDoubt.get(idx) ?? 0;
        expect(Math.abs(times - 1)).toBeLessThanOrEqual(doubt);
      }
    });
  });

  it('the disk holds what was flushed', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const life = new Life();
        let [text, written, lastId] = ['', NOTHING, 0];
        for (const step of all) {
          if (step.do === 'start')
            life.hear(started({ id: ++lastId, workload: step.workload, requestIdx: lastId }));
          const one = [...life.present.values()][0];
          if (step.do === 'end' && one) life.hear(ended(step.outcome, one));
          if (step.do === 'deliver') life.deliver(step.max);
          if (step.do !== 'flush') continue;
          const now = life.snapshot(lastId);
          const change = changeBetween(written, now);
          text = text === '' ? journalOf(now) : text + (change === null ? '' : changeText(change));
          written = now;
          expect(contentsOf(text)).toEqual({
            snapshot: { ...now, takenAt: change === null ? expect.any(Number) : now.takenAt },
            problem: null,
          });
        }
      }),
      { numRuns: 200 },
    );
  });
});
