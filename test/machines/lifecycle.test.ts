import { afterAll, describe, expect, it } from 'vitest';
import { lifecycleMachine, type WorkState } from '../../machines/lifecycle.js';
import type { ReportPlan } from '../../machines/reports.js';
import { turn } from '../support/machines/clock.js';
import { TransitionCoverage } from '../support/machines/coverage.js';
import {
  DRAIN_TIMEOUT_MS,
  type LifecycleOptions,
  LOAD,
  type RunningLifecycle,
  SERVE_UNREPORTED_AFTER_MS,
  startLifecycle,
} from '../support/machines/lifecycle.js';
import { FAILING, LOADED, LOADING } from '../support/machines/reporter.js';

const coverage = new TransitionCoverage(lifecycleMachine);
const start = (options: LifecycleOptions = {}) => startLifecycle({ inspect: coverage.inspect, ...options });

const WINDOW = { basis: 0, cutAtMs: 7, work: {}, upTo: {}, sinceMs: {} };

const failed = (message: string) => ({ type: 'backend.failed', message }) as const;
const recovered = { type: 'backend.recovered' } as const;
const stop = (reason = 'SIGTERM') => ({ type: 'stop.requested', reason }) as const;
const told = (phase: 'loading' | 'loaded', kind: 'state' | 'work') =>
  ({ type: 'report.acknowledged', phase, covers: [kind], window: WINDOW }) as const;

/** A plan in which nothing is due of itself, so that a table shows what the lifecycle does and nothing else. */
const MUTE: ReportPlan = {
  covers: { state: ['state'], work: ['work'] },
  onEnter: { loading: [], loaded: [], failing: [] },
  heartbeat: { loading: [], loaded: [], failing: [] },
};

const GIVEN = {
  loading: async () => {},
  loaded: async (worker) => {
    await worker.loaded();
  },
  serving: async (worker) => {
    await GIVEN.loaded(worker);
    worker.actor.send(told('loaded', 'state'));
  },
  'failing before the first load': async (worker) => {
    worker.actor.send(failed('out of memory'));
  },
  'failing after the first load': async (worker) => {
    await GIVEN.loaded(worker);
    worker.actor.send(failed('out of memory'));
  },
  finishing: async (worker) => {
    await GIVEN.serving(worker);
    worker.actor.send(stop());
  },
  flushing: async (worker) => {
    await GIVEN.finishing(worker);
    await worker.finished();
  },
  stopped: async (worker) => {
    await GIVEN.finishing(worker);
    await worker.clock.advance(DRAIN_TIMEOUT_MS);
  },
} satisfies Record<string, (worker: RunningLifecycle) => Promise<void>>;

type Given = keyof typeof GIVEN;

const WHEN = {
  'the backend has loaded': (worker) => worker.load.last.resolve(LOAD),
  'the backend can not load': (worker) => worker.load.last.reject(new Error('no such model')),
  'the backend fails': (worker) => worker.actor.send(failed('CUDA error')),
  'the backend fails as before': (worker) => worker.actor.send(failed('out of memory')),
  'the backend recovers': (worker) => worker.actor.send(recovered),
  'the worker is to stop': (worker) => worker.actor.send(stop('Ctrl-C')),
  'loaded is acknowledged': (worker) => worker.actor.send(told('loaded', 'state')),
  'the work is acknowledged': (worker) => worker.actor.send(told('loaded', 'work')),
  'a loading update is acknowledged': (worker) => worker.actor.send(told('loading', 'state')),
  'no autoscaler can be reached': (worker) => worker.actor.send({ type: 'report.unreachable' }),
  'everything is told': (worker) => worker.actor.send({ type: 'reports.flushed' }),
  'the last request ends': (worker) => worker.finish.last.resolve(),
  '2 s pass': (worker) => worker.clock.advance(SERVE_UNREPORTED_AFTER_MS),
  '30 s pass': (worker) => worker.clock.advance(DRAIN_TIMEOUT_MS),
} satisfies Record<string, (worker: RunningLifecycle) => void | Promise<void>>;

