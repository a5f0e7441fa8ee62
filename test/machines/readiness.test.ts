import { describe, expect, it } from 'vitest';
import { benchmarkMachine } from '../../machines/benchmark.js';
import { type Heard, NOTHING_HEARD } from '../../machines/heard.js';
import { readinessMachine } from '../../machines/readiness.js';
import { hear, type ReadinessInput } from '../../machines/readiness-facts.js';
import { covered } from '../support/machines/coverage.js';
import {
  EVERYTHING,
  HEALTH_URL,
  LOAD_TIMEOUT_MS,
  NOTHING,
  type RunningReadiness,
  STALL_TIMEOUT_MS,
  startReadiness,
} from '../support/machines/readiness.js';

const coverage = covered(readinessMachine);
const start = (input: Partial<ReadinessInput> = {}) => startReadiness(input, coverage.inspect);

const INIT = "the backend's own init";
const LOG = "a line in the model's log that says that it has loaded";
const LOG_AFTER_A_FAILURE = `${LOG}; before the worker began it told of a failure: no such GPU`;
const HEALTH = "a 200 of the model's health route";
const HEALTH_IN_DETAIL = `a 200 of ${HEALTH_URL}`;
const BENCHMARK = 'the benchmark';
const KEY = "the autoscaler's public key";

const FAILURE_STANDS_AFTER_MS = 2_000;

const trouble = (message: string) => ({ type: 'load.trouble', message });

const GIVEN = {
  initialising: async () => {},
  'waiting for the log': (readiness) => readiness.initialised(),
  'waiting for the log, which says that it has failed': async (readiness) => {
    await GIVEN['waiting for the log'](readiness);
    readiness.send({ type: 'log.failed', line: 'CUDA out of memory' });
  },
  'waiting for health': async (readiness) => {
    await GIVEN['waiting for the log'](readiness);
    readiness.send({ type: 'log.loaded' });
  },
  benchmarking: async (readiness) => {
    await GIVEN['waiting for health'](readiness);
    await readiness.well();
  },
  'taking the time': async (readiness) => {
    await GIVEN.benchmarking(readiness);
    await readiness.benchmarked({ ok: true, maxPerf: 42, measured: false });
  },
  'waiting for the key': async (readiness) => {
    await GIVEN['taking the time'](readiness);
    await readiness.timed();
  },
  'waiting for the key, which is late': async (readiness) => {
    await GIVEN['waiting for the key'](readiness);
    readiness.send({ type: 'key.late', reason: 'no public key' });
  },
} satisfies Record<string, (readiness: RunningReadiness) => Promise<void>>;

const WHEN = {
  'init ends': (readiness) => readiness.initialised(),
  'init throws': (readiness) =>
    readiness.settle(() => readiness.init.last.reject(new Error('no such file: weights.bin'))),
  'the log says that it has loaded': (readiness) => readiness.send({ type: 'log.loaded' }),
  'the log says that it has failed': (readiness) =>
    readiness.send({ type: 'log.failed', line: 'CUDA out of memory' }),
  'the log ended with a failure before': (readiness) =>
    readiness.send({ type: 'log.hadFailed', line: 'no such GPU' }),
  'the log has a new line': (readiness) => readiness.send({ type: 'log.progress' }),
  'the folder of the model has grown': (readiness) => readiness.send({ type: 'disk.progress' }),
  'somebody says that it has loaded': (readiness) => readiness.send({ type: 'model.loaded' }),
  'somebody says how fast it is': (readiness) => readiness.send({ type: 'model.loaded', maxPerf: 9 }),
  'somebody says that it has failed': (readiness) =>
    readiness.send({ type: 'model.failed', message: 'the model has crashed' }),
  'health is asked in vain': (readiness) =>
    readiness.send({ type: 'health.unwell', reason: 'it answered with status 503' }),
  'health answers 200': (readiness) => readiness.well(),
  'health can not be asked': (readiness) =>
    readiness.settle(() => readiness.healthy.last.reject(new Error('no route'))),
  'the benchmark has a result': (readiness) =>
    readiness.benchmarked({ ok: true, maxPerf: 42, measured: false }),
  'the benchmark fails': (readiness) => readiness.benchmarked({ ok: false, reason: 'no request succeeded' }),
  'the benchmark tells something': (readiness) => readiness.send({ type: 'benchmark.began' }),
  'the time is read': (readiness) => readiness.timed(),
  'the time can not be read': (readiness) =>
    readiness.settle(() => readiness.loadTime.last.reject(new Error('no clock'))),
  'the key is late': (readiness) => readiness.send({ type: 'key.late', reason: 'no answer' }),
  'the key is there': (readiness) => readiness.send({ type: 'key.held' }),
  'what the log says is not taken back': (readiness) => readiness.clock.advance(FAILURE_STANDS_AFTER_MS),
  'the time for a stall is over': (readiness) => readiness.clock.advance(STALL_TIMEOUT_MS),
  'the time for the load is over': (readiness) => readiness.clock.advance(LOAD_TIMEOUT_MS),
} satisfies Record<string, (readiness: RunningReadiness) => void | Promise<void>>;

