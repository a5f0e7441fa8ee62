import { describe, expect, it } from 'vitest';
import { firstBeatMs } from '../../machines/heartbeat.js';
import { type ReporterInput, reporterMachine } from '../../machines/reporter.js';
import type { ReporterToParent } from '../../machines/reports.js';
import { legacyWithModel } from '../../src/dialects/legacy/data.js';
import { covered } from '../support/machines/coverage.js';
import {
  DELIVERY,
  FAILING,
  LOADED,
  LOADING,
  NO_ANSWER,
  REPORTER_INPUT,
  type RunningReporter,
  startReporter,
} from '../support/machines/reporter.js';

const coverage = covered(reporterMachine);
const start = (input: Partial<ReporterInput> = {}) => startReporter(input, coverage.inspect);

const A = 'http://a';
const B = 'http://b';
const C = 'http://c';

const becomes = (status: typeof LOADED) => ({ type: 'status.changed', status }) as const;
const acknowledged = (phase: 'loading' | 'loaded' | 'failing', kind: 'state' | 'work'): ReporterToParent => ({
  type: 'report.acknowledged',
  phase,
  covers: [kind],
  window: DELIVERY.window,
});
const started = { type: 'report.started' };
const settled = { type: 'report.settled' };
const unreachable = { type: 'report.unreachable' };
const flushed = { type: 'reports.flushed' };
const attempt = (kind: 'state' | 'work', address = A, status = LOADED) => ({ kind, address, status });
const delivered = (what: object) => ({ type: 'report.delivered', attempt: what, delivery: DELIVERY });
const refused = (what: object) => ({ type: 'report.failed', attempt: what, error: NO_ANSWER });

const { plan: TELLS_CAPACITY } = legacyWithModel({ loadForm: 'sum', tellsCapacity: true });

/** Shorter than the first back-off with the seed of these tests. */
const HEARTBEAT_MS = 50;

const GIVEN = {
  quiet: async () => {},
  'sending to the first of two': async (reporter) => {
    reporter.actor.send(becomes(LOADED));
  },
  'sending to the last of two': async (reporter) => {
    reporter.actor.send(becomes(LOADED));
    await reporter.fail();
  },
  'backing off': async (reporter) => {
    await GIVEN['sending to the last of two'](reporter);
    await reporter.fail();
  },
  'backing off with work': async (reporter) => {
    reporter.actor.send({ type: 'work.due' });
    await reporter.fail();
    await reporter.fail();
  },
  'sending again with nothing new': async (reporter) => {
    await GIVEN['backing off'](reporter);
    await reporter.clock.advance(500);
  },
  'flushing to the last of two': async (reporter) => {
    reporter.actor.send({ type: 'flush' });
    await reporter.fail();
  },
  flushed: async (reporter) => {
    reporter.actor.send({ type: 'flush' });
    await reporter.answer();
  },
} satisfies Record<string, (reporter: RunningReporter) => Promise<void>>;

type Given = keyof typeof GIVEN;

const WHEN = {
  'the worker has loaded': (reporter) => reporter.actor.send(becomes({ ...LOADED, loadTimeSeconds: 9 })),
  'the worker loads': (reporter) => reporter.actor.send(becomes(LOADING)),
  'the work is due': (reporter) => reporter.actor.send({ type: 'work.due' }),
  'the capacity is due': (reporter) => reporter.actor.send({ type: 'capacity.due' }),
  'the heart beats': (reporter) => reporter.clock.advance(HEARTBEAT_MS),
  'it is flushed': (reporter) => reporter.actor.send({ type: 'flush' }),
  'it is answered': (reporter) => reporter.answer(),
  'it fails': (reporter) => reporter.fail(),
  '500 ms pass': (reporter) => reporter.clock.advance(500),
} satisfies Record<string, (reporter: RunningReporter) => void | Promise<void>>;

type When = keyof typeof WHEN;

interface Then {
  readonly state: string;
  readonly due?: string[];
  /** What the new attempts tell, and whom. */
  readonly sends?: string[];
  readonly told?: unknown[];
  readonly emitted?: unknown[];
}

const both = ['state', 'work'];
const reloaded = { ...LOADED, loadTimeSeconds: 9 };

