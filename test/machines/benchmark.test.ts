import { describe, expect, it } from 'vitest';
import {
  type BenchmarkInput,
  benchmarkMachine,
  type Measurement,
  type WarmUpResult,
} from '../../machines/benchmark.js';
import { turn } from '../../src/testing/clock.js';
import { Effect } from '../../src/testing/effect.js';
import { covered } from '../support/machines/coverage.js';
import { invoke } from '../support/machines/invoked.js';

const coverage = covered(benchmarkMachine);

const TIMEOUT_MS = 60_000;
const RETRY_MS = 2_000;
const SAVE_TIMEOUT_MS = 10_000;

const REFUSED: WarmUpResult = { ready: false, reason: 'connect ECONNREFUSED' };

const NOTHING = 'no request succeeded: it answered with status 500';

function start(input: Partial<BenchmarkInput> = {}) {
  const lookUp = new Effect<number | null>();
  const warmUp = new Effect<WarmUpResult>();
  const measure = new Effect<Measurement>();
  const save = new Effect<void, Measurement>();
  const machine = benchmarkMachine.provide({
    actors: { lookUp: lookUp.logic, warmUp: warmUp.logic, measure: measure.logic, save: save.logic },
  });
  const invoked = invoke(
    machine,
    { timeoutMs: TIMEOUT_MS, probeRetryMs: RETRY_MS, at: '', ...input },
    coverage.inspect,
  );
  const { actor } = invoked;
  const settle = async (act: () => void) => {
    act();
    await turn();
  };
  return {
    ...invoked,
    lookUp,
    warmUp,
    measure,
    save,
    get state() {
      const { value } = actor.getSnapshot();
      return typeof value === 'string' ? value : value['finding out'];
    },
    get output() {
      return actor.getSnapshot().output;
    },
    lookedUp: (result: number | null) => settle(() => lookUp.last.resolve(result)),
    warm: (result: WarmUpResult = { ready: true }) => settle(() => warmUp.last.resolve(result)),
    measured: (maxPerf: number) => settle(() => measure.last.resolve({ maxPerf })),
    nothing: (reason = NOTHING) => settle(() => measure.last.reject(new Error(reason))),
    saved: () => settle(() => save.last.resolve()),
    settle,
  };
}

type Running = ReturnType<typeof start>;

const GIVEN = {
  'looking up': async () => {},
  'warming up': (benchmark) => benchmark.lookedUp(null),
  pausing: async (benchmark) => {
    await GIVEN['warming up'](benchmark);
    await benchmark.warm(REFUSED);
  },
  measuring: async (benchmark) => {
    await GIVEN['warming up'](benchmark);
    await benchmark.warm();
  },
  'backing off': async (benchmark) => {
    await GIVEN.measuring(benchmark);
    await benchmark.nothing();
  },
  saving: async (benchmark) => {
    await GIVEN.measuring(benchmark);
    await benchmark.measured(42);
  },
} satisfies Record<string, (benchmark: Running) => Promise<void>>;

const WHEN = {
  '2 s pass': (benchmark) => benchmark.clock.advance(RETRY_MS),
  '10 s pass': (benchmark) => benchmark.clock.advance(SAVE_TIMEOUT_MS),
  'the time is over': (benchmark) => benchmark.clock.advance(TIMEOUT_MS),
  'a result is found': (benchmark) => benchmark.lookedUp(7),
  'none is found': (benchmark) => benchmark.lookedUp(null),
  'what is found is no speed': (benchmark) => benchmark.lookedUp(0),
  'the look-up fails': (benchmark) => benchmark.settle(() => benchmark.lookUp.last.reject(new Error('disk'))),
  'it is warm': (benchmark) => benchmark.warm(),
  'it does not take requests': (benchmark) => benchmark.warm(REFUSED),
  'the warm-up fails': (benchmark) => benchmark.settle(() => benchmark.warmUp.last.reject(new Error('no'))),
  'it is measured': (benchmark) => benchmark.measured(42),
  'the speed is 0': (benchmark) => benchmark.measured(0),
  'no request succeeds': (benchmark) => benchmark.nothing(),
  'it is saved': (benchmark) => benchmark.saved(),
  'it can not be saved': (benchmark) =>
    benchmark.settle(() => benchmark.save.last.reject(new Error('the disk is full'))),
} satisfies Record<string, (benchmark: Running) => Promise<void>>;

type Given = keyof typeof GIVEN;
type When = keyof typeof WHEN;

interface Then {
  readonly state: string;
  readonly output?: object;
  readonly told?: object[];
}

const began = { type: 'benchmark.began' };
const failedWith = (reason: string): Then => ({ state: 'failed', output: { ok: false, reason } });
const measured = { ok: true, maxPerf: 42, measured: true };