type When = keyof typeof WHEN;

interface Then {
  readonly work: unknown;
  readonly emitted?: unknown[];
  readonly toReporter?: unknown[];
  readonly toMetrics?: unknown[];
  readonly outcome?: string;
}

const enters = (state: WorkState, reason: string) => ({ type: 'state.entered', state, reason });
const tells = (status: object) => ({ type: 'status.changed', status });
const movesTheLedger = { type: 'report.acknowledged', window: WINDOW };

const failsAnew: Then = {
  work: 'failing',
  emitted: [enters('failing', 'CUDA error')],
  toReporter: [tells({ ...FAILING, errorMessage: 'CUDA error' })],
};
const failsAnewUnloaded: Then = {
  ...failsAnew,
  toReporter: [tells({ ...LOADING, phase: 'failing', errorMessage: 'CUDA error' })],
};
const failsAsBefore: Then = {
  work: 'failing',
  emitted: [enters('failing', 'out of memory')],
  toReporter: [tells(FAILING)],
};
const drains: Then = {
  work: { draining: 'finishing' },
  emitted: [enters('draining', 'Ctrl-C')],
  toReporter: [{ type: 'work.due' }],
  outcome: 'cut',
};
const serves = (reason: string): Then => ({ work: 'serving', emitted: [enters('serving', reason)] });

/** What each event brings about in each state, beside moving the ledger; what is not listed changes nothing. */
const TABLE: Record<Given, Partial<Record<When, Then>>> = {
  loading: {
    'the backend has loaded': {
      work: 'loaded',
      emitted: [enters('loaded', 'the backend has loaded')],
      toReporter: [tells(LOADED)],
    },
    'the backend can not load': {
      work: 'failing',
      emitted: [enters('failing', 'no such model')],
      toReporter: [tells({ ...LOADING, phase: 'failing', errorMessage: 'no such model' })],
    },
    'the backend fails': failsAnewUnloaded,
    'the backend fails as before': {
      ...failsAsBefore,
      toReporter: [tells({ ...LOADING, phase: 'failing', errorMessage: 'out of memory' })],
    },
    'the worker is to stop': drains,
  },
  loaded: {
    'the backend fails': failsAnew,
    'the backend fails as before': failsAsBefore,
    'the worker is to stop': drains,
    'loaded is acknowledged': serves('the autoscaler knows that it has loaded'),
    'no autoscaler can be reached': serves('no autoscaler can be reached, so it serves unreported'),
    '2 s pass': serves('the autoscaler takes long to answer, so it serves unreported'),
    '30 s pass': serves('the autoscaler takes long to answer, so it serves unreported'),
  },
  serving: {
    'the backend fails': failsAnew,
    'the backend fails as before': failsAsBefore,
    'the worker is to stop': drains,
  },
  'failing before the first load': {
    'the backend fails': failsAnewUnloaded,
    'the backend recovers': {
      work: 'loading',
      emitted: [enters('loading', 'the backend is loaded again')],
      toReporter: [tells(LOADING)],
    },
    'the worker is to stop': drains,
  },
  'failing after the first load': {
    'the backend fails': failsAnew,
    'the backend recovers': {
      work: 'loaded',
      emitted: [enters('loaded', 'the backend has recovered')],
      toReporter: [tells(LOADED)],
    },
    'the worker is to stop': drains,
  },
  finishing: {
    'the last request ends': {
      work: { draining: 'flushing' },
      toReporter: [{ type: 'flush' }],
      outcome: 'unreported',
    },
    '30 s pass': {
      work: 'stopped',
      emitted: [enters('stopped', 'the time for draining is over')],
      outcome: 'cut',
    },
  },
  flushing: {
    'everything is told': {
      work: 'stopped',
      emitted: [enters('stopped', 'everything is finished and reported')],
      outcome: 'clean',
    },
    '30 s pass': {
      work: 'stopped',
      emitted: [enters('stopped', 'the time for draining is over')],
      outcome: 'unreported',
    },
  },
  stopped: {},
};