/** What each event brings about in each state, with addresses a and b. What is not listed changes nothing. */
const TABLE: Record<Given, Partial<Record<When, Then>>> = {
  quiet: {
    'the worker has loaded': {
      state: 'sending',
      due: ['work'],
      sends: [`state loaded ${A}`],
      told: [started],
    },
    'the work is due': { state: 'sending', sends: [`work loading ${A}`], told: [started] },
    'the capacity is due': { state: 'sending', sends: [`capacity loading ${A}`], told: [started] },
    'the heart beats': { state: 'sending', sends: [`state loading ${A}`], told: [started] },
    'it is flushed': { state: 'sending', sends: [`work loading ${A}`], told: [started] },
  },
  'sending to the first of two': {
    'the capacity is due': { state: 'sending', due: ['capacity', 'work'] },
    'the worker has loaded': { state: 'sending', due: both },
    'the worker loads': { state: 'sending', due: both },
    'it is answered': {
      state: 'sending',
      due: [],
      sends: [`work loaded ${A}`],
      told: [settled, acknowledged('loaded', 'state'), started],
      emitted: [delivered(attempt('state'))],
    },
    'it fails': {
      state: 'sending',
      sends: [`state loaded ${B}`],
      told: [settled, started],
      emitted: [refused(attempt('state'))],
    },
  },
  'sending to the last of two': {
    'the capacity is due': { state: 'sending', due: ['capacity', 'work'] },
    'the worker has loaded': { state: 'sending', due: both },
    'the worker loads': { state: 'sending', due: both },
    'it is answered': {
      state: 'sending',
      due: [],
      sends: [`work loaded ${B}`],
      told: [settled, acknowledged('loaded', 'state'), started],
      emitted: [{ type: 'address.changed', from: A, to: B }, delivered(attempt('state', B))],
    },
    'it fails': {
      state: 'backing off',
      due: both,
      told: [settled, unreachable],
      emitted: [refused(attempt('state', B)), { type: 'outage.began', error: NO_ANSWER }],
    },
  },
  'backing off': {
    'the capacity is due': { state: 'backing off', due: ['state', 'capacity', 'work'] },
    'the worker has loaded': {
      state: 'sending',
      due: ['work'],
      sends: [`state loaded ${A}`],
      told: [started],
    },
    'the worker loads': { state: 'sending', due: ['work'], sends: [`state loading ${A}`], told: [started] },
    'it is flushed': { state: 'flushed', due: [], told: [flushed] },
    '500 ms pass': { state: 'sending', due: ['work'], sends: [`state loaded ${A}`], told: [started] },
  },
  'backing off with work': {
    'the capacity is due': { state: 'backing off', due: ['capacity', 'work'] },
    'the worker has loaded': {
      state: 'sending',
      due: ['work'],
      sends: [`state loaded ${A}`],
      told: [started],
    },
    'the worker loads': { state: 'sending', due: [], sends: [`work loading ${A}`], told: [started] },
    'the heart beats': { state: 'backing off', due: both },
    'it is flushed': { state: 'sending', due: [], sends: [`work loading ${A}`], told: [started] },
    '500 ms pass': { state: 'sending', due: [], sends: [`work loading ${A}`], told: [started] },
  },
  'sending again with nothing new': {
    'the capacity is due': { state: 'sending', due: ['capacity', 'work'] },
    'the worker has loaded': { state: 'sending', due: both },
    'the worker loads': { state: 'sending', due: both },
    'it is flushed': { state: 'flushed', due: [], told: [settled, flushed] },
    'it is answered': {
      state: 'sending',
      due: [],
      sends: [`work loaded ${A}`],
      told: [settled, acknowledged('loaded', 'state'), started],
      emitted: [{ type: 'outage.ended', address: A, failedAttempts: 2 }, delivered(attempt('state'))],
    },
    'it fails': {
      state: 'sending',
      sends: [`state loaded ${B}`],
      told: [settled, started],
      emitted: [refused(attempt('state'))],
    },
  },
  'flushing to the last of two': {
    'the worker has loaded': { state: 'sending', due: both },
    'the work is due': { state: 'sending', due: ['work'] },
    'the capacity is due': { state: 'sending', due: ['capacity'] },
    'it is answered': {
      state: 'flushed',
      told: [settled, acknowledged('loading', 'work'), flushed],
      emitted: [{ type: 'address.changed', from: A, to: B }, delivered(attempt('work', B, LOADING))],
    },
    'it fails': {
      state: 'flushed',
      told: [settled, unreachable, flushed],
      emitted: [refused(attempt('work', B, LOADING)), { type: 'outage.began', error: NO_ANSWER }],
    },
  },
  flushed: {
    'the worker has loaded': {
      state: 'sending',
      due: ['work'],
      sends: [`state loaded ${A}`],
      told: [started],
    },
    'the work is due': { state: 'sending', sends: [`work loading ${A}`], told: [started] },
    'the capacity is due': { state: 'sending', sends: [`capacity loading ${A}`], told: [started] },
    'it is flushed': { state: 'sending', sends: [`work loading ${A}`], told: [started] },
  },
};