/** What each event brings about in each state. What is not listed can't happen there. */
const TABLE: Record<Given, Partial<Record<When, Then>>> = {
  'looking up': {
    '2 s pass': { state: 'looking up' },
    'the time is over': failedWith('the benchmark took more than 60 s'),
    'a result is found': {
      state: 'done',
      output: { ok: true, maxPerf: 7, measured: false },
      told: [{ type: 'benchmark.reused', maxPerf: 7 }],
    },
    'none is found': { state: 'warming up' },
    'what is found is no speed': { state: 'warming up' },
    'the look-up fails': { state: 'warming up' },
  },
  'warming up': {
    '2 s pass': { state: 'warming up' },
    'the time is over': failedWith('the benchmark took more than 60 s'),
    'it is warm': { state: 'measuring', told: [began] },
    'it does not take requests': {
      state: 'pausing',
      told: [{ type: 'benchmark.waits', reason: 'connect ECONNREFUSED', at: '' }],
    },
    'the warm-up fails': failedWith('no'),
  },
  pausing: {
    '2 s pass': { state: 'warming up' },
    'the time is over': failedWith(
      'the benchmark took more than 60 s: the model does not take requests (connect ECONNREFUSED)',
    ),
  },
  measuring: {
    '2 s pass': { state: 'measuring' },
    'the time is over': failedWith('the benchmark took more than 60 s'),
    'it is measured': { state: 'saving' },
    'the speed is 0': failedWith('the benchmark measured 0 units of work per second'),
    'no request succeeds': {
      state: 'backing off',
      told: [{ type: 'benchmark.failed', reason: NOTHING, retryMs: RETRY_MS }],
    },
  },
  'backing off': {
    '2 s pass': { state: 'warming up' },
    'the time is over': failedWith(`${NOTHING} (measured once in 60 s)`),
  },
  saving: {
    '2 s pass': { state: 'saving' },
    '10 s pass': {
      state: 'done',
      output: measured,
      told: [{ type: 'benchmark.unsaved', maxPerf: 42, reason: 'it took too long' }],
    },
    'it is saved': { state: 'done', output: measured, told: [{ type: 'benchmark.saved', maxPerf: 42 }] },
    'it can not be saved': {
      state: 'done',
      output: measured,
      told: [{ type: 'benchmark.unsaved', maxPerf: 42, reason: 'the disk is full' }],
    },
  },
};

const ROWS = (Object.keys(GIVEN) as Given[]).flatMap((given) =>
  (Object.keys(TABLE[given]) as When[]).map((when) => ({ given, when })),
);

describe('what each event does in each state', () => {
  it.each(ROWS)('$given, when $when', async ({ given, when }) => {
    const benchmark = start();
    await GIVEN[given](benchmark);
    const seen = benchmark.told.length;
    await WHEN[when](benchmark);
    expect({
      state: benchmark.state,
      output: benchmark.output,
      told: benchmark.told.slice(seen),
    }).toEqual({ output: undefined, told: [], ...TABLE[given][when] });
  });
});