type Given = keyof typeof GIVEN;
type When = keyof typeof WHEN;

interface Then {
  readonly state?: string;
  readonly output?: object;
  readonly told?: object[];
  readonly emitted?: object[];
}

const goesTo = (state: string, ...waitingFor: string[]): Then => ({
  state,
  emitted: waitingFor.map((sentence) => ({ type: 'waiting', waitingFor: sentence })),
});
const failsWith = (reason: string): Then => ({ state: 'failed', output: { ok: false, reason } });
const tooLong = (waitedFor: string) =>
  failsWith(`the model did not load within 1200 s (TSWORKER_LOAD_TIMEOUT); it still waited for ${waitedFor}`);
const fatalLine = failsWith('the model server said: CUDA out of memory');
const isTold: Then = { told: [trouble('no answer')] };
const isPassedOn: Then = { emitted: [{ type: 'benchmark.began' }] };
const ready = { ok: true, maxPerf: 42, loadTimeSeconds: 12.5 };

/** What can happen in every state, and ends an effect of the state alone. */
const ENDINGS: Record<Given, readonly When[]> = {
  initialising: ['init ends', 'init throws'],
  'waiting for the log': [],
  'waiting for the log, which says that it has failed': [],
  'waiting for health': ['health answers 200', 'health can not be asked'],
  benchmarking: ['the benchmark has a result', 'the benchmark fails'],
  'taking the time': ['the time is read', 'the time can not be read'],
  'waiting for the key': [],
  'waiting for the key, which is late': [],
};

/** What each event brings about in each state, where everything is waited for. What is not listed changes nothing. */
const TABLE: Record<Given, Partial<Record<When, Then>>> = {
  initialising: {
    'init ends': goesTo('waiting for the log', LOG),
    'init throws': failsWith('no such file: weights.bin'),
    'the time for the load is over': tooLong(INIT),
  },
  'waiting for the log': {
    'the log ended with a failure before': goesTo('waiting for the log', LOG_AFTER_A_FAILURE),
    'the log says that it has loaded': goesTo('waiting for health', HEALTH_IN_DETAIL),
    'somebody says that it has loaded': goesTo('waiting for health', HEALTH_IN_DETAIL),
    'somebody says how fast it is': goesTo('waiting for health', HEALTH_IN_DETAIL),
    'the time for a stall is over': failsWith(
      `the model's log has had no new line for 300 s (TSWORKER_LOAD_STALL_TIMEOUT); it still waited for ${LOG}`,
    ),
    'the time for the load is over': failsWith(
      `the model's log has had no new line for 300 s (TSWORKER_LOAD_STALL_TIMEOUT); it still waited for ${LOG}`,
    ),
  },
  'waiting for the log, which says that it has failed': {
    'the log ended with a failure before': goesTo('waiting for the log', LOG_AFTER_A_FAILURE),
    'the log says that it has loaded': goesTo('waiting for health', HEALTH_IN_DETAIL),
    'somebody says that it has loaded': goesTo('waiting for health', HEALTH_IN_DETAIL),
    'somebody says how fast it is': goesTo('waiting for health', HEALTH_IN_DETAIL),
    'what the log says is not taken back': fatalLine,
    'the time for a stall is over': fatalLine,
    'the time for the load is over': fatalLine,
  },
  'waiting for health': {
    'health answers 200': goesTo('benchmarking', BENCHMARK),
    'health is asked in vain': goesTo(
      'waiting for health',
      `${HEALTH_IN_DETAIL}: it answered with status 503`,
    ),
    'health can not be asked': failsWith('no route'),
    'the time for the load is over': tooLong(HEALTH),
  },
  benchmarking: {
    'the benchmark has a result': {
      state: 'taking the time',
      emitted: [{ type: 'benchmark.reused', maxPerf: 42 }],
    },
    'the benchmark fails': failsWith('no request succeeded'),
    'somebody says how fast it is': { state: 'taking the time' },
    'the time for the load is over': failsWith('the benchmark took more than 600 s'),
  },
  'taking the time': {
    'the time is read': goesTo('waiting for the key', KEY),
    'the time can not be read': failsWith('no clock'),
  },
  'waiting for the key': {
    'the key is there': { state: 'ready', output: ready },
  },
  'waiting for the key, which is late': {
    'the key is there': { state: 'ready', output: ready, told: [trouble('')] },
  },
};