/** Which events can come in a state: an effect ends only where it was begun. */
function canCome(when: When, given: Given): boolean {
  if (when.startsWith('the backend has loaded') || when.startsWith('the backend can')) {
    return given === 'loading';
  }
  return when !== 'the last request ends' || given === 'finishing';
}

const ROWS = (Object.keys(GIVEN) as Given[]).flatMap((given) =>
  (Object.keys(WHEN) as When[]).filter((when) => canCome(when, given)).map((when) => ({ given, when })),
);

describe('what each event does in each state', () => {
  it.each(ROWS)('$given, when $when', async ({ given, when }) => {
    const worker = start({ reporter: { plan: MUTE } });
    await GIVEN[given](worker);
    const before = worker.actor.getSnapshot();
    const seen = {
      emitted: worker.emitted.length,
      toReporter: worker.toReporter.length,
      toMetrics: worker.toMetrics.length,
    };

    await WHEN[when](worker);
    await turn();

    expect({
      work: worker.work,
      emitted: worker.emitted.slice(seen.emitted),
      toReporter: worker.toReporter.slice(seen.toReporter),
      toMetrics: worker.toMetrics.slice(seen.toMetrics),
      outcome: worker.actor.getSnapshot().context.outcome,
    }).toEqual({
      work: before.value.work,
      emitted: [],
      toReporter: [],
      toMetrics: when.endsWith('acknowledged') ? [movesTheLedger] : [],
      outcome: before.context.outcome,
      ...TABLE[given][when],
    });
  });

  it.each([
    ['quiet', 'report.started', 'reporting'],
    ['quiet', 'report.settled', 'quiet'],
    ['reporting', 'report.settled', 'quiet'],
    ['reporting', 'report.started', 'reporting'],
  ] as const)('the report region is %s, and on %s it is %s', (given, type, expected) => {
    const worker = start({ reporter: { plan: MUTE } });
    if (given === 'reporting') worker.actor.send({ type: 'report.started' });
    worker.actor.send({ type });
    expect(worker.actor.getSnapshot().value).toEqual({ work: 'loading', report: expected });
  });

  it.each<[Given, string[]]>([
    ['loading', []],
    ['loaded', []],
    ['serving', ['accepting']],
    ['failing after the first load', []],
    ['finishing', ['draining']],
    ['flushing', ['draining']],
    ['stopped', ['stopped']],
  ])('%s has the tags %j', async (given, tags) => {
    const worker = start({ reporter: { plan: MUTE } });
    await GIVEN[given](worker);
    expect([...worker.actor.getSnapshot().tags]).toEqual(tags);
  });
});