const ROWS = (Object.keys(GIVEN) as Given[]).flatMap((given) =>
  (Object.keys(WHEN) as When[])
    .filter((when) => !['it is answered', 'it fails'].includes(when) || /^(sending|flushing)/.test(given))
    .map((when) => ({ given, when })),
);

describe('what each event does in each state', () => {
  it.each(ROWS)('$given, when $when', async ({ given, when }) => {
    const intervalMs = when === 'the heart beats' ? HEARTBEAT_MS : 10_000;
    const reporter = start({ addresses: [A, B], intervalMs, plan: TELLS_CAPACITY });
    await GIVEN[given](reporter);
    const before = reporter.actor.getSnapshot();
    const seen = {
      sends: reporter.send.calls.length,
      told: reporter.told.length,
      emitted: reporter.emitted.length,
    };

    await WHEN[when](reporter);

    expect({
      state: reporter.state,
      due: reporter.actor.getSnapshot().context.due,
      sends: reporter.attempts().slice(seen.sends),
      told: reporter.told.slice(seen.told),
      emitted: reporter.emitted.slice(seen.emitted),
    }).toEqual({
      state: before.value,
      due: before.context.due,
      sends: [],
      told: [],
      emitted: [],
      ...TABLE[given][when],
    });
  });

  it('tells each attempt the status of its time', async () => {
    const reporter = start({ addresses: [A, B] });
    reporter.actor.send(becomes(LOADED));
    reporter.actor.send(becomes(reloaded));
    await reporter.fail();
    expect(reporter.send.calls.map(({ input }) => input)).toEqual([
      { kind: 'state', address: A, status: LOADED },
      { kind: 'state', address: B, status: reloaded },
    ]);
  });

  it('tells at once that a worker which was failing loads anew', async () => {
    const reporter = start();
    reporter.actor.send(becomes(FAILING));
    await reporter.answer();
    await reporter.answer();
    reporter.actor.send(becomes({ ...LOADING }));
    await reporter.answer();
    expect(reporter.attempts()).toEqual([`state failing ${A}`, `work failing ${A}`, `state loading ${A}`]);
  });

  it('does not tell that a worker which has just begun is loading', () => {
    const reporter = start();
    reporter.actor.send(becomes({ ...LOADING }));
    expect([reporter.state, reporter.attempts()]).toEqual(['quiet', []]);
  });

  it('tells at once that a load is in trouble, once, and at once that it is not any more', async () => {
    const reporter = start();
    const trouble = { ...LOADING, errorMessage: 'no_public_key' };
    reporter.actor.send(becomes(trouble));
    expect(reporter.send.last.input.status).toBe(trouble);
    await reporter.answer();
    reporter.actor.send(becomes({ ...trouble }));
    expect([reporter.state, reporter.send.calls.length]).toEqual(['quiet', 1]);
    reporter.actor.send(becomes({ ...LOADING }));
    await reporter.answer();
    expect(reporter.send.calls.map(({ input }) => [input.kind, input.status])).toEqual([
      ['state', trouble],
      ['state', LOADING],
    ]);
    expect(reporter.state).toBe('quiet');
  });

  it('tells both in one message where one covers both', async () => {
    const everything = both as ('state' | 'work')[];
    const reporter = start({
      plan: {
        covers: { state: everything, capacity: [], work: everything },
        onEnter: { loading: [], loaded: ['state'], failing: ['state'] },
        heartbeat: { loading: ['state'], loaded: ['work'], failing: ['work'] },
      },
    });
    reporter.actor.send(becomes(LOADED));
    reporter.actor.send({ type: 'work.due' });
    await reporter.fail();
    expect(reporter.actor.getSnapshot().context.due).toEqual(both);
    await reporter.clock.advance(500);
    await reporter.answer();
    expect([reporter.state, reporter.attempts()]).toEqual([
      'quiet',
      [`state loaded ${A}`, `state loaded ${A}`],
    ]);
    expect(reporter.told.at(-1)).toEqual({
      type: 'report.acknowledged',
      phase: 'loaded',
      covers: both,
      window: DELIVERY.window,
    });
  });
});

