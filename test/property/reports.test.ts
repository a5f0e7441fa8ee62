import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACCOUNTS, unreported } from '../../machines/ledger.js';
import { type Life, live, schedules } from '../support/machines/simulation.js';

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

  expectAtLeast(least: number, ...names: string[]): void {
    for (const name of names) {
      expect(this.#counts.get(name) ?? 0, name).toBeGreaterThanOrEqual(least);
    }
  }

  #count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}

describe('reports, under any schedule of an autoscaler that fails, hangs and answers late', () => {
  it('tell every unit in exactly one acknowledged report once it has healed', async () => {
    const met = new Met();
    await fc.assert(
      fc.asyncProperty(
        schedules({ finally: { is: 'accepted', afterMs: 20 }, drainTimeoutMs: 3_600_000 }),
        async (schedule) => {
          const life = await live(schedule);
          met.note(life);
          expectTheLaw(life);
          expectOutagesToAlternate(life);
          expect(life.outcome).toBe('clean');

          const { ledger, delivered } = life;
          expect(ledger.reported.received).toBe(life.units);
          expect(ledger.reported.requests).toBe(life.requests);
          for (const account of COUNTING) expect(unreported(ledger)[account]).toBe(0);
          const lastCount = delivered.findLast(({ window }) => window.upTo.requests !== undefined);
          expect(lastCount?.window.upTo.requests).toBe(life.requests);

          const loaded = delivered.filter(
            ({ attempt: { kind, status } }) =>
              status.phase === 'loaded' && schedule.dialect.plan.covers[kind].includes('state'),
          );
          expect(loaded.length).toBeGreaterThanOrEqual(1);

          for (const ms of life.backOffsMs) expect(ms).toBeLessThan(schedule.capMs);
          expect(life.longestPlannedMs).toBeLessThan(schedule.capMs);
        },
      ),
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
  });

  it('lose nothing and count nothing twice when it never heals, and its answers come after the worker has gone', async () => {
    const met = new Met();
    await fc.assert(
      fc.asyncProperty(schedules({ finally: { is: 'never' }, drainTimeoutMs: 20_000 }), async (schedule) => {
        const life = await live(schedule);
        met.note(life);
        expectTheLaw(life);
        expectOutagesToAlternate(life);
        const left = unreported(life.ledger);
        expect(life.ledger.reported.received + left.received).toBe(life.units);
        expect(life.ledger.reported.requests + left.requests).toBe(life.requests);
      }),
      { numRuns: 200 },
    );
    met.expectAtLeast(50, 'unreported', 'report.failed');
  });
});