describe('from loading to serving', () => {
  it('starts with the state that it is in, and a ledger from the time it is given', () => {
    const worker = start({ startedAtMs: 42 });
    expect(worker.actor.getSnapshot().context).toMatchObject({
      status: LOADING,
      hasLoaded: false,
      outcome: 'clean',
    });
    expect(worker.emitted).toEqual([enters('loading', 'the worker has started')]);
    expect(worker.ledger().reportedUntilMs.received).toBe(42);
  });

  it('serves when the autoscaler has acknowledged loaded, and not before', async () => {
    const worker = start();
    await worker.loaded();
    expect([worker.work, worker.report, worker.attempts()]).toEqual([
      'loaded',
      'reporting',
      ['state loaded http://a'],
    ]);
    await worker.answer();
    expect([worker.work, worker.attempts()]).toEqual([
      'serving',
      ['state loaded http://a', 'work loaded http://a'],
    ]);
    await worker.answer();
    expect(worker.actor.getSnapshot().value).toEqual({ work: 'serving', report: 'quiet' });
    expect(worker.emitted.at(-1)).toEqual(enters('serving', 'the autoscaler knows that it has loaded'));
  });

  it('serves when the first attempt at every address has failed', async () => {
    const worker = start({ reporter: { addresses: ['http://a', 'http://b'] } });
    await worker.loaded();
    await worker.fail();
    expect(worker.work).toBe('loaded');
    await worker.fail();
    expect(worker.work).toBe('serving');
    expect(worker.clock.now()).toBe(0);
  });

  it('serves after 2 s when nobody answers, and tells loaded all the same', async () => {
    const worker = start();
    await worker.loaded();
    await worker.clock.advance(1_999);
    expect(worker.work).toBe('loaded');
    await worker.clock.advance(1);
    expect(worker.work).toBe('serving');
    await worker.answer();
    expect(worker.entered).toEqual(['loading', 'loaded', 'serving']);
    expect(worker.attempts()).toEqual(['state loaded http://a', 'work loaded http://a']);
  });

  it('never serves unreported when it must not, and serves once loaded is acknowledged', async () => {
    const worker = start({ serveUnreported: false });
    await worker.loaded();
    for (let minute = 0; minute < 60; minute++) {
      await worker.fail();
      await worker.clock.advance(60_000);
    }
    expect(worker.entered).toEqual(['loading', 'loaded']);
    expect(new Set(worker.attempts())).toEqual(new Set(['state loaded http://a']));
    await worker.answer();
    expect(worker.work).toBe('serving');
  });

  it('serves at once when there is no autoscaler', async () => {
    const worker = start({ serveUnreported: false, reporter: { addresses: [] } });
    await worker.loaded();
    expect(worker.emitted.slice(1)).toEqual([
      enters('loaded', 'the backend has loaded'),
      enters('serving', 'there is no autoscaler to tell'),
    ]);
    expect(worker.attempts()).toEqual([]);
    expect(worker.clock.waiting).toBe(0);
  });

  it('tells that it is loading at the heartbeat, and an answer to that is not taken for loaded', async () => {
    const worker = start();
    await worker.clock.advance(10_000);
    expect(worker.attempts()).toEqual(['state loading http://a']);
    await worker.loaded();
    await worker.answer();
    expect([worker.work, worker.attempts()]).toEqual([
      'loaded',
      ['state loading http://a', 'state loaded http://a'],
    ]);
  });
});