describe('the heartbeat', () => {
  it.each([1, 2, 3])(
    'comes at the interval, exactly, from a moment on that the seed %i draws',
    async (seed) => {
      const reporter = start({ seed });
      const first = firstBeatMs({ intervalMs: 10_000, seed });
      for (let beat = 0; beat < 4; beat++) {
        await reporter.clock.advance((beat === 0 ? first : 10_000) - 1);
        expect(reporter.state).toBe('quiet');
        await reporter.clock.advance(1);
        expect(reporter.attempts()).toEqual(Array(beat + 1).fill(`state loading ${A}`));
        await reporter.answer();
      }
    },
  );

  it('comes first within one interval, at any moment of it, and at the same one for the same seed', () => {
    const firsts = Array.from({ length: 1_000 }, (_, seed) => firstBeatMs({ intervalMs: 10_000, seed }));
    expect(firsts.filter((ms) => !Number.isInteger(ms) || ms < 1 || ms > 10_000)).toEqual([]);
    for (let from = 0; from < 10_000; from += 1_000) {
      // A tenth of all, give or take.
      const share = firsts.filter((ms) => ms > from && ms <= from + 1_000).length;
      expect(share).toBeGreaterThan(60);
      expect(share).toBeLessThan(140);
    }
    expect(firstBeatMs({ intervalMs: 10_000, seed: 7 })).toBe(firsts[7]);
  });

  it('keeps its cadence while attempts are slow, and is owed once however often it came', async () => {
    const reporter = start();
    reporter.actor.send(becomes(LOADED));
    await reporter.answer();
    await reporter.answer();
    const first = firstBeatMs(REPORTER_INPUT);
    await reporter.clock.advance(first);
    await reporter.clock.advance(34_999);
    expect(reporter.actor.getSnapshot().context.due).toEqual(['work']);
    await reporter.answer();
    await reporter.answer();
    expect([reporter.state, reporter.clock.now()]).toEqual(['quiet', first + 34_999]);
    await reporter.clock.advance(5_000);
    expect(reporter.state).toBe('quiet');
    await reporter.clock.advance(1);
    expect([reporter.state, reporter.clock.now()]).toEqual(['sending', first + 40_000]);
  });

  it('tells what the phase asks for', async () => {
    const reporter = start();
    reporter.actor.send(becomes(FAILING));
    await reporter.answer();
    await reporter.answer();
    await reporter.clock.advance(10_000);
    await reporter.answer();
    await reporter.answer();
    expect(reporter.attempts().slice(2)).toEqual([`state failing ${A}`, `work failing ${A}`]);
  });

  it('does not beat where there is no autoscaler', async () => {
    const reporter = start({ addresses: [] });
    expect(reporter.clock.waiting).toBe(0);
  });
});

describe('failover', () => {
  it('tries the addresses in order, and stays with the one that works', async () => {
    const reporter = start({ addresses: [A, B, C] });
    reporter.actor.send(becomes(LOADED));
    await reporter.fail();
    await reporter.answer();
    await reporter.answer();
    await reporter.clock.advance(10_000);
    await reporter.fail();
    await reporter.fail();
    await reporter.answer();
    await reporter.answer();
    await reporter.clock.advance(10_000);
    expect(reporter.attempts()).toEqual([
      `state loaded ${A}`,
      `state loaded ${B}`,
      `work loaded ${B}`,
      `work loaded ${B}`,
      `work loaded ${C}`,
      `work loaded ${A}`,
      `state loaded ${A}`,
      `work loaded ${A}`,
    ]);
    expect(reporter.emitted.filter(({ type }) => type === 'address.changed')).toEqual([
      { type: 'address.changed', from: A, to: B },
      { type: 'address.changed', from: B, to: A },
    ]);
    expect(reporter.told).not.toContainEqual(unreachable);
  });

  it('tells the state again after an outage, since the autoscaler may have forgotten it', async () => {
    const reporter = start();
    reporter.actor.send(becomes(LOADED));
    await reporter.answer();
    await reporter.answer();
    await reporter.clock.advance(10_000);
    await reporter.fail();
    await reporter.clock.advance(500);
    await reporter.answer();
    await reporter.answer();
    expect(reporter.attempts().slice(2)).toEqual([
      `work loaded ${A}`,
      `work loaded ${A}`,
      `state loaded ${A}`,
    ]);
  });

  it('asks the address that worked last first after each back-off', async () => {
    const reporter = start({ addresses: [A, B] });
    reporter.actor.send(becomes(LOADED));
    await reporter.fail();
    await reporter.answer();
    await reporter.fail();
    await reporter.fail();
    await reporter.clock.advance(500);
    expect(reporter.attempts().slice(2)).toEqual([
      `work loaded ${B}`,
      `work loaded ${A}`,
      `work loaded ${B}`,
    ]);
  });
});

