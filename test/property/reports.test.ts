import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ACCOUNTS, unreported } from '../../machines/ledger.js';
import { current } from '../../src/dialects/current/report.js';
import { legacy } from '../../src/dialects/legacy/report.js';
import { everything, withCapacity } from '../support/machines/dialects.js';
import { LOADED } from '../support/machines/reporter.js';
import { schedules } from '../support/machines/schedules.js';
import { type Life, live } from '../support/machines/simulation.js';

const COUNTING = ACCOUNTS.filter((account) => account !== 'diskGib');

/** Each unit of an account is in exactly one acknowledged window: they stand end to end. Says up to where. */
function endOfWindows({ delivered }: Life, account: (typeof ACCOUNTS)[number]): number {
  let reached = 0;
  for (const { window } of delivered) {
    const upTo = window.upTo[account];
    if (upTo === undefined) continue;
    expect(upTo - (window.work[account] ?? 0)).toBe(reached);
    reached = upTo;
  }
  return reached;
}

/** What holds at any time, whether the autoscaler has healed or not. */
function expectTheLaw(life: Life): void {
  expect(life.mostAtOnce).toBeLessThanOrEqual(1);
  expect(life.ledger.acknowledgements).toBe(life.delivered.length);
  for (const account of COUNTING) {
    expect(endOfWindows(life, account)).toBe(life.ledger.reported[account]);
  }
  expect(life.ledgerAfterwards).toEqual(life.ledger);
  expect(life.timersLeft).toBe(0);
}

function expectOutagesToAlternate({ reports }: Life): void {
  const told = reports.filter(({ type }) => type.startsWith('outage')).map(({ type }) => type);
  expect(told).toEqual(told.map((_, index) => (index % 2 === 0 ? 'outage.began' : 'outage.ended')));
}

/** So that a schedule which never meets trouble does not pass for a proof. */
class Met {
  readonly #counts = new Map<string, number>();

  note(life: Life): void {
    for (const { type } of life.reports) this.#count(type);
    if (life.backOffsMs.some((ms) => ms > 0)) this.#count('back-off');
    this.#count(life.outcome);
  }

  when(name: string, isSo: boolean): void {
    if (isSo) this.#count(name);
  }