describe('failing and recovery', () => {
  it('gives up a load that fails on the way, and ignores what it brings later', async () => {
    const worker = start();
    const { signal } = worker.load.last;
    worker.actor.send(failed('out of memory'));
    expect([worker.work, signal.aborted]).toEqual(['failing', true]);
    await worker.loaded();
    expect(worker.work).toBe('failing');
  });

  it('loads again when it recovers before the first load', async () => {
    const worker = start();
    worker.load.last.reject(new Error('no such model'));
    await turn();
    expect(worker.attempts()).toEqual(['state failing http://a']);
    worker.actor.send(recovered);
    expect([worker.work, worker.load.calls.length]).toEqual(['loading', 2]);
    await worker.answer();
    await worker.loaded({ loadTimeSeconds: 9, maxPerf: 5 });
    expect(worker.actor.getSnapshot().context.status).toEqual({ ...LOADED, loadTimeSeconds: 9 });
    expect(worker.entered).toEqual(['loading', 'failing', 'loading', 'loaded']);
  });

  it('leads back to serving when it recovers after the first load, once loaded is told again', async () => {
    const worker = start();
    await worker.loaded();
    await worker.answer();
    await worker.answer();
    worker.actor.send(failed('CUDA error'));
    expect(worker.actor.getSnapshot().value).toEqual({ work: 'failing', report: 'reporting' });
    await worker.answer();
    await worker.answer();
    worker.actor.send(recovered);
    expect(worker.work).toBe('loaded');
    await worker.answer();
    expect(worker.entered).toEqual(['loading', 'loaded', 'serving', 'failing', 'loaded', 'serving']);
    expect(worker.load.calls).toHaveLength(1);
    expect(worker.attempts().filter((attempt) => attempt.startsWith('state'))).toEqual([
      'state loaded http://a',
      'state failing http://a',
      'state loaded http://a',
    ]);
  });

  it('tells a repeated failure once, and another one at once', async () => {
    const worker = start();
    for (const message of ['slow', 'slow', 'slow', 'gone', 'gone']) worker.actor.send(failed(message));
    expect(worker.emitted.slice(1)).toEqual([enters('failing', 'slow'), enters('failing', 'gone')]);
    expect(worker.toReporter.map((event) => event.type === 'status.changed' && event.status)).toEqual([
      LOADING,
      { ...LOADING, phase: 'failing', errorMessage: 'slow' },
      { ...LOADING, phase: 'failing', errorMessage: 'gone' },
    ]);
  });

  it('tells the work of before a failure with the next report', async () => {
    const worker = start();
    await worker.loaded();
    await worker.answer();
    await worker.answer();
    worker.request({ type: 'request.started', id: 1, workload: 3, atMs: 0 });
    worker.actor.send(failed('CUDA error'));
    await worker.answer();
    expect(worker.ledger().reported.received).toBe(0);
    await worker.answer();
    expect(worker.ledger().reported).toMatchObject({ requests: 1, received: 3 });
  });

  const UNSAID = 'the backend did not say why it failed';

  it.each(['', '  \n'])('has a sentence also when the backend fails with %j, and says it once', (message) => {
    const worker = start();
    worker.actor.send(failed(message));
    worker.actor.send(failed(message));
    expect(worker.emitted.slice(1)).toEqual([enters('failing', UNSAID)]);
    expect(worker.actor.getSnapshot().context.status.errorMessage).toBe(UNSAID);
  });

  it.each([
    ['an error', new Error('no such model'), 'no such model'],
    ['a sentence', 'no such model', 'no such model'],
    ['an error without a message', new RangeError(), 'RangeError'],
    ['nothing', undefined, UNSAID],
    ['a value that has no text', Object.create(null), UNSAID],
    ['a number', 42, UNSAID],
  ])('has a sentence when the load rejects with %s', async (_, error, message) => {
    const worker = start();
    worker.load.last.reject(error);
    await turn();
    expect(worker.emitted.slice(1)).toEqual([enters('failing', message)]);
    expect(worker.actor.getSnapshot().status).toBe('active');
  });
});