describe('backing off', () => {
  /** How long each of the next waits is, when every attempt fails. */
  async function waits(reporter: RunningReporter, count: number): Promise<number[]> {
    const waited: number[] = [];
    while (waited.length < count) {
      await reporter.fail();
      waited.push(await reporter.clock.until(() => reporter.state === 'sending', 60_000));
    }
    return waited;
  }
  async function failing(seed: number) {
    const reporter = start({ seed, intervalMs: 1e9 });
    reporter.actor.send(becomes(LOADED));
    return reporter;
  }

  it('waits anything up to a ceiling that doubles up to the cap', async () => {
    const longest = Array<number>(8).fill(0);
    const shortest = Array<number>(8).fill(Number.POSITIVE_INFINITY);
    for (let seed = 0; seed < 60; seed++) {
      const waited = await waits(await failing(seed * 7919), 8);
      for (const [failure, ms] of waited.entries()) {
        longest[failure] = Math.max(longest[failure] ?? 0, ms);
        shortest[failure] = Math.min(shortest[failure] ?? 0, ms);
      }
    }
    const ceilings = [500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000];
    for (const [failure, ceiling] of ceilings.entries()) {
      expect(longest[failure]).toBeLessThan(ceiling);
      expect(longest[failure]).toBeGreaterThan(ceiling * 0.8);
      expect(shortest[failure]).toBeLessThan(ceiling * 0.2);
    }
  });

  it('waits the same times with the same seed, and others with another', async () => {
    const [once, again, other] = [await failing(1), await failing(1), await failing(2)];
    const waited = await waits(once, 10);
    expect(await waits(again, 10)).toEqual(waited);
    expect(await waits(other, 10)).not.toEqual(waited);
    expect(new Set(waited).size).toBe(waited.length);
  });

  it('begins anew after a success', async () => {
    const reporter = await failing(3);
    await waits(reporter, 6);
    expect(reporter.actor.getSnapshot().context.failedRounds).toBe(6);
    await reporter.answer();
    expect(reporter.actor.getSnapshot().context).toMatchObject({ failedRounds: 0, failedAttempts: 0 });
    for (const ms of await waits(reporter, 1)) expect(ms).toBeLessThan(500);
  });

  it('tells once that an outage began, at the first failed round, and once that it ended, with its sum', async () => {
    const reporter = start({ addresses: [A, B] });
    reporter.actor.send(becomes(LOADED));
    for (let round = 0; round < 3; round++) {
      await reporter.fail();
      await reporter.fail();
      await reporter.clock.until(() => reporter.state === 'sending', 60_000);
    }
    await reporter.fail();
    await reporter.answer();
    await reporter.answer();
    const sums = reporter.emitted.filter(({ type }) => type.startsWith('outage'));
    expect(sums).toEqual([
      { type: 'outage.began', error: NO_ANSWER },
      { type: 'outage.ended', address: B, failedAttempts: 7 },
    ]);
    expect(reporter.emitted.filter(({ type }) => type === 'report.failed')).toHaveLength(7);
  });

  it('sends a change of state at once', async () => {
    const reporter = start();
    reporter.actor.send(becomes(LOADED));
    await reporter.fail();
    expect(reporter.state).toBe('backing off');
    reporter.actor.send(becomes(FAILING));
    expect([reporter.state, reporter.attempts().at(-1), reporter.clock.now()]).toEqual([
      'sending',
      `state failing ${A}`,
      0,
    ]);
  });

  it('sends a change of state at once when the attempt that was under way then fails', async () => {
    const reporter = start();
    reporter.actor.send(becomes(LOADED));
    reporter.actor.send(becomes(FAILING));
    await reporter.fail();
    expect([reporter.state, reporter.attempts().at(-1), reporter.clock.now()]).toEqual([
      'sending',
      `state failing ${A}`,
      0,
    ]);
    await reporter.fail();
    expect(reporter.state).toBe('backing off');
  });

  it('goes quiet when the new state leaves nothing to tell', async () => {
    const reporter = start();
    await reporter.clock.advance(10_000);
    await reporter.fail();
    reporter.actor.send(becomes({ ...LOADING }));
    expect([reporter.state, reporter.attempts()]).toEqual(['quiet', [`state loading ${A}`]]);
    await reporter.clock.advance(10_000);
    expect(reporter.state).toBe('sending');
  });

  it('is not hurried by a heartbeat or by work', async () => {
    const reporter = start({ backOff: { baseMs: 60_000, capMs: 60_000 } });
    reporter.actor.send(becomes(LOADED));
    await reporter.fail();
    await reporter.clock.advance(10_000);
    reporter.actor.send({ type: 'work.due' });
    expect([reporter.state, reporter.send.calls.length]).toEqual(['backing off', 1]);
  });
});