  expectAtLeast(least: number, ...names: string[]): void {
    for (const name of names) {
      expect(this.#counts.get(name) ?? 0, name).toBeGreaterThanOrEqual(least);
    }
  }

  #count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}

/** Hundreds of whole lives take a few seconds on a machine of one's own, and more on a busy one. */
vi.setConfig({ testTimeout: 60_000 });

const HEALS = { finally: { is: 'accepted', afterMs: 20 }, drainTimeoutMs: 3_600_000 } as const;
const NEVER_HEALS = { finally: { is: 'never' }, drainTimeoutMs: 20_000 } as const;

/** What the autoscaler adds up from the statuses whose answers were heard, against what happened. */
function expectTrueStatuses({ delivered }: Life) {
  const told = { new_load: 0, rej_load: 0, cur_perf: 0 };
  let deficitWasCarried = false;
  for (const { body, tally } of delivered) {
    const { present } = tally;
    expect(body).toMatchObject({
      // What was given up beyond what is new stays to be taken off what comes in later.
      new_load: Math.max(tally.load - told.new_load, 0),
      rej_load: tally.rejected - told.rej_load,
      cur_perf: tally.served - told.cur_perf,
      cur_load: present.load,
      num_requests_working: present.requests,
      num_requests_recieved: tally.requests,
      working_request_idxs: present.requestIdxs,
    });
    deficitWasCarried ||= tally.load < told.new_load;
    for (const field of ['new_load', 'rej_load', 'cur_perf'] as const) told[field] += Number(body[field]);
  }
  return { told, deficitWasCarried };
}

/** Each finished request is one of its own, whatever it is called. */
function expectToBeTold({ finished }: Life): void {
  const { all, arrived, acknowledged, untold, dropped, answerLost } = finished;
  const heard = new Set(acknowledged);
  expect(acknowledged).toHaveLength(heard.size);
  for (const completion of acknowledged) expect(arrived).toContain(completion);
  expect(all.length - heard.size).toBeLessThanOrEqual(dropped + untold);
  if (dropped === 0) expect(all.length - heard.size).toBe(untold);
  if (!answerLost) expect(arrived).toHaveLength(new Set(arrived).size);
}

describe('reports, under any schedule of an autoscaler that fails, hangs and answers late', () => {
  it('tell every unit in exactly one acknowledged report once it has healed', async () => {
    const met = new Met();
    await fc.assert(
      fc.asyncProperty(schedules(HEALS, legacy, withCapacity, everything), async (schedule) => {
        const life = await live(schedule);
        met.note(life);
        expectTheLaw(life);
        expectOutagesToAlternate(life);
        expect(life.outcome).toBe('clean');

        const { ledger, delivered } = life;
        expect(ledger.reported.received).toBe(life.tally.received);
        expect(ledger.reported.requests).toBe(life.tally.requests);
        for (const account of schedule.dialect.accounts('work', LOADED)) {
          if (account === 'load') expect(unreported(ledger).load).toBeLessThanOrEqual(0);
          else if (account !== 'diskGib') expect(unreported(ledger)[account]).toBe(0);
        }
        const lastCount = delivered.findLast(({ window }) => window.upTo.requests !== undefined);
        expect(lastCount?.window.upTo.requests ?? 0).toBe(life.tally.requests);

        const loaded = delivered.filter(
          ({ attempt: { kind, status } }) =>
            status.phase === 'loaded' && schedule.dialect.plan.covers[kind].includes('state'),
        );
        const letGo = life.reports.findLast(({ type }) => type.startsWith('outage'))?.type === 'outage.began';
        // A worker that stops lets go of this while nobody answers, since it has loaded for nobody.
        if (!letGo) expect(loaded.length).toBeGreaterThanOrEqual(1);
        met.when('let go', letGo);

        // The last that an autoscaler heard of the capacity is how it is.
        const capacities = delivered.filter(({ attempt: { kind } }) => kind === 'capacity');
        const isTold = schedule.dialect === withCapacity && life.maxBatchTokens > 0 && !letGo;
        if (isTold) expect(capacities.at(-1)?.body.max_batch_tokens).toBe(life.maxBatchTokens);
        if (schedule.dialect === legacy) expect(capacities).toEqual([]);
        met.when('capacity', isTold);

        for (const ms of life.backOffsMs) expect(ms).toBeLessThan(schedule.capMs);
        expect(life.longestPlannedMs).toBeLessThan(schedule.capMs);
      }),
      { numRuns: 400 },
    );
    met.expectAtLeast(
      50,
      'clean',
      'outage.began',
      'outage.ended',
      'address.changed',
      'report.failed',
      'back-off',
    );
    met.expectAtLeast(10, 'let go', 'capacity');
  });

  it('lose nothing and count nothing twice when it never heals, and its answers come after the worker has gone', async () => {
    const met = new Met();
    await fc.assert(
      fc.asyncProperty(schedules(NEVER_HEALS, legacy, withCapacity, everything), async (schedule) => {
        const life = await live(schedule);
        met.note(life);
        expectTheLaw(life);
        expectOutagesToAlternate(life);
        const left = unreported(life.ledger);
        expect(life.ledger.reported.received + left.received).toBe(life.tally.received);
        expect(life.ledger.reported.requests + left.requests).toBe(life.tally.requests);
      }),
      { numRuns: 200 },
    );
    met.expectAtLeast(50, 'unreported', 'report.failed');
  });
});

describe('the statuses and finished requests of the current dialect, under any such schedule', () => {
  it('tell all work and each finished request once the autoscaler has healed', async () => {
    const met = new Met();
    await fc.assert(
      fc.asyncProperty(schedules(HEALS, current), async (schedule) => {
        const life = await live(schedule);
        met.note(life);
        expectTheLaw(life);
        expectOutagesToAlternate(life);
        expect(life.outcome).toBe('clean');

        const { told, deficitWasCarried } = expectTrueStatuses(life);
        const { tally } = life;
        expect([told.rej_load, told.cur_perf]).toEqual([tally.rejected, tally.served]);
        expect(told.new_load).toBe(life.ledger.reported.load);
        expect(told.new_load).toBeGreaterThanOrEqual(tally.load);
        expect(told.new_load + unreported(life.ledger).load).toBe(tally.load);

        expectToBeTold(life);
        expect(life.finished.untold).toBe(0);
        met.when('deficit', deficitWasCarried);
        met.when('deficit at the end', told.new_load > tally.load);
        met.when('exact', told.new_load === tally.load && tally.load < tally.received);
        met.when('dropped', life.finished.dropped > 0);
        met.when('answer lost', life.finished.answerLost);
        met.when('collision', numbersOf(life).size < life.finished.all.length);
      }),
      { numRuns: 400 },
    );
    met.expectAtLeast(50, 'outage.began', 'address.changed', 'deficit', 'exact', 'answer lost');
    met.expectAtLeast(25, 'collision');
    met.expectAtLeast(10, 'deficit at the end', 'dropped');
  });

  it('lose nothing and tell nothing twice when it never heals', async () => {
    const met = new Met();
    await fc.assert(
      fc.asyncProperty(schedules(NEVER_HEALS, current), async (schedule) => {
        const life = await live(schedule);
        met.note(life);
        expectTheLaw(life);
        const { told } = expectTrueStatuses(life);
        const left = unreported(life.ledger);
        expect({
          load: told.new_load + left.load,
          rejected: told.rej_load + left.rejected,
          served: told.cur_perf + left.served,
        }).toEqual({ load: life.tally.load, rejected: life.tally.rejected, served: life.tally.served });
        expectToBeTold(life);
        met.when('untold', life.finished.untold > 0);
      }),
      { numRuns: 200 },
    );
    met.expectAtLeast(50, 'unreported', 'report.failed');
    met.expectAtLeast(20, 'untold');
  });
});

function numbersOf({ finished }: Life): Set<number> {
  return new Set(finished.all.map(({ requestIdx }) => requestIdx));
}