describe('draining', () => {
  async function serving(options: LifecycleOptions = {}) {
    const worker = start(options);
    await worker.loaded();
    await worker.answer();
    await worker.answer();
    return worker;
  }
  const outcome = (worker: RunningLifecycle) => worker.actor.getSnapshot().context.outcome;

  it('ends clean when nothing is in flight and the last report is acknowledged', async () => {
    const worker = await serving();
    worker.actor.send(stop());
    await worker.finished();
    expect(worker.work).toEqual({ draining: 'flushing' });
    await worker.answer();
    await worker.answer();
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
    expect(worker.clock.now()).toBe(0);
  });

  it('waits for what is in flight, and reports it', async () => {
    const worker = await serving();
    worker.request({ type: 'request.started', id: 1, workload: 3, atMs: 0 });
    worker.actor.send(stop());
    await worker.answer();
    await worker.clock.advance(5_000);
    expect(worker.work).toEqual({ draining: 'finishing' });
    worker.request({ type: 'request.succeeded', id: 1, workload: 3, atMs: 5_000 });
    await worker.finished();
    await worker.answer();
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
    expect(worker.ledger().reported).toMatchObject({ requests: 1, received: 3, served: 3 });
  });

  it('cuts what is still in flight at the deadline', async () => {
    const worker = await serving();
    worker.actor.send(stop());
    const { signal } = worker.finish.last;
    await worker.clock.advance(DRAIN_TIMEOUT_MS - 1);
    expect([worker.work, signal.aborted]).toEqual([{ draining: 'finishing' }, false]);
    await worker.clock.advance(1);
    expect([worker.work, outcome(worker), signal.aborted]).toEqual(['stopped', 'cut', true]);
  });

  it('tries until the deadline when the autoscaler is away, and says that it is unreported', async () => {
    const worker = await serving();
    worker.request({ type: 'request.started', id: 1, workload: 3, atMs: 0 });
    worker.request({ type: 'request.succeeded', id: 1, workload: 3, atMs: 0 });
    worker.actor.send(stop());
    await worker.finished();
    while (worker.work !== 'stopped') {
      await worker.fail();
      await worker.clock.advance(1_000);
    }
    expect([outcome(worker), worker.clock.now()]).toEqual(['unreported', DRAIN_TIMEOUT_MS]);
    expect(worker.attempts().length).toBeGreaterThan(8);
    expect(worker.ledger().reported.received).toBe(0);
  });

  it('ends clean when the autoscaler comes back before the deadline', async () => {
    const worker = await serving();
    worker.request({ type: 'request.started', id: 1, workload: 3, atMs: 0 });
    worker.actor.send(stop());
    await worker.finished();
    await worker.fail();
    await worker.clock.advance(20_000);
    await worker.answer();
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
    expect(worker.ledger().reported.received).toBe(3);
  });

  it('ends although each report takes longer than the heartbeat', async () => {
    const worker = await serving({ reporter: { intervalMs: 1_000 } });
    worker.actor.send(stop());
    await worker.finished();
    for (let report = 0; report < 3 && worker.work !== 'stopped'; report++) {
      await worker.clock.advance(1_500);
      await worker.answer();
    }
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
  });

  it('tells loaded to an autoscaler that has not heard of it yet', async () => {
    const worker = start();
    await worker.loaded();
    worker.actor.send(stop());
    await worker.finished();
    while (worker.work !== 'stopped') await worker.answer();
    expect(worker.attempts()[0]).toBe('state loaded http://a');
    expect(worker.entered).toEqual(['loading', 'loaded', 'draining', 'stopped']);
    expect(outcome(worker)).toBe('clean');
  });

  it('ends clean at once when nothing is in flight and there is no autoscaler', async () => {
    const worker = start({ reporter: { addresses: [] } });
    await worker.loaded();
    worker.actor.send(stop());
    await worker.finished();
    expect([worker.work, outcome(worker), worker.clock.now()]).toEqual(['stopped', 'clean', 0]);
  });

  it('stops in each state', async () => {
    for (const given of Object.keys(GIVEN) as Given[]) {
      const worker = start();
      await GIVEN[given](worker);
      worker.actor.send(stop('enough'));
      if (worker.work !== 'stopped') await worker.finished();
      for (let report = 0; report < 5 && worker.work !== 'stopped'; report++) await worker.answer();
      expect([given, worker.work]).toEqual([given, 'stopped']);
    }
  });

  it('ignores a second stop, and a failure of the backend', async () => {
    const worker = await serving();
    worker.actor.send(stop('SIGTERM'));
    await worker.clock.advance(20_000);
    worker.actor.send(stop('SIGINT'));
    worker.actor.send(failed('out of memory'));
    worker.actor.send(recovered);
    expect(worker.emitted.slice(3)).toEqual([enters('draining', 'SIGTERM')]);
    expect(worker.finish.calls).toHaveLength(1);
    await worker.clock.advance(10_000);
    expect(worker.work).toBe('stopped');
    worker.actor.send(stop('SIGINT'));
    worker.actor.send(failed('out of memory'));
    expect(worker.entered).toEqual(['loading', 'loaded', 'serving', 'draining', 'stopped']);
  });

  it('gives up a load that is under way', () => {
    const worker = start();
    worker.actor.send(stop());
    expect([worker.work, worker.load.last.signal.aborted]).toEqual([{ draining: 'finishing' }, true]);
  });
});

describe('coverage', () => {
  it('takes every state and every transition of the machine', () => {
    expect(coverage.untaken()).toEqual([]);
  });

  afterAll(() => console.info(coverage.toString()));
});