describe('flushing', () => {
  it('tells the work from quiet, then says that everything is told', async () => {
    const reporter = start();
    reporter.actor.send({ type: 'flush' });
    expect(reporter.told).toEqual([started]);
    await reporter.answer();
    expect(reporter.told).toEqual([started, settled, acknowledged('loading', 'work'), flushed]);
    expect(reporter.clock.waiting).toBe(0);
  });

  it('takes the report that is under way for the last one, unless something came since', async () => {
    const [reporter, other] = [start(), start()];
    reporter.actor.send({ type: 'work.due' });
    reporter.actor.send({ type: 'flush' });
    await reporter.answer();
    expect([reporter.state, reporter.attempts()]).toEqual(['flushed', [`work loading ${A}`]]);

    other.actor.send({ type: 'work.due' });
    other.actor.send({ type: 'work.due' });
    other.actor.send({ type: 'flush' });
    await other.answer();
    expect(other.told).not.toContainEqual(flushed);
    await other.answer();
    expect([other.state, other.attempts()]).toEqual(['flushed', [`work loading ${A}`, `work loading ${A}`]]);
  });

  it('tries at once when it is backing off, and goes on trying', async () => {
    const reporter = start();
    reporter.actor.send({ type: 'work.due' });
    await reporter.fail();
    reporter.actor.send({ type: 'flush' });
    expect([reporter.state, reporter.clock.now()]).toEqual(['sending', 0]);
    await reporter.fail();
    await reporter.clock.until(() => reporter.state === 'sending', 4_000);
    await reporter.answer();
    expect([reporter.told.at(-1), reporter.clock.waiting]).toEqual([flushed, 0]);
  });

  it('goes on until it is told why the worker has failed, and lets go what an autoscaler knows', async () => {
    const reporter = start();
    reporter.actor.send(becomes(FAILING));
    await reporter.fail();
    reporter.actor.send({ type: 'flush' });
    for (let round = 0; round < 5; round++) {
      await reporter.fail();
      expect(reporter.state).toBe('backing off');
      await reporter.clock.until(() => reporter.state === 'sending', 4_000);
    }
    await reporter.answer();
    // The work is due too, but nobody has said that there is any.
    await reporter.fail();
    expect([reporter.state, reporter.told.at(-1)]).toEqual(['flushed', flushed]);
  });

  it('lets go of a heartbeat of a failure that is known', async () => {
    const reporter = start();
    reporter.actor.send(becomes(FAILING));
    await reporter.answer();
    await reporter.answer();
    await reporter.clock.advance(10_000);
    await reporter.fail();
    expect(reporter.state).toBe('backing off');
    reporter.actor.send({ type: 'flush' });
    expect([reporter.state, reporter.clock.now()]).toEqual(['flushed', 10_000]);
  });

  it('goes on until it has told the work that came after the message under way', async () => {
    const reporter = start();
    reporter.actor.send({ type: 'work.due' });
    reporter.actor.send({ type: 'work.due' });
    reporter.actor.send({ type: 'flush' });
    await reporter.answer();
    await reporter.fail();
    expect(reporter.state).toBe('backing off');
    await reporter.clock.until(() => reporter.state === 'sending', 4_000);
    await reporter.answer();
    expect([reporter.state, reporter.told.at(-1)]).toEqual(['flushed', flushed]);
  });

  it('does not go on for work that an autoscaler knows', async () => {
    const reporter = start();
    reporter.actor.send({ type: 'work.due' });
    await reporter.answer();
    await reporter.clock.advance(10_000);
    await reporter.fail();
    reporter.actor.send({ type: 'flush' });
    expect([reporter.state, reporter.told.at(-1)]).toEqual(['flushed', flushed]);
  });

  it('goes on for work that becomes due after all', async () => {
    const reporter = start();
    reporter.actor.send({ type: 'flush' });
    await reporter.fail();
    expect(reporter.state).toBe('flushed');
    reporter.actor.send({ type: 'work.due' });
    await reporter.fail();
    expect([reporter.state, reporter.told.at(-1)]).toEqual(['backing off', unreachable]);
  });

  it('gives up a message that nobody need hear, once it is known that nobody answers', async () => {
    const reporter = start();
    await reporter.clock.advance(10_000);
    await reporter.fail();
    await reporter.clock.until(() => reporter.state === 'sending', 4_000);
    const { signal } = reporter.send.last;
    reporter.actor.send({ type: 'flush' });
    expect([reporter.state, signal.aborted]).toEqual(['flushed', true]);
  });

  it('comes to an end although each report takes longer than the heartbeat', async () => {
    const reporter = start({ intervalMs: 1_000 });
    reporter.actor.send(becomes(LOADED));
    reporter.actor.send({ type: 'flush' });
    await reporter.clock.advance(1_500);
    await reporter.answer();
    await reporter.clock.advance(1_500);
    await reporter.answer();
    expect([reporter.state, reporter.attempts()]).toEqual([
      'flushed',
      [`state loaded ${A}`, `work loaded ${A}`],
    ]);
  });

  it('tells what becomes due after all, then says so again', async () => {
    const reporter = start();
    reporter.actor.send({ type: 'flush' });
    await reporter.answer();
    reporter.actor.send({ type: 'work.due' });
    await reporter.answer();
    expect(reporter.told.filter(({ type }) => type === 'reports.flushed')).toHaveLength(2);
  });

  it('has nothing to tell where there is no autoscaler', () => {
    const reporter = start({ addresses: [] });
    reporter.actor.send(becomes(LOADED));
    reporter.actor.send({ type: 'work.due' });
    reporter.actor.send({ type: 'flush' });
    expect([reporter.state, reporter.told, reporter.emitted, reporter.attempts()]).toEqual([
      'silent',
      [flushed],
      [],
      [],
    ]);
  });
});