/** The same in all states but where the table says another thing. */
const EVERYWHERE: Partial<Record<When, Then>> = {
  'somebody says that it has failed': failsWith('the model has crashed'),
  'the key is late': isTold,
  'the benchmark tells something': isPassedOn,
};

const OF_ONE_STATE = Object.values(ENDINGS).flat();
const ROWS = (Object.keys(GIVEN) as Given[]).flatMap((given) =>
  (Object.keys(WHEN) as When[])
    .filter((when) => !OF_ONE_STATE.includes(when) || ENDINGS[given].includes(when))
    .map((when) => ({ given, when })),
);

describe('what each event does in each state', () => {
  it.each(ROWS)('$given, when $when', async ({ given, when }) => {
    const readiness = start();
    await GIVEN[given](readiness);
    const seen = { told: readiness.told.length, emitted: readiness.emitted.length };
    const { state } = readiness;
    await WHEN[when](readiness);
    expect({
      state: readiness.state,
      output: readiness.output,
      told: readiness.told.slice(seen.told),
      emitted: readiness.emitted.slice(seen.emitted),
    }).toEqual({
      state,
      output: undefined,
      told: [],
      emitted: [],
      ...EVERYWHERE[when],
      ...TABLE[given][when],
    });
  });
});

describe('readiness by log, by health or by both, since engines differ,', () => {
  const only = (...names: (keyof typeof EVERYTHING)[]) => ({
    ...NOTHING,
    ...Object.fromEntries(names.map((name) => [name, true])),
  });

  /** Answers whatever is waited for, until it is ready, and says what that was. */
  async function walk(readiness: RunningReadiness): Promise<string[]> {
    const way: string[] = [];
    while (readiness.output === undefined) {
      way.push(readiness.state);
      await answer(readiness);
    }
    return way;
  }

  async function answer(readiness: RunningReadiness): Promise<void> {
    const { state } = readiness;
    if (state === 'initialising') return readiness.initialised();
    if (state === 'waiting for the log') return readiness.send({ type: 'log.loaded' });
    if (state === 'waiting for health') return readiness.well();
    if (state === 'benchmarking') return readiness.benchmarked({ ok: true, maxPerf: 42, measured: false });
    if (state === 'taking the time') return readiness.timed();
    return readiness.send({ type: 'key.held' });
  }

  it.each<[string, ReadinessInput['waitsFor'], string[], number]>([
    ['nothing at all', NOTHING, [], 5],
    ['the log', only('log'), ['waiting for the log'], 5],
    ['health', only('health'), ['waiting for health'], 5],
    ['log, then the benchmark', only('log', 'benchmark'), ['waiting for the log', 'benchmarking'], 42],
    [
      'health before the benchmark, so that it meets an open port',
      only('health', 'benchmark'),
      ['waiting for health', 'benchmarking'],
      42,
    ],
    [
      'log, then health, then the benchmark',
      only('log', 'health', 'benchmark'),
      ['waiting for the log', 'waiting for health', 'benchmarking'],
      42,
    ],
  ])('is %s', async (_, waitsFor, way, maxPerf) => {
    const readiness = start({ waitsFor });
    expect(await walk(readiness)).toEqual(['initialising', ...way, 'taking the time']);
    expect(readiness.output).toEqual({ ok: true, maxPerf, loadTimeSeconds: 12.5 });
    expect(readiness.loadTime.last.input).toEqual({ startedAtMs: 1_000 });
  });

  it('is the key at last, where one is needed and not there', async () => {
    const readiness = start({ waitsFor: only('key') });
    expect(await walk(readiness)).toEqual(['initialising', 'taking the time', 'waiting for the key']);
    const held = start({ waitsFor: only('key'), heard: { ...NOTHING_HEARD, keyHeld: true } });
    expect(await walk(held)).toEqual(['initialising', 'taking the time']);
  });

  it('counts what happened before its turn', async () => {
    const readiness = start();
    readiness.send({ type: 'key.held' });
    readiness.send({ type: 'model.loaded', maxPerf: 9 });
    expect(await walk(readiness)).toEqual(['initialising', 'waiting for health', 'taking the time']);
    expect(readiness.output).toEqual({ ok: true, maxPerf: 9, loadTimeSeconds: 12.5 });
    expect(readiness.measure.calls).toEqual([]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'does not take a speed of %d for one that was told',
    async (maxPerf) => {
      const readiness = start();
      readiness.send({ type: 'model.loaded', maxPerf });
      expect(await walk(readiness)).toContain('benchmarking');
      expect(readiness.output).toMatchObject({ maxPerf: 42 });
    },
  );

  it('ends the benchmark when somebody says meanwhile how fast the model is', async () => {
    const readiness = start({ waitsFor: only('benchmark') });
    await readiness.initialised();
    readiness.send({ type: 'model.loaded', maxPerf: 9 });
    expect(readiness.lookUp.last.signal.aborted).toBe(true);
    await readiness.timed();
    expect(readiness.output).toEqual({ ok: true, maxPerf: 9, loadTimeSeconds: 12.5 });
  });

  it('says at each step what it waits for', async () => {
    const readiness = start();
    const sentences = [readiness.waitingFor];
    await walk(readiness);
    sentences.push(
      ...readiness.emitted.flatMap((event) => (event.type === 'waiting' ? event.waitingFor : [])),
    );
    expect(sentences).toEqual([INIT, LOG, HEALTH_IN_DETAIL, BENCHMARK, KEY]);
  });
});

describe('what was said before a load was begun anew', () => {
  const KNOWN: Heard = { keyHeld: true, keyLate: '', loaded: true, toldPerf: 9, oldFailure: '' };

  it('is not waited for again', async () => {
    const readiness = start({ heard: KNOWN });
    await readiness.initialised();
    expect(readiness.state).toBe('waiting for health');
    await readiness.well();
    await readiness.timed();
    expect(readiness.output).toEqual({ ok: true, maxPerf: 9, loadTimeSeconds: 12.5 });
  });

  it('is that the key is late, which the parent knows already and is told when it is over', () => {
    const readiness = start({ heard: { ...NOTHING_HEARD, keyLate: 'no answer' } });
    expect(readiness.told).toEqual([]);
    readiness.send({ type: 'key.held' });
    expect(readiness.told).toEqual([trouble('')]);
  });
});

describe('a failure with which the log ended before it was watched', () => {
  const hadFailed = { type: 'log.hadFailed', line: 'no such GPU' } as const;

  it('fails nothing, and is named where the log is waited for', async () => {
    const readiness = start();
    readiness.send(hadFailed);
    await readiness.initialised();
    await readiness.clock.advance(STALL_TIMEOUT_MS - 1);
    expect(readiness.emitted.at(-1)).toEqual({ type: 'waiting', waitingFor: LOG_AFTER_A_FAILURE });
    // Clients are told this one, and the line may be of a request.
    expect(readiness.waitingFor).toBe(LOG);
    await readiness.clock.advance(1);
    expect(readiness.output).toEqual({
      ok: false,
      reason: `the model's log has had no new line for 300 s (TSWORKER_LOAD_STALL_TIMEOUT); it still waited for ${LOG}\nBefore the worker began the model's log told of a failure: no such GPU`,
    });
  });

  it('is named in the next load too, until the log says another thing', async () => {
    const heard = hear(NOTHING_HEARD, hadFailed);
    const readiness = start({ heard });
    await readiness.initialised();
    expect(readiness.emitted.at(-1)).toEqual({ type: 'waiting', waitingFor: LOG_AFTER_A_FAILURE });
    expect(hear(heard, { type: 'log.loaded' })).toEqual({ ...NOTHING_HEARD, loaded: true });
    expect(hear(heard, { type: 'model.loaded' })).toEqual({ ...NOTHING_HEARD, loaded: true });
  });

  it('keeps no new failure from counting', async () => {
    const readiness = start();
    readiness.send(hadFailed);
    await readiness.initialised();
    readiness.send({ type: 'log.failed', line: 'CUDA out of memory' });
    await readiness.clock.advance(FAILURE_STANDS_AFTER_MS);
    expect(readiness.output).toEqual({ ok: false, reason: 'the model server said: CUDA out of memory' });
  });
});

describe('a line of the log that says that the model has failed', () => {
  const failed = { type: 'log.failed', line: 'CUDA out of memory' } as const;

  it('does not kill a model that has loaded: a later line takes it back', async () => {
    const readiness = start();
    readiness.send(failed);
    readiness.send({ type: 'log.loaded' });
    await readiness.initialised();
    await readiness.clock.advance(10 * FAILURE_STANDS_AFTER_MS);
    expect(readiness.state).toBe('waiting for health');
  });

  it('is taken back by a 200 of the health route', async () => {
    const readiness = start({ waitsFor: { ...EVERYTHING, log: false } });
    readiness.send(failed);
    await readiness.initialised();
    await readiness.clock.advance(FAILURE_STANDS_AFTER_MS - 1);
    await readiness.well();
    await readiness.clock.advance(10 * FAILURE_STANDS_AFTER_MS);
    expect(readiness.state).toBe('benchmarking');
  });

  it('counts again after one that was taken back, with its own line and from its own time', async () => {
    const readiness = start();
    readiness.send(failed);
    readiness.send({ type: 'model.loaded' });
    await readiness.initialised();
    await readiness.clock.advance(FAILURE_STANDS_AFTER_MS - 1);
    readiness.send({ type: 'log.failed', line: 'no such tokenizer' });
    await readiness.clock.advance(FAILURE_STANDS_AFTER_MS - 1);
    expect(readiness.state).toBe('waiting for health');
    await readiness.clock.advance(1);
    expect(readiness.output).toEqual({ ok: false, reason: 'the model server said: no such tokenizer' });
  });

  it('is told as the first of several, which is nearest to the cause, and counts from there', async () => {
    const readiness = start();
    readiness.send(failed);
    await readiness.clock.advance(FAILURE_STANDS_AFTER_MS - 1);
    readiness.send({ type: 'log.failed', line: 'Engine process failed to start' });
    await readiness.clock.advance(1);
    expect(readiness.output).toEqual({ ok: false, reason: 'the model server said: CUDA out of memory' });
  });

  it('counts for nothing where the model has loaded when its time is over', async () => {
    const readiness = start({ waitsFor: { ...EVERYTHING, log: false } });
    await readiness.initialised();
    readiness.send(failed);
    await readiness.well();
    readiness.send({ type: 'log.failure.stands' });
    expect(readiness.state).toBe('benchmarking');
  });
});

describe('readiness', () => {
  it('a health route that answers later than 300 s is waited for, as long as the load may take', async () => {
    const readiness = start({ loadTimeoutMs: 3_600_000 });
    await GIVEN['waiting for health'](readiness);
    await readiness.clock.advance(3_599_999);
    expect(readiness.state).toBe('waiting for health');
    await readiness.well();
    expect(readiness.state).toBe('benchmarking');
  });

  it('all benchmark requests failed: it fails with the reason, and is never ready with a speed of 0', async () => {
    const readiness = start();
    await GIVEN.benchmarking(readiness);
    await readiness.settle(() => readiness.lookUp.last.resolve(null));
    await readiness.settle(() => readiness.warmUp.last.resolve({ ready: true }));
    await readiness.settle(() => readiness.measure.last.reject(new Error('it answered with status 500')));
    await readiness.clock.advance(600_000);
    expect(readiness.output).toEqual({
      ok: false,
      reason: expect.stringContaining('it answered with status 500'),
    });
  });

  it('a benchmark that breaks is a failure with a reason, and not the end of the worker', async () => {
    const broken = benchmarkMachine.provide({
      actions: {
        'say that it has begun': () => {
          throw new Error('broken');
        },
      },
    });
    const readiness = startReadiness({}, coverage.inspect, broken);
    await GIVEN.benchmarking(readiness);
    await readiness.settle(() => readiness.lookUp.last.resolve(null));
    await readiness.settle(() => readiness.warmUp.last.resolve({ ready: true }));
    expect(readiness.output).toEqual({ ok: false, reason: 'broken' });
  });

  it('the benchmark does not block the log watcher: what the log says meanwhile is heard', async () => {
    const readiness = start();
    await GIVEN.benchmarking(readiness);
    readiness.send({ type: 'log.progress' });
    readiness.send({ type: 'model.failed', message: 'the model has crashed' });
    expect(readiness.output).toEqual({ ok: false, reason: 'the model has crashed' });
    expect(readiness.lookUp.last.signal.aborted).toBe(true);
  });

  it('a log line with "Traceback" in a prompt does not fail a model that has loaded', async () => {
    const readiness = start({ waitsFor: { ...EVERYTHING, health: false } });
    await readiness.initialised();
    readiness.send({ type: 'log.loaded' });
    readiness.send({ type: 'log.failed', line: 'prompt: "what is a Traceback?"' });
    await readiness.clock.advance(FAILURE_STANDS_AFTER_MS);
    expect(readiness.state).toBe('benchmarking');
  });

  it('a failure in the log counts until the model has loaded, whatever else is waited for', async () => {
    const readiness = start({ waitsFor: { ...NOTHING, health: true } });
    await readiness.initialised();
    readiness.send({ type: 'log.failed', line: 'x'.repeat(5_000) });
    await readiness.clock.advance(FAILURE_STANDS_AFTER_MS);
    expect(readiness.output).toEqual({ ok: false, reason: `the model server said: ${'x'.repeat(500)}` });
  });

  it('model loading hangs for ever: a log that stands still ends it, one that goes on does not', async () => {
    const readiness = start({ loadTimeoutMs: 0 });
    await readiness.initialised();
    for (let line = 0; line < 100; line++) {
      await readiness.clock.advance(STALL_TIMEOUT_MS - 1);
      readiness.send({ type: 'log.progress' });
    }
    expect(readiness.state).toBe('waiting for the log');
    await readiness.clock.advance(STALL_TIMEOUT_MS);
    expect(readiness.output).toMatchObject({
      reason: expect.stringContaining('TSWORKER_LOAD_STALL_TIMEOUT'),
    });
  });

  it('a model that is downloaded without a word does not stand still while its folder grows, and not for ever', async () => {
    const readiness = start({ loadTimeoutMs: 0 });
    await readiness.initialised();
    for (let look = 0; look < 100; look++) {
      await readiness.clock.advance(STALL_TIMEOUT_MS - 1);
      readiness.send({ type: 'disk.progress' });
    }
    expect([readiness.state, readiness.growth.calls.length]).toEqual(['waiting for the log', 1]);
    await readiness.clock.advance(STALL_TIMEOUT_MS);
    expect([readiness.state, readiness.growth.last.signal.aborted]).toEqual(['failed', true]);
  });

  it('a folder that can not be watched is no failure: the log counts alone', async () => {
    const readiness = start();
    await readiness.initialised();
    await readiness.settle(() => readiness.growth.last.reject(new Error('no such folder')));
    expect(readiness.state).toBe('waiting for the log');
    await readiness.clock.advance(STALL_TIMEOUT_MS);
    expect(readiness.state).toBe('failed');
  });

  it('model loading hangs for ever: the deadline ends it although the log goes on', async () => {
    const readiness = start();
    await readiness.initialised();
    for (let line = 0; line < 4; line++) {
      await readiness.clock.advance(STALL_TIMEOUT_MS - 1);
      readiness.send({ type: 'log.progress' });
    }
    await readiness.clock.advance(STALL_TIMEOUT_MS - 1);
    expect(readiness.output).toEqual({
      ok: false,
      reason: `the model did not load within 1200 s (TSWORKER_LOAD_TIMEOUT); it still waited for ${LOG}`,
    });
  });

  it.each<[string, Given]>([
    ['a load', 'initialising'],
    ['a stall', 'waiting for the log'],
    ['health', 'waiting for health'],
  ])('has no time limit for %s where it is 0', async (_, given) => {
    const readiness = start({ loadTimeoutMs: 0, stallTimeoutMs: 0 });
    await GIVEN[given](readiness);
    await readiness.clock.advance(10 * LOAD_TIMEOUT_MS);
    expect(readiness.state).toBe(given);
  });

  it('takes a time that no timer can wait for as no limit', async () => {
    const readiness = start({ loadTimeoutMs: 2 ** 31, stallTimeoutMs: Number.POSITIVE_INFINITY });
    await readiness.initialised();
    await readiness.clock.advance(2 ** 32);
    expect(readiness.state).toBe('waiting for the log');
  });

  it('tells why the health route is not well when that changes, and not each time', async () => {
    const readiness = start();
    await GIVEN['waiting for health'](readiness);
    const seen = readiness.emitted.length;
    for (const reason of ['refused', 'refused', 'status 404', 'status 404', 'refused']) {
      readiness.send({ type: 'health.unwell', reason });
    }
    expect(readiness.emitted.slice(seen)).toEqual(
      ['refused', 'status 404', 'refused'].map((reason) => ({
        type: 'waiting',
        waitingFor: `${HEALTH_IN_DETAIL}: ${reason}`,
      })),
    );
    expect(readiness.waitingFor).toBe(HEALTH);
  });

  it('a time-out tells why the health route was not well when it was last asked', async () => {
    const readiness = start();
    await GIVEN['waiting for health'](readiness);
    readiness.send({ type: 'health.unwell', reason: 'connect ECONNREFUSED' });
    readiness.send({ type: 'health.unwell', reason: 'it answered with status 503' });
    await readiness.clock.advance(LOAD_TIMEOUT_MS);
    expect(readiness.output).toMatchObject({
      reason: expect.stringMatching(
        /waited for a 200 of the model's health route: it answered with status 503$/,
      ),
    });
  });

  it('does not blame health for what takes long after it', async () => {
    const readiness = start({ benchmark: { timeoutMs: 9 * LOAD_TIMEOUT_MS, probeRetryMs: 1, at: '' } });
    await GIVEN['waiting for health'](readiness);
    readiness.send({ type: 'health.unwell', reason: 'it answered with status 503' });
    await readiness.well();
    await readiness.clock.advance(LOAD_TIMEOUT_MS);
    expect(readiness.output).toEqual({
      ok: false,
      reason:
        'the model did not load within 1200 s (TSWORKER_LOAD_TIMEOUT); it still waited for the benchmark',
    });
  });

  it('waits for the key without an end, tells the trouble at once, and takes it back', async () => {
    const readiness = start();
    readiness.send({ type: 'key.late', reason: 'no public key: connect ECONNREFUSED' });
    await GIVEN['waiting for the key'](readiness);
    await readiness.clock.advance(10 * LOAD_TIMEOUT_MS);
    expect([readiness.state, readiness.told]).toEqual([
      'waiting for the key',
      [trouble('no public key: connect ECONNREFUSED')],
    ]);
    readiness.send({ type: 'key.held' });
    expect(readiness.told.slice(1)).toEqual([trouble('')]);
    expect(readiness.output).toEqual(ready);
  });

  it('a key that nobody needs is no trouble', () => {
    const readiness = start({ waitsFor: NOTHING });
    readiness.send({ type: 'key.late', reason: 'no public key' });
    expect(readiness.told).toEqual([]);
  });
});