describe('the benchmark', () => {
  it('measures once and saves that, when no result was saved before', async () => {
    const benchmark = start();
    await GIVEN.saving(benchmark);
    expect(benchmark.save.last.input).toEqual({ maxPerf: 42 });
    await benchmark.saved();
    expect(benchmark.measure.calls).toHaveLength(1);
    expect(benchmark.told).toEqual([began, { type: 'benchmark.saved', maxPerf: 42 }]);
  });

  it('measures nothing when a result was saved before', async () => {
    const benchmark = start();
    await benchmark.lookedUp(7);
    expect([benchmark.warmUp.calls, benchmark.measure.calls, benchmark.save.calls]).toEqual([[], [], []]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('measures again where %d was saved', async (saved) => {
    const benchmark = start();
    await benchmark.lookedUp(saved);
    expect(benchmark.state).toBe('warming up');
  });

  it('before the port is open it probes first, and tries again within its budget', async () => {
    const benchmark = start();
    await benchmark.lookedUp(null);
    for (let tries = 1; tries <= 5; tries++) {
      expect(benchmark.warmUp.calls).toHaveLength(tries);
      await benchmark.warm(REFUSED);
      expect(benchmark.state).toBe('pausing');
      await benchmark.clock.advance(RETRY_MS);
    }
    await benchmark.warm();
    await benchmark.measured(42);
    await benchmark.saved();
    expect(benchmark.output).toEqual(measured);
  });

  it('a port that does not open is told at once, then ever more rarely up to once a minute, and each new reason', async () => {
    const benchmark = start({ timeoutMs: 600_000 });
    await benchmark.lookedUp(null);
    const startedAtMs = benchmark.clock.now();
    const tellsFor = async (ms: number, reason: string) => {
      const toldAtSeconds: number[] = [];
      for (const untilMs = benchmark.clock.now() + ms; benchmark.clock.now() < untilMs; ) {
        const told = benchmark.told.length;
        await benchmark.warm({ ready: false, reason });
        const news = benchmark.told.slice(told);
        if (news.length > 0) toldAtSeconds.push((benchmark.clock.now() - startedAtMs) / 1_000);
        expect(news).toEqual(news.length === 0 ? [] : [{ type: 'benchmark.waits', reason, at: '' }]);
        await benchmark.clock.advance(RETRY_MS);
      }
      return toldAtSeconds;
    };
    expect(await tellsFor(250_000, 'refused')).toEqual([0, 2, 6, 14, 30, 62, 122, 182, 242]);
    expect(await tellsFor(10_000, 'status 503')).toEqual([250, 252, 256]);
    expect(await tellsFor(4_000, 'refused')).toEqual([260, 262]);
    await benchmark.warm();
    await benchmark.nothing();
    await benchmark.clock.advance(RETRY_MS);
    expect(await tellsFor(2_000, 'refused')).toEqual([266]);
  });

  it('a port that never opens fails it when its time is over, with the reason', async () => {
    const benchmark = start();
    await benchmark.lookedUp(null);
    const startedAtMs = benchmark.clock.now();
    while (benchmark.output === undefined) {
      if (benchmark.state === 'warming up') await benchmark.warm(REFUSED);
      await benchmark.clock.advance(RETRY_MS);
    }
    expect(benchmark.clock.now() - startedAtMs).toBe(TIMEOUT_MS);
    expect(benchmark.warmUp.calls).toHaveLength(TIMEOUT_MS / RETRY_MS);
    expect(benchmark.output).toEqual({
      ok: false,
      reason: 'the benchmark took more than 60 s: the model does not take requests (connect ECONNREFUSED)',
    });
  });

  it('what it waited for before it measured is not told as the reason for a time-out', async () => {
    const benchmark = start();
    await GIVEN.pausing(benchmark);
    await benchmark.clock.advance(RETRY_MS);
    await benchmark.warm();
    await benchmark.clock.advance(TIMEOUT_MS);
    expect(benchmark.output).toEqual({ ok: false, reason: 'the benchmark took more than 60 s' });
    expect(benchmark.measure.last.signal.aborted).toBe(true);
  });

  it('every request fails, then they do not: it is measured again, and that is saved', async () => {
    const benchmark = start();
    await GIVEN['backing off'](benchmark);
    await benchmark.clock.advance(RETRY_MS);
    await benchmark.warm();
    await benchmark.measured(42);
    await benchmark.saved();
    expect(benchmark.output).toEqual(measured);
    expect(benchmark.told).toEqual([
      began,
      { type: 'benchmark.failed', reason: NOTHING, retryMs: RETRY_MS },
      began,
      { type: 'benchmark.saved', maxPerf: 42 },
    ]);
  });

  it('every request fails for ever: it is tried with longer and longer pauses, and its last reason is told', async () => {
    const benchmark = start({ timeoutMs: 600_000 });
    await benchmark.lookedUp(null);
    const [startedAtMs, measuredAtMs]: [number, number[]] = [benchmark.clock.now(), []];
    while (benchmark.output === undefined) {
      if (benchmark.state === 'warming up') {
        await benchmark.warm();
        measuredAtMs.push((benchmark.clock.now() - startedAtMs) / 1_000);
        await benchmark.nothing(`reason ${measuredAtMs.length}`);
      }
      await benchmark.clock.advance(1_000);
    }
    const seconds = [0, 2, 6, 14, 30, 62, 122, 182, 242, 302, 362, 422, 482, 542];
    expect(measuredAtMs).toEqual(seconds);
    expect(benchmark.clock.now() - startedAtMs).toBe(600_000);
    expect(benchmark.output).toEqual({ ok: false, reason: 'reason 14 (measured 14 times in 600 s)' });
  });

  it('an attempt that is not over in time does not hide why the one before came to nothing', async () => {
    const benchmark = start();
    await GIVEN['backing off'](benchmark);
    await benchmark.clock.advance(RETRY_MS);
    await benchmark.warm();
    await benchmark.clock.advance(TIMEOUT_MS);
    expect(benchmark.output).toEqual({ ok: false, reason: `${NOTHING} (measured once in 60 s)` });
    expect(benchmark.measure.last.signal.aborted).toBe(true);
  });

  it('a model that goes away after it has failed is what is told when the time is over', async () => {
    const benchmark = start();
    await GIVEN['backing off'](benchmark);
    await benchmark.clock.advance(RETRY_MS);
    await benchmark.warm(REFUSED);
    await benchmark.clock.advance(TIMEOUT_MS - RETRY_MS - 1);
    if (benchmark.state === 'warming up') await benchmark.warm(REFUSED);
    await benchmark.clock.advance(1);
    expect(benchmark.output).toEqual({
      ok: false,
      reason: 'the benchmark took more than 60 s: the model does not take requests (connect ECONNREFUSED)',
    });
  });

  it('gives a result that is measured just in time the time to be saved', async () => {
    const benchmark = start();
    await GIVEN.measuring(benchmark);
    await benchmark.clock.advance(TIMEOUT_MS - 1);
    await benchmark.measured(42);
    await benchmark.clock.advance(5_000);
    await benchmark.saved();
    expect(benchmark.output).toEqual(measured);
  });
});