describe('loaded', () => {
  it('is told until it is acknowledged, before the work', async () => {
    const reporter = start();
    reporter.actor.send(becomes(LOADED));
    for (let round = 0; round < 5; round++) {
      await reporter.fail();
      await reporter.clock.until(() => reporter.state === 'sending', 4_000);
    }
    await reporter.answer();
    await reporter.answer();
    await reporter.clock.advance(10_000);
    expect(reporter.attempts()).toEqual([
      ...Array(6).fill(`state loaded ${A}`),
      `work loaded ${A}`,
      `work loaded ${A}`,
    ]);
  });

  it('is not told while the worker is failing, and is told again after it has recovered', async () => {
    const reporter = start();
    reporter.actor.send(becomes(LOADED));
    await reporter.fail();
    reporter.actor.send(becomes(FAILING));
    await reporter.answer();
    await reporter.answer();
    await reporter.clock.advance(10_000);
    await reporter.answer();
    await reporter.answer();
    reporter.actor.send(becomes(LOADED));
    await reporter.answer();
    expect(reporter.attempts()).toEqual([
      `state loaded ${A}`,
      `state failing ${A}`,
      `work failing ${A}`,
      `state failing ${A}`,
      `work failing ${A}`,
      `state loaded ${A}`,
      `work loaded ${A}`,
    ]);
  });
});

describe('the batch capacity', () => {
  const CAPACITY = { type: 'capacity.due' } as const;

  /** A worker that is loaded, and has told everything, its capacity included. */
  async function known(input: Partial<ReporterInput> = {}): Promise<RunningReporter> {
    const reporter = start({ plan: TELLS_CAPACITY, ...input });
    reporter.actor.send(becomes(LOADED));
    reporter.actor.send(CAPACITY);
    await reporter.answer();
    await reporter.answer();
    await reporter.answer();
    expect([reporter.state, reporter.attempts()]).toEqual([
      'quiet',
      [`state loaded ${A}`, `capacity loaded ${A}`, `work loaded ${A}`],
    ]);
    return reporter;
  }

  it('is told once, between the state and the work, and by no heartbeat', async () => {
    const reporter = await known();
    expect(reporter.told).toContainEqual({
      type: 'report.acknowledged',
      phase: 'loaded',
      covers: ['capacity'],
      window: DELIVERY.window,
    });
    for (let beat = 0; beat < 3; beat++) {
      await reporter.clock.advance(10_000);
      await reporter.answer();
    }
    expect(reporter.attempts().slice(3)).toEqual(Array(3).fill(`work loaded ${A}`));
  });

  it('is told until it is acknowledged, at each address', async () => {
    const reporter = start({ plan: TELLS_CAPACITY, addresses: [A, B] });
    reporter.actor.send(CAPACITY);
    await reporter.fail();
    await reporter.fail();
    expect(reporter.state).toBe('backing off');
    await reporter.clock.until(() => reporter.state === 'sending', 4_000);
    await reporter.answer();
    expect(reporter.attempts()).toEqual([
      `capacity loading ${A}`,
      `capacity loading ${B}`,
      `capacity loading ${A}`,
      // Nobody has been heard from before.
      `state loading ${A}`,
    ]);
  });

  it('is told again when it has changed while it is being told', async () => {
    const reporter = start({ plan: TELLS_CAPACITY });
    reporter.actor.send(CAPACITY);
    reporter.actor.send(CAPACITY);
    await reporter.answer();
    await reporter.answer();
    expect([reporter.state, reporter.attempts()]).toEqual(['quiet', Array(2).fill(`capacity loading ${A}`)]);
  });

  it('is still due when the state of the worker changes', async () => {
    const reporter = start({ plan: TELLS_CAPACITY });
    reporter.actor.send({ type: 'work.due' });
    reporter.actor.send(CAPACITY);
    reporter.actor.send(becomes(FAILING));
    for (let message = 0; message < 3; message++) await reporter.answer();
    expect(reporter.attempts()).toEqual([
      `work loading ${A}`,
      `state failing ${A}`,
      `capacity failing ${A}`,
      `work failing ${A}`,
    ]);
  });

  it('is told again after an outage, since the autoscaler may have forgotten it', async () => {
    const reporter = await known();
    await reporter.clock.advance(10_000);
    await reporter.fail();
    await reporter.clock.advance(500);
    for (let message = 0; message < 3; message++) await reporter.answer();
    expect([reporter.state, reporter.attempts().slice(4)]).toEqual([
      'quiet',
      [`work loaded ${A}`, `state loaded ${A}`, `capacity loaded ${A}`],
    ]);
  });

  it('is told again to another address, which may never have known it', async () => {
    const reporter = await known({ addresses: [A, B] });
    reporter.actor.send(becomes(FAILING));
    await reporter.fail();
    for (let message = 0; message < 3; message++) await reporter.answer();
    expect([reporter.state, reporter.attempts().slice(4)]).toEqual([
      'quiet',
      [`state failing ${B}`, `capacity failing ${B}`, `work failing ${B}`],
    ]);
  });

  it('is not told again after the outage in which it has been told, though the state is', async () => {
    const reporter = await known();
    reporter.actor.send(CAPACITY);
    await reporter.fail();
    await reporter.clock.advance(500);
    await reporter.answer();
    await reporter.answer();
    expect([reporter.state, reporter.attempts().slice(4)]).toEqual([
      'quiet',
      [`capacity loaded ${A}`, `state loaded ${A}`],
    ]);
  });

  it('is nothing that a newcomer is told as long as there is none', async () => {
    const reporter = start({ plan: TELLS_CAPACITY, addresses: [A, B] });
    reporter.actor.send(becomes(LOADED));
    await reporter.fail();
    await reporter.answer();
    await reporter.answer();
    expect([reporter.state, reporter.attempts()]).toEqual([
      'quiet',
      [`state loaded ${A}`, `state loaded ${B}`, `work loaded ${B}`],
    ]);
  });

  it('is never told by a dialect that has no word for it, to a newcomer neither', async () => {
    const reporter = start({ addresses: [A, B] });
    reporter.actor.send(CAPACITY);
    expect([reporter.state, reporter.actor.getSnapshot().context.due]).toEqual(['quiet', []]);
    reporter.actor.send({ type: 'work.due' });
    await reporter.fail();
    await reporter.answer();
    await reporter.answer();
    expect([reporter.state, reporter.attempts()]).toEqual([
      'quiet',
      [`work loading ${A}`, `work loading ${B}`, `state loading ${B}`],
    ]);
  });

  it('is told by a worker that stops while somebody answers', async () => {
    const reporter = start({ plan: TELLS_CAPACITY });
    reporter.actor.send({ type: 'work.due' });
    reporter.actor.send(CAPACITY);
    reporter.actor.send({ type: 'flush' });
    await reporter.answer();
    await reporter.answer();
    expect([reporter.state, reporter.attempts()]).toEqual([
      'flushed',
      [`work loading ${A}`, `capacity loading ${A}`],
    ]);
  });

  it('is let go by a worker that stops while nobody does', async () => {
    const reporter = start({ plan: TELLS_CAPACITY });
    reporter.actor.send(CAPACITY);
    await reporter.fail();
    reporter.actor.send({ type: 'flush' });
    expect([reporter.state, reporter.actor.getSnapshot().context.due, reporter.clock.now()]).toEqual([
      'flushed',
      [],
      0,
    ]);
    expect(reporter.told.at(-1)).toEqual(flushed);
  });
});
