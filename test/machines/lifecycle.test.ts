import { describe, expect, it } from 'vitest';
import type { Exit } from '../../machines/endings.js';
import type { ProbeResult } from '../../machines/health.js';
import type { WorkState } from '../../machines/life.js';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import type { ReportPlan } from '../../machines/reports.js';
import { turn } from '../../src/testing/clock.js';
import { ended, started } from '../../src/testing/request-events.js';
import { covered } from '../support/machines/coverage.js';
import {
  DRAIN_TIMEOUT_MS,
  HEALTH_INPUT,
  LAST_WORDS_MS,
  type LifecycleOptions,
  RESTART_AFTER_MS,
  type RunningLifecycle,
  SERVE_UNREPORTED_AFTER_MS,
  SUPERVISOR_INPUT,
  startLifecycle,
} from '../support/machines/lifecycle.js';
import { PEM, PUBLIC_KEY_INPUT } from '../support/machines/public-key.js';
import { NOTHING } from '../support/machines/readiness.js';
import { FAILING, LOADED, LOADING } from '../support/machines/reporter.js';

const coverage = covered(lifecycleMachine);
const start = (options: LifecycleOptions = {}) => startLifecycle({ inspect: coverage.inspect, ...options });

const WINDOW = { basis: 0, cutAtMs: 7, work: {}, upTo: {}, sinceMs: {} };

const failed = (message: string) => ({ type: 'backend.failed', message }) as const;
const recovered = { type: 'backend.recovered' } as const;
const stop = (reason = 'SIGTERM') => ({ type: 'stop.requested', reason }) as const;
const updateAsked = { type: 'update.asked', reason: 'an update' } as const;
const updateWithdrawn = { type: 'update.withdrawn', reason: 'no update' } as const;
const told = (phase: 'loading' | 'loaded', kind: 'state' | 'work') =>
  ({ type: 'report.acknowledged', phase, covers: [kind], window: WINDOW }) as const;

const KEY_IS_LATE = { type: 'key.late', reason: 'no_public_key: it is not there' } as const;

/** A plan in which nothing is due of itself, so that a table shows what the lifecycle does and nothing else. */
const MUTE: ReportPlan = {
  covers: { state: ['state'], capacity: [], work: ['work'] },
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
  'finishing for an update': async (worker) => {
    await GIVEN.serving(worker);
    worker.actor.send(updateAsked);
  },
  'finishing for an update, and failed before': async (worker) => {
    await GIVEN['failing after the first load'](worker);
    worker.actor.send(updateAsked);
  },
  'finishing for an update, and failed since': async (worker) => {
    await GIVEN['finishing for an update'](worker);
    worker.actor.send(failed('out of memory'));
  },
  cutting: async (worker) => {
    await GIVEN.finishing(worker);
    await worker.clock.advance(DRAIN_TIMEOUT_MS);
  },
  'a cut is due to be told': async (worker) => {
    worker.finishRequest(1);
    await GIVEN.cutting(worker);
    await worker.wasCut(1);
    worker.actor.send({ type: 'completions.flushed' });
  },
  'the last reports are due before an update': async (worker) => {
    await GIVEN['finishing for an update'](worker);
    await worker.finished();
  },
  'the last reports are due': async (worker) => {
    await GIVEN.finishing(worker);
    await worker.finished();
  },
  'nothing is told in full': async (worker) => {
    worker.finishRequest(1);
    await GIVEN['the last reports are due'](worker);
  },
  'finished requests are due': async (worker) => {
    await GIVEN['nothing is told in full'](worker);
    worker.actor.send({ type: 'reports.flushed' });
  },
  stopped: async (worker) => {
    await GIVEN.cutting(worker);
    await worker.clock.advance(LAST_WORDS_MS);
  },
} satisfies Record<string, (worker: RunningLifecycle) => Promise<void>>;

type Given = keyof typeof GIVEN;

const WHEN = {
  'the backend has loaded': (worker) => worker.loaded(),
  'the backend can not load': (worker) => worker.load.last.reject(new Error('no such model')),
  'the backend fails': (worker) => worker.actor.send(failed('CUDA error')),
  'the backend fails as before': (worker) => worker.actor.send(failed('out of memory')),
  'the backend recovers': (worker) => worker.actor.send(recovered),
  'the worker is to stop': (worker) => worker.actor.send(stop('Ctrl-C')),
  'an update is asked for': (worker) => worker.actor.send(updateAsked),
  'the update is withdrawn': (worker) => worker.actor.send(updateWithdrawn),
  'loaded is acknowledged': (worker) => worker.actor.send(told('loaded', 'state')),
  'the work is acknowledged': (worker) => worker.actor.send(told('loaded', 'work')),
  'a loading update is acknowledged': (worker) => worker.actor.send(told('loading', 'state')),
  'no autoscaler can be reached': (worker) => worker.actor.send({ type: 'report.unreachable' }),
  'the last reports are told': (worker) => worker.actor.send({ type: 'reports.flushed' }),
  'all that has finished is told': (worker) => worker.actor.send({ type: 'completions.flushed' }),
  'the load is in trouble': (worker) => worker.actor.send({ type: 'load.trouble', message: 'no key' }),
  'the model tells something': (worker) =>
    worker.actor.send({ type: 'model.told', what: { type: 'log.progress' } }),
  'the key is there': (worker) => worker.actor.send({ type: 'key.held', pem: PEM }),
  'the key is late': (worker) => worker.actor.send(KEY_IS_LATE),
  'the last request ends': (worker) => worker.finish.last.resolve(),
  'a request is cut': (worker) => worker.cut.last.resolve(1),
  'there is no request to cut': (worker) => worker.cut.last.resolve(0),
  '2 s pass': (worker) => worker.clock.advance(SERVE_UNREPORTED_AFTER_MS),
  '30 s pass': (worker) => worker.clock.advance(DRAIN_TIMEOUT_MS),
} satisfies Record<string, (worker: RunningLifecycle) => void | Promise<void>>;

type When = keyof typeof WHEN;

interface Then {
  readonly work: unknown;
  readonly emitted?: unknown[];
  readonly toReporter?: unknown[];
  readonly toMetrics?: unknown[];
  readonly toLoad?: unknown[];
  readonly toCompletions?: unknown[];
  readonly hasKey?: boolean;
  readonly outcome?: string;
  readonly forUpdate?: boolean;
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
  outcome: 'cut',
};
const drainsForAnUpdate: Then = {
  ...drains,
  emitted: [enters('draining', 'an update')],
  forUpdate: true,
};
const goesOn: Then = {
  work: 'loaded',
  emitted: [enters('loaded', 'no update')],
  toReporter: [tells(LOADED)],
  outcome: 'clean',
  forUpdate: false,
};
const loadsAnew: Then = {
  ...goesOn,
  work: 'loading',
  emitted: [enters('loading', 'no update')],
  toReporter: [tells({ ...LOADED, phase: 'loading', loadTimeSeconds: 0 })],
};
const flushing = (reports: 'due' | 'told', completions: 'due' | 'told') => ({
  draining: { flushing: { reports, completions } },
});
const flushes: Then = {
  work: flushing('due', 'told'),
  toReporter: [{ type: 'flush' }],
  toCompletions: [{ type: 'flush' }],
  outcome: 'unreported',
};
const endsCut: Then = {
  work: 'stopped',
  emitted: [enters('stopped', 'the time for draining is over')],
  outcome: 'cut',
};
const endsClean: Then = {
  work: 'stopped',
  emitted: [enters('stopped', 'everything is finished and reported')],
  outcome: 'clean',
};
const endsUnreported: Then = {
  work: 'stopped',
  emitted: [enters('stopped', 'the time for draining is over')],
  outcome: 'unreported',
};
const serves = (reason: string): Then => ({ work: 'serving', emitted: [enters('serving', reason)] });

/** What each event brings about in each state, beside moving the ledger and noting the key; what is not listed changes nothing. */
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
    'an update is asked for': drainsForAnUpdate,
    'the load is in trouble': {
      work: 'loading',
      toReporter: [tells({ ...LOADING, errorMessage: 'no key' })],
    },
    'the model tells something': { work: 'loading', toLoad: [{ type: 'log.progress' }] },
    'the key is there': { work: 'loading', toLoad: [{ type: 'key.held' }] },
    'the key is late': { work: 'loading', toLoad: [KEY_IS_LATE] },
  },
  loaded: {
    'the backend fails': failsAnew,
    'the backend fails as before': failsAsBefore,
    'the worker is to stop': drains,
    'an update is asked for': drainsForAnUpdate,
    'loaded is acknowledged': serves('the autoscaler knows that it has loaded'),
    'no autoscaler can be reached': serves('no autoscaler can be reached, so it serves unreported'),
    '2 s pass': serves('the autoscaler takes long to answer, so it serves unreported'),
    '30 s pass': serves('the autoscaler takes long to answer, so it serves unreported'),
  },
  serving: {
    'the backend fails': failsAnew,
    'the backend fails as before': failsAsBefore,
    'the worker is to stop': drains,
    'an update is asked for': drainsForAnUpdate,
  },
  'failing before the first load': {
    'the backend fails': failsAnewUnloaded,
    'the backend recovers': {
      work: 'loading',
      emitted: [enters('loading', 'the backend is loaded again')],
      toReporter: [tells(LOADING)],
    },
    'the worker is to stop': drains,
    'an update is asked for': drainsForAnUpdate,
  },
  'failing after the first load': {
    'the backend fails': failsAnew,
    'the backend recovers': {
      work: 'loaded',
      emitted: [enters('loaded', 'the backend has recovered')],
      toReporter: [tells(LOADED)],
    },
    'the worker is to stop': drains,
    'an update is asked for': drainsForAnUpdate,
  },
  finishing: {
    'the last request ends': flushes,
    '30 s pass': { work: { draining: 'cutting' }, outcome: 'cut' },
  },
  'finishing for an update': {
    'the last request ends': flushes,
    'the worker is to stop': { work: { draining: 'finishing' }, forUpdate: false },
    'the update is withdrawn': goesOn,
    '30 s pass': { work: { draining: 'cutting' }, outcome: 'cut' },
  },
  'finishing for an update, and failed before': {
    'the last request ends': flushes,
    'the worker is to stop': { work: { draining: 'finishing' }, forUpdate: false },
    'the update is withdrawn': loadsAnew,
    '30 s pass': { work: { draining: 'cutting' }, outcome: 'cut' },
  },
  'finishing for an update, and failed since': {
    'the last request ends': flushes,
    'the worker is to stop': { work: { draining: 'finishing' }, forUpdate: false },
    'the update is withdrawn': loadsAnew,
    '30 s pass': { work: { draining: 'cutting' }, outcome: 'cut' },
  },
  cutting: {
    'a request is cut': { ...flushes, outcome: 'cut' },
    'there is no request to cut': flushes,
    '30 s pass': endsCut,
  },
  'a cut is due to be told': {
    'the last reports are told': endsCut,
    '30 s pass': endsCut,
  },
  'the last reports are due before an update': {
    'the last reports are told': endsClean,
    'the worker is to stop': { work: flushing('due', 'told'), forUpdate: false },
    '30 s pass': endsUnreported,
  },
  'the last reports are due': {
    'the last reports are told': endsClean,
    '30 s pass': endsUnreported,
  },
  'nothing is told in full': {
    'the last reports are told': { work: flushing('told', 'due') },
    'all that has finished is told': { work: flushing('due', 'told') },
    '30 s pass': endsUnreported,
  },
  'finished requests are due': {
    'all that has finished is told': endsClean,
    '30 s pass': endsUnreported,
  },
  stopped: {},
};

/** Which events can come in a state: an effect ends only where it was begun. */
function canCome(when: When, given: Given): boolean {
  if (when.startsWith('the backend has loaded') || when.startsWith('the backend can')) {
    return given === 'loading';
  }
  if (when === 'a request is cut' || when === 'there is no request to cut') return given === 'cutting';
  return when !== 'the last request ends' || given.startsWith('finishing');
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
      toLoad: worker.toLoad.length,
      toCompletions: worker.toCompletions.length,
    };

    await WHEN[when](worker);
    await turn();

    expect({
      work: worker.work,
      emitted: worker.emitted.slice(seen.emitted),
      toReporter: worker.toReporter.slice(seen.toReporter),
      toMetrics: worker.toMetrics.slice(seen.toMetrics),
      toLoad: worker.toLoad.slice(seen.toLoad),
      toCompletions: worker.toCompletions.slice(seen.toCompletions),
      hasKey: worker.actor.getSnapshot().context.heard.keyHeld,
      outcome: worker.actor.getSnapshot().context.outcome,
      forUpdate: worker.actor.getSnapshot().context.forUpdate,
    }).toEqual({
      work: before.value.work,
      emitted: [],
      toReporter: [],
      toMetrics: when.endsWith('acknowledged') ? [movesTheLedger] : [],
      toLoad: [],
      toCompletions: [],
      hasKey: when === 'the key is there',
      outcome: before.context.outcome,
      forUpdate: before.context.forUpdate,
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
    expect(worker.actor.getSnapshot().value).toEqual({
      work: 'loading',
      report: expected,
      watch: 'unwatched',
      server: 'unsupervised',
    });
  });

  it.each<[Given, string[]]>([
    ['loading', []],
    ['loaded', []],
    ['serving', ['accepting']],
    ['failing after the first load', []],
    ['finishing', ['draining']],
    ['cutting', ['draining']],
    ['the last reports are due', ['draining']],
    ['finished requests are due', ['draining']],
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
    expect(worker.actor.getSnapshot().value).toEqual({
      work: 'serving',
      report: 'quiet',
      watch: 'unwatched',
      server: 'unsupervised',
    });
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
    await worker.loaded(9);
    expect(worker.actor.getSnapshot().context.status).toEqual({ ...LOADED, loadTimeSeconds: 9 });
    expect(worker.entered).toEqual(['loading', 'failing', 'loading', 'loaded']);
  });

  it('leads back to serving when it recovers after the first load, once loaded is told again', async () => {
    const worker = start();
    await worker.loaded();
    await worker.answer();
    await worker.answer();
    worker.actor.send(failed('CUDA error'));
    expect(worker.actor.getSnapshot().value).toEqual({
      work: 'failing',
      report: 'reporting',
      watch: 'unwatched',
      server: 'unsupervised',
    });
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
    worker.request(started({ workload: 3 }));
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
    ['nothing', undefined, 'the backend did not say why it failed'],
    ['a value that has no text', Object.create(null), 'the backend did not say why it failed'],
    ['a number', 42, 'the backend did not say why it failed'],
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
    expect(worker.work).toEqual(flushing('due', 'told'));
    await worker.answer();
    await worker.answer();
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
    expect(worker.clock.now()).toBe(0);
  });

  it('waits for what is in flight, and reports it', async () => {
    const worker = await serving();
    worker.request(started({ workload: 3 }));
    worker.actor.send(stop());
    await worker.clock.advance(5_000);
    expect(worker.work).toEqual({ draining: 'finishing' });
    worker.request(ended('succeeded', { workload: 3, atMs: 5_000 }));
    await worker.finished();
    await worker.answer();
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
    expect(worker.ledger().reported).toMatchObject({ requests: 1, received: 3, served: 3 });
  });

  /** A worker at its deadline, with a request under way. */
  async function late() {
    const worker = await serving();
    worker.request(started({ workload: 3 }));
    worker.actor.send(stop());
    await worker.clock.advance(DRAIN_TIMEOUT_MS);
    return worker;
  }

  it('cuts what is still in flight at the deadline', async () => {
    const worker = await serving();
    worker.actor.send(stop());
    const { signal } = worker.finish.last;
    await worker.clock.advance(DRAIN_TIMEOUT_MS - 1);
    expect([worker.work, signal.aborted, worker.cut.calls.length]).toEqual([
      { draining: 'finishing' },
      false,
      0,
    ]);
    await worker.clock.advance(1);
    expect([worker.work, signal.aborted, worker.cut.calls.length]).toEqual([
      { draining: 'cutting' },
      true,
      1,
    ]);
    expect(worker.entered.at(-1)).toBe('draining');
  });

  it('tells what was cut before it stops, and has cut it all the same', async () => {
    const worker = await late();
    worker.request(ended('errored', { workload: 3, atMs: DRAIN_TIMEOUT_MS }));
    worker.finishRequest(1);
    await worker.wasCut(1);
    await worker.answer();
    await worker.answer();
    expect(worker.work).toEqual(flushing('told', 'due'));
    await worker.posted();
    expect(worker.emitted.at(-1)).toEqual(enters('stopped', 'the time for draining is over'));
    expect([worker.work, outcome(worker), worker.clock.now()]).toEqual(['stopped', 'cut', DRAIN_TIMEOUT_MS]);
    expect(worker.ledger().reported).toMatchObject({ requests: 1, received: 3, errored: 3, served: 0 });
  });

  it('is clean when at the deadline there were sessions alone, and all is told', async () => {
    const worker = await serving();
    worker.actor.send(stop());
    await worker.clock.advance(DRAIN_TIMEOUT_MS);
    await worker.wasCut(0);
    await worker.answer();
    await worker.answer();
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
    expect(worker.emitted.at(-1)).toEqual(enters('stopped', 'everything is finished and reported'));
  });

  it.each([
    ['what was cut can not be told', 1, 'cut'],
    ['the last sessions can not be told', 0, 'unreported'],
  ])('ends at its last limit when %s', async (_, requests, expected) => {
    const worker = await late();
    await worker.wasCut(requests);
    while (worker.work !== 'stopped') {
      await worker.fail();
      await worker.clock.advance(100);
    }
    expect([outcome(worker), worker.clock.now()]).toEqual([expected, DRAIN_TIMEOUT_MS + LAST_WORDS_MS]);
  });

  it('waits no longer than any timer can', async () => {
    const worker = await serving({ drainTimeoutMs: 2 ** 31 - 1 });
    worker.actor.send(stop());
    await worker.clock.advance(1_000);
    expect(worker.work).toEqual({ draining: 'finishing' });
  });

  it('tries until the deadline when the autoscaler is away, and says that it is unreported', async () => {
    const worker = await serving();
    worker.request(started({ workload: 3 }));
    worker.request(ended('succeeded', { workload: 3 }));
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

  it.each([
    ['that has never been there', { loaded: false, idleMs: 0 }],
    ['that knows all there is to know', { loaded: true, idleMs: 25_000 }],
  ])('waits for no autoscaler %s and has gone', async (_, { loaded, idleMs }) => {
    const worker = loaded ? await serving() : start();
    if (!loaded) await worker.loaded();
    await worker.clock.advance(idleMs);
    for (let round = 0; round < 3; round++) {
      await worker.fail();
      await worker.clock.until(() => worker.report === 'reporting', 10_000);
    }
    await worker.fail();
    expect(worker.work).toBe('serving');
    const stoppedAtMs = worker.clock.now();
    worker.actor.send(stop());
    await worker.finished();
    expect([worker.work, outcome(worker), worker.clock.now()]).toEqual(['stopped', 'clean', stoppedAtMs]);
  });

  it('says how it stands at its end to an autoscaler that answers, also when nothing is new', async () => {
    const worker = await serving();
    const before = worker.attempts().length;
    worker.actor.send(stop());
    await worker.finished();
    expect([worker.work, worker.attempts().slice(before)]).toEqual([
      flushing('due', 'told'),
      ['work loaded http://a'],
    ]);
    await worker.answer();
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
  });

  it('ends clean when the autoscaler comes back before the deadline', async () => {
    const worker = await serving();
    worker.request(started({ workload: 3 }));
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
      if (given === 'cutting') await worker.wasCut(1);
      else if (worker.work !== 'stopped') await worker.finished();
      if (worker.post.calls.length > 0) await worker.posted();
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
    await worker.wasCut(1);
    await worker.answer();
    await worker.answer();
    expect(worker.work).toBe('stopped');
    worker.actor.send(stop('SIGINT'));
    worker.actor.send(failed('out of memory'));
    expect(worker.entered).toEqual(['loading', 'loaded', 'serving', 'draining', 'stopped']);
  });

  it('for an update that is withdrawn ends as if it had not begun: it serves once loaded is told again', async () => {
    const worker = await serving();
    worker.request(started({ workload: 3 }));
    worker.actor.send(updateAsked);
    const { signal } = worker.finish.last;
    await worker.answer();
    await worker.clock.advance(DRAIN_TIMEOUT_MS - 1);
    worker.actor.send(updateWithdrawn);
    expect([worker.work, signal.aborted, worker.entered.includes('draining')]).toEqual([
      'loaded',
      true,
      true,
    ]);
    await worker.answer();
    await worker.answer();
    expect(worker.work).toBe('serving');
    await worker.clock.advance(DRAIN_TIMEOUT_MS);
    expect([worker.work, worker.cut.calls.length]).toEqual(['serving', 0]);
    worker.request(ended('succeeded', { workload: 3, atMs: 60_000 }));
    worker.actor.send(stop());
    await worker.finished();
    await worker.answer();
    await worker.answer();
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
    expect(worker.ledger().reported).toMatchObject({ requests: 1, received: 3, served: 3 });
  });

  it('for an update is not withdrawn when a stop was asked for meanwhile, or when nothing is under way any more', async () => {
    const stopped = await serving();
    stopped.actor.send(updateAsked);
    stopped.actor.send(stop());
    stopped.actor.send(updateWithdrawn);
    expect(stopped.work).toEqual({ draining: 'finishing' });
    const flushed = await serving();
    flushed.actor.send(updateAsked);
    await flushed.finished();
    flushed.actor.send(updateWithdrawn);
    expect(flushed.work).toEqual(flushing('due', 'told'));
  });

  it('waits until both the reports and the finished requests are told', async () => {
    const worker = await serving({ completions: { gapMs: 0 } });
    worker.finishRequest(1);
    await worker.posted();
    worker.finishRequest(2);
    worker.actor.send(stop());
    await worker.finished();
    await worker.answer();
    await worker.answer();
    expect([worker.work, outcome(worker)]).toEqual([flushing('told', 'due'), 'unreported']);
    await worker.clock.advance(10_000);
    expect(worker.work).toEqual(flushing('told', 'due'));
    await worker.posted();
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'clean']);
    expect(
      worker.post.calls.map(({ input }) => input.batch.completions.map((one) => one.requestIdx)),
    ).toEqual([[1], [2]]);
  });

  it('is unreported when only which requests have finished is not told', async () => {
    const worker = await serving();
    worker.finishRequest(1);
    worker.actor.send(stop());
    await worker.finished();
    await worker.answer();
    await worker.answer();
    await worker.clock.advance(DRAIN_TIMEOUT_MS);
    expect([worker.work, outcome(worker)]).toEqual(['stopped', 'unreported']);
  });

  it('gives up a load that is under way', () => {
    const worker = start();
    worker.actor.send(stop());
    expect([worker.work, worker.load.last.signal.aborted]).toEqual([{ draining: 'finishing' }, true]);
  });
});

describe('loading, and what the worker hears meanwhile', () => {
  const NEEDS_KEY = { readiness: { waitsFor: { ...NOTHING, key: true } } };
  const state = (worker: RunningLifecycle) => worker.actor.getSnapshot().context.status;

  it('tells a key that comes in the meantime to what loads, which waits for it', async () => {
    const worker = start(NEEDS_KEY);
    await worker.loaded();
    expect(worker.work).toBe('loading');
    worker.actor.send({ type: 'key.held', pem: PEM });
    await turn();
    expect([worker.work, worker.actor.getSnapshot().context.heard.keyHeld]).toEqual(['loaded', true]);
  });

  it('remembers a key that came before it loads again', async () => {
    const worker = start(NEEDS_KEY);
    worker.actor.send({ type: 'key.held', pem: PEM });
    worker.actor.send(failed('out of memory'));
    worker.actor.send(recovered);
    await worker.loaded();
    expect(worker.entered).toEqual(['loading', 'failing', 'loading', 'loaded']);
  });

  it('gets the key from the actor that seeks it', async () => {
    const worker = start({ ...NEEDS_KEY, publicKey: { ...PUBLIC_KEY_INPUT, eager: true } });
    await worker.loaded();
    worker.fetchKey.last.resolve(PEM);
    await turn();
    expect(worker.work).toBe('loaded');
  });

  it('tells the autoscaler at once that the key is late, and at once that it is there', async () => {
    const worker = start({
      ...NEEDS_KEY,
      publicKey: { ...PUBLIC_KEY_INPUT, eager: true },
      reporter: { intervalMs: 3_600_000 },
    });
    await worker.loaded();
    await worker.clock.advance(PUBLIC_KEY_INPUT.lateAfterMs - 1);
    expect(worker.attempts()).toEqual([]);
    await worker.clock.advance(1);
    expect(state(worker)).toEqual({
      ...LOADING,
      errorMessage: expect.stringMatching(/^no_public_key: /),
    });
    expect(worker.send.calls.map(({ input }) => input.status)).toEqual([state(worker)]);
    await worker.answer();
    worker.fetchKey.last.resolve(PEM);
    await turn();
    expect(worker.send.calls.slice(1).map(({ input }) => input.status)).toEqual([LOADING]);
    await worker.answer();
    await worker.answer();
    expect([worker.work, state(worker)]).toEqual(['serving', LOADED]);
  });

  it('takes the trouble of a load back when there is none any more', () => {
    const worker = start({ reporter: { plan: MUTE } });
    worker.actor.send({ type: 'load.trouble', message: 'no key' });
    worker.actor.send({ type: 'load.trouble', message: '' });
    expect(worker.toReporter).toEqual([
      tells(LOADING),
      tells({ ...LOADING, errorMessage: 'no key' }),
      tells(LOADING),
    ]);
    expect(worker.emitted).toHaveLength(1);
  });

  it('passes on what the model tells, and loads with the speed that it tells', async () => {
    const worker = start({ readiness: { waitsFor: { ...NOTHING, log: true, benchmark: true } } });
    await worker.loaded();
    expect(worker.work).toBe('loading');
    worker.actor.send({ type: 'model.told', what: { type: 'model.loaded', maxPerf: 77 } });
    await turn();
    expect([worker.work, state(worker)]).toEqual(['loaded', { ...LOADED, maxPerf: 77 }]);
  });

  it('fails when the model says that it has failed, and says why', async () => {
    const worker = start();
    worker.actor.send({ type: 'model.told', what: { type: 'model.failed', message: 'no such model' } });
    await turn();
    expect([worker.work, state(worker).errorMessage]).toEqual(['failing', 'no such model']);
  });

  it('fails with the fault of the machine that loads, if it has one', async () => {
    const worker = start({ readinessBreaks: true });
    await turn();
    expect(worker.emitted.at(-1)).toEqual(enters('failing', 'the machine has a fault'));
    expect(worker.actor.getSnapshot().status).toBe('active');
  });
});

describe('a load that failed', () => {
  const UNWELL: ProbeResult = { ok: false, reason: 'it answered 503', bytesFlowed: false, quietMs: 0 };
  const WELL: ProbeResult = { ok: true, quietMs: 0 };
  const BY_HEALTH = { health: HEALTH_INPUT, reporter: { plan: MUTE } };
  const BY_LOG = {
    ...BY_HEALTH,
    readiness: { waitsFor: { ...NOTHING, log: true } },
  };
  const AGAIN = 'the load that failed is tried again';
  const failsToLoad = async (worker: RunningLifecycle) => {
    worker.load.last.reject(new Error('no such model'));
    await turn();
  };
  /** Lets the model server be asked, and says how long that took, in s. */
  const asked = async (worker: RunningLifecycle, result: ProbeResult) => {
    const before = worker.probe.calls.length;
    const waitedMs = await worker.clock.until(() => worker.probe.calls.length > before, 1_000_000);
    worker.probe.last.resolve(result);
    await turn();
    return waitedMs / 1_000;
  };
  const says = (worker: RunningLifecycle, type: 'log.loaded' | 'model.loaded') =>
    worker.actor.send({ type: 'model.told', what: { type } });

  it('is left again: the health route is asked on, and its 200 leads over loading to serving', async () => {
    const worker = start(BY_HEALTH);
    await failsToLoad(worker);
    expect([worker.work, worker.watch]).toEqual(['failing', 'awaited']);
    expect([await asked(worker, UNWELL), await asked(worker, UNWELL)]).toEqual([10, 10]);
    expect(worker.work).toBe('failing');
    await asked(worker, WELL);
    expect([worker.work, worker.watch]).toEqual(['loading', 'unwatched']);
    expect(worker.emitted.at(-1)).toEqual(enters('loading', AGAIN));
    expect(worker.toReporter.at(-1)).toEqual(tells(LOADING));
    await worker.loaded();
    worker.actor.send(told('loaded', 'state'));
    expect([worker.work, worker.watch]).toEqual(['serving', 'watched']);
    expect(worker.entered).toEqual(['loading', 'failing', 'loading', 'loaded', 'serving']);
  });

  it('is not tried in a loop: the more loads fail, the longer it rests', async () => {
    const worker = start(BY_HEALTH);
    const waits: number[] = [];
    for (let loads = 0; loads < 8; loads++) {
      await failsToLoad(worker);
      waits.push(await asked(worker, WELL));
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
    expect(worker.load.calls).toHaveLength(9);
  });

  it.each(['log.loaded', 'model.loaded'] as const)(
    'of a model that is known by its log alone is tried again on a later %s',
    async (type) => {
      const worker = start(BY_LOG);
      await failsToLoad(worker);
      await worker.clock.advance(3_600_000);
      expect([worker.work, worker.watch]).toEqual(['failing', 'awaited']);
      says(worker, type);
      await turn();
      expect(worker.emitted.at(-1)).toEqual(enters('loading', AGAIN));
      await worker.loaded();
      expect([worker.work, worker.probe.calls]).toEqual(['loaded', []]);
    },
  );

  it('does not wait again for what the log said before, nor for a speed that was told', async () => {
    const worker = start({
      ...BY_LOG,
      readiness: { waitsFor: { ...NOTHING, log: true, benchmark: true } },
    });
    worker.actor.send({ type: 'model.told', what: { type: 'model.loaded', maxPerf: 77 } });
    await failsToLoad(worker);
    await worker.clock.advance(HEALTH_INPUT.intervalMs);
    await worker.loaded();
    expect(worker.actor.getSnapshot().context.status).toEqual({ ...LOADED, maxPerf: 77 });
  });

  it('is tried again when the author says so before, and then no more by itself', async () => {
    const worker = start(BY_HEALTH);
    await failsToLoad(worker);
    worker.actor.send(recovered);
    await worker.clock.advance(1_000_000);
    expect([worker.work, worker.watch, worker.load.calls.length]).toEqual(['loading', 'unwatched', 2]);
  });

  it('is no longer asked about when the worker stops', async () => {
    const worker = start(BY_HEALTH);
    await failsToLoad(worker);
    await worker.clock.advance(HEALTH_INPUT.intervalMs);
    worker.actor.send(stop());
    expect([worker.watch, worker.probe.last.signal.aborted]).toEqual(['unwatched', true]);
  });

  it('is final where there is no model server, until the author says that it is not', async () => {
    const worker = start({ reporter: { plan: MUTE } });
    await failsToLoad(worker);
    await worker.clock.advance(3_600_000);
    expect([worker.work, worker.watch]).toEqual(['failing', 'unwatched']);
    worker.actor.send(recovered);
    expect(worker.work).toBe('loading');
  });

  it("is not what the author's own fail() is, which only the author takes back", async () => {
    const worker = start(BY_HEALTH);
    worker.actor.send(failed('no licence'));
    await worker.clock.advance(3_600_000);
    expect([worker.work, worker.watch, worker.probe.calls]).toEqual(['failing', 'unwatched', []]);
  });

  it('does not hide that the key is late: that is told again when it is begun anew', async () => {
    const worker = start({ ...BY_HEALTH, readiness: { waitsFor: { ...NOTHING, key: true } } });
    const late = { ...LOADING, errorMessage: KEY_IS_LATE.reason };
    worker.actor.send(KEY_IS_LATE);
    await failsToLoad(worker);
    await asked(worker, WELL);
    expect(worker.toReporter.at(-1)).toEqual(tells(late));
    await worker.loaded();
    expect(worker.work).toBe('loading');
    worker.actor.send({ type: 'key.held', pem: PEM });
    await turn();
    expect(worker.toReporter.slice(-2)).toEqual([tells(LOADING), tells(LOADED)]);
  });

  it('is told without the key where nobody needs the key', async () => {
    const worker = start(BY_HEALTH);
    worker.actor.send(KEY_IS_LATE);
    await failsToLoad(worker);
    await asked(worker, WELL);
    expect(worker.toReporter.at(-1)).toEqual(tells(LOADING));
  });
});

describe('watching the model server', () => {
  const UNWELL: ProbeResult = { ok: false, reason: 'it answered 503', bytesFlowed: false, quietMs: 0 };
  const probed = async (worker: RunningLifecycle, result: ProbeResult) => {
    const asked = worker.probe.calls.length;
    await worker.clock.until(() => worker.probe.calls.length > asked, HEALTH_INPUT.intervalMs);
    worker.probe.last.resolve(result);
    await turn();
  };
  const watched = async () => {
    const worker = start({ health: HEALTH_INPUT, reporter: { intervalMs: 3_600_000 } });
    await worker.loaded();
    await worker.answer();
    await worker.answer();
    return worker;
  };

  it('begins when it has loaded, and not before', async () => {
    const worker = start({ health: HEALTH_INPUT });
    await worker.clock.advance(60_000);
    expect([worker.watch, worker.probe.calls.length]).toEqual(['unwatched', 0]);
    await worker.loaded();
    expect([worker.work, worker.watch]).toEqual(['loaded', 'watched']);
  });

  it('is left out where there is nothing to watch', async () => {
    const worker = start({ health: null });
    await worker.loaded();
    await worker.clock.advance(60_000);
    expect([worker.work, worker.watch, worker.probe.calls.length]).toEqual(['serving', 'unwatched', 0]);
  });

  it('fails the worker, sees the recovery, and leads back over loaded to serving', async () => {
    const worker = await watched();
    for (let strike = 1; strike < HEALTH_INPUT.strikes; strike++) await probed(worker, UNWELL);
    expect(worker.work).toBe('serving');
    await probed(worker, UNWELL);
    const why = 'the model server is not well: it answered 503';
    expect([worker.work, worker.watch]).toEqual(['failing', 'watched']);
    expect(worker.emitted.at(-1)).toEqual(enters('failing', why));
    expect(worker.actor.getSnapshot().context.status).toEqual({ ...FAILING, errorMessage: why });
    await worker.answer();
    await worker.answer();
    await probed(worker, UNWELL);
    expect(worker.work).toBe('failing');
    await probed(worker, { ok: true, quietMs: 0 });
    expect(worker.work).toBe('loaded');
    await worker.answer();
    expect(worker.entered).toEqual(['loading', 'loaded', 'serving', 'failing', 'loaded', 'serving']);
    expect(worker.actor.getSnapshot().context.status).toEqual(LOADED);
    expect(worker.load.calls).toHaveLength(1);
    await probed(worker, { ok: true, quietMs: 0 });
    expect([worker.work, worker.watch]).toEqual(['serving', 'watched']);
  });

  it('ends when the worker stops', async () => {
    const worker = await watched();
    worker.actor.send(stop());
    expect(worker.watch).toBe('unwatched');
    const asked = worker.probe.calls.length;
    await worker.clock.advance(20_000);
    expect([worker.work, worker.probe.calls.length]).toEqual([{ draining: 'finishing' }, asked]);
  });

  it('gives a probe up that is under way when the worker stops', async () => {
    const worker = await watched();
    await worker.clock.advance(HEALTH_INPUT.intervalMs);
    const { signal } = worker.probe.last;
    worker.actor.send(stop());
    expect(signal.aborted).toBe(true);
  });
});

describe('a model server that the worker runs', () => {
  const UNWELL: ProbeResult = { ok: false, reason: 'it answered 503', bytesFlowed: false, quietMs: 0 };
  const WELL: ProbeResult = { ok: true, quietMs: 0 };
  const DIED: Exit = { code: 1, signal: null, outOfMemory: false, lastLines: ['CUDA error'] };
  const hasDied = (times: number) => `the model server has died (${times} of 3): exit code 1`;
  const supervised = (options: LifecycleOptions = {}) =>
    start({
      supervisor: SUPERVISOR_INPUT,
      health: HEALTH_INPUT,
      reporter: { plan: MUTE },
      ...options,
    });
  const settled = (act: () => void) => {
    act();
    return turn();
  };
  const nothingWasLeft = (worker: RunningLifecycle) =>
    settled(() => worker.process.find.last.resolve({ orphan: null }));
  const dies = (worker: RunningLifecycle, exit = DIED) =>
    settled(() => worker.process.run.last.resolve(exit));
  const isGone = (worker: RunningLifecycle) => settled(() => worker.process.gone.last.resolve());
  const isStartedAgain = async (worker: RunningLifecycle) => {
    const runs = worker.process.run.calls.length;
    await isGone(worker);
    await worker.clock.until(() => worker.process.run.calls.length > runs, 60_000);
  };
  const probed = async (worker: RunningLifecycle, result: ProbeResult) => {
    const asked = worker.probe.calls.length;
    await worker.clock.until(() => worker.probe.calls.length > asked, 400_000);
    worker.probe.last.resolve(result);
    await turn();
  };
  const serving = async (options?: LifecycleOptions) => {
    const worker = supervised(options);
    await nothingWasLeft(worker);
    await worker.loaded();
    await settled(() => worker.actor.send(told('loaded', 'state')));
    return worker;
  };
  const isStruckOut = async (worker: RunningLifecycle) => {
    for (let strikes = 0; strikes < HEALTH_INPUT.strikes; strikes++) await probed(worker, UNWELL);
  };
  const failsToLoad = (worker: RunningLifecycle) =>
    settled(() => worker.load.last.reject(new Error('it did not load in time')));

  it('is looked for, started while the backend loads, and up from then on', async () => {
    const worker = supervised();
    expect([worker.work, worker.server]).toEqual(['loading', { supervised: 'down' }]);
    await nothingWasLeft(worker);
    expect([worker.work, worker.server, worker.load.calls.length]).toEqual([
      'loading',
      { supervised: 'up' },
      1,
    ]);
  });

  it('that dies leads to failing with what it said last, and when it is started again over loading to serving', async () => {
    const worker = await serving();
    await dies(worker);
    expect([worker.work, worker.server, worker.watch]).toEqual([
      'failing',
      { supervised: 'down' },
      'unwatched',
    ]);
    const whole = `${hasDied(1)}\nits last lines:\nCUDA error`;
    expect(worker.toReporter.at(-1)).toEqual(tells({ ...FAILING, errorMessage: whole }));
    await isStartedAgain(worker);
    expect(worker.emitted.at(-1)).toEqual(enters('loading', 'the model server is started again'));
    expect(worker.toReporter.at(-1)).toEqual(tells({ ...LOADED, phase: 'loading', loadTimeSeconds: 0 }));
    await worker.loaded(7);
    expect(worker.toReporter.at(-1)).toEqual(tells({ ...LOADED, loadTimeSeconds: 7 }));
    await settled(() => worker.actor.send(told('loaded', 'state')));
    expect([worker.server, worker.watch]).toEqual([{ supervised: 'up' }, 'watched']);
    expect(worker.entered).toEqual([
      'loading',
      'loaded',
      'serving',
      'failing',
      'loading',
      'loaded',
      'serving',
    ]);
  });

  it('that dies while it loads ends the load, which begins anew with it', async () => {
    const worker = supervised();
    await nothingWasLeft(worker);
    await dies(worker);
    expect([worker.work, worker.load.last.signal.aborted]).toEqual(['failing', true]);
    await isStartedAgain(worker);
    expect([worker.work, worker.load.calls.length]).toEqual(['loading', 2]);
  });

  it('is waited for anew in the log, and its speed is told anew, when it is started again', async () => {
    const worker = supervised({ readiness: { waitsFor: { ...NOTHING, log: true, benchmark: true } } });
    await nothingWasLeft(worker);
    worker.actor.send({ type: 'model.told', what: { type: 'model.loaded', maxPerf: 77 } });
    await worker.loaded();
    expect([worker.work, worker.actor.getSnapshot().context.status.maxPerf]).toEqual(['loaded', 77]);
    await dies(worker);
    await isStartedAgain(worker);
    await worker.loaded();
    expect(worker.work).toBe('loading');
    worker.actor.send({ type: 'model.told', what: { type: 'model.loaded', maxPerf: 78 } });
    await turn();
    expect([worker.work, worker.actor.getSnapshot().context.status.maxPerf]).toEqual(['loaded', 78]);
  });

  it('in a crash loop is given up with the reason, and nothing is asked or loaded any more', async () => {
    const worker = await serving();
    await dies(worker);
    await isStartedAgain(worker);
    await dies(worker);
    await isStartedAgain(worker);
    await dies(worker);
    await isGone(worker);
    const reason =
      'the model server is not started again, since it has died 3 times in a row: exit code 1\nits last lines:\nCUDA error';
    expect(worker.emitted.at(-1)).toEqual(enters('failing', reason));
    const [asked, loads] = [worker.probe.calls.length, worker.load.calls.length];
    await worker.clock.advance(3_600_000);
    worker.actor.send(recovered);
    expect([worker.work, worker.server, worker.watch]).toEqual([
      'failing',
      { supervised: 'down' },
      'unwatched',
    ]);
    expect([worker.probe.calls.length, worker.load.calls.length]).toEqual([asked, loads]);
  });

  it("is not thought to be back while it is down, whatever the author's own code says", async () => {
    const worker = await serving();
    await dies(worker);
    worker.actor.send(recovered);
    expect(worker.work).toBe('failing');
  });

  it('that failed to load and then ends is awaited no more but started again', async () => {
    const worker = supervised();
    await nothingWasLeft(worker);
    await failsToLoad(worker);
    expect([worker.watch, worker.server]).toEqual(['awaited', { supervised: 'unwell' }]);
    await dies(worker);
    expect([worker.watch, worker.server]).toEqual(['unwatched', { supervised: 'down' }]);
    await isStartedAgain(worker);
    expect(worker.work).toBe('loading');
  });

  it('that is unwell for too long is ended as one that has died, and started again', async () => {
    const worker = await serving();
    await isStruckOut(worker);
    expect([worker.work, worker.server]).toEqual(['failing', { supervised: 'unwell' }]);
    await worker.clock.advance(RESTART_AFTER_MS - 1);
    expect(worker.process.signal.calls).toEqual([]);
    await worker.clock.advance(1);
    expect(worker.process.signal.last.input).toEqual({ signal: 'SIGTERM' });
    expect(worker.actor.getSnapshot().context.status.errorMessage).toBe(
      'the model server has died (1 of 3): it was ended because it hung: the model server is not well: it answered 503',
    );
    expect([worker.server, worker.watch]).toEqual([{ supervised: 'down' }, 'unwatched']);
    await isStartedAgain(worker);
    expect([worker.work, worker.server]).toEqual(['loading', { supervised: 'up' }]);
  });

  it('that hangs each time is given up', async () => {
    const worker = await serving();
    for (let hangs = 1; hangs <= SUPERVISOR_INPUT.maxCrashes; hangs++) {
      await isStruckOut(worker);
      await worker.clock.advance(RESTART_AFTER_MS);
      if (hangs === SUPERVISOR_INPUT.maxCrashes) break;
      await isStartedAgain(worker);
      await worker.loaded();
    }
    await isGone(worker);
    await worker.clock.advance(3_600_000);
    expect([worker.work, worker.process.run.calls.length]).toEqual(['failing', SUPERVISOR_INPUT.maxCrashes]);
    expect(worker.actor.getSnapshot().context.reason).toMatch(
      /^the model server is not started again, .* hung/,
    );
  });

  it('that is well again in time is left to run', async () => {
    const worker = await serving();
    await isStruckOut(worker);
    await probed(worker, WELL);
    expect([worker.work, worker.server]).toEqual(['loaded', { supervised: 'up' }]);
    await worker.clock.advance(RESTART_AFTER_MS - 20_000);
    expect(worker.process.signal.calls).toEqual([]);
  });

  it('that did not load is asked on before it is ended, and not ended when it loads then', async () => {
    const worker = supervised();
    await nothingWasLeft(worker);
    await failsToLoad(worker);
    for (let probes = 0; probes < 5; probes++) await probed(worker, UNWELL);
    await probed(worker, WELL);
    expect([worker.work, worker.server]).toEqual(['loading', { supervised: 'up' }]);
    await worker.clock.advance(RESTART_AFTER_MS);
    expect(worker.process.signal.calls).toEqual([]);
  });

  it.each([
    [HEALTH_INPUT, HEALTH_INPUT.intervalMs],
    [null, 10_000],
  ])(
    'that does not load is ended a while after the rest of a load that failed: %j',
    async (health, restMs) => {
      const worker = supervised({ health });
      await nothingWasLeft(worker);
      await failsToLoad(worker);
      await worker.clock.advance(restMs + RESTART_AFTER_MS - 1);
      expect(worker.process.signal.calls).toEqual([]);
      await worker.clock.advance(1);
      expect(worker.process.signal.last.input).toEqual({ signal: 'SIGTERM' });
    },
  );

  it("of which the author says that it is broken is not ended: that is the author's to take back", async () => {
    const worker = await serving();
    worker.actor.send(failed('no licence'));
    expect(worker.server).toEqual({ supervised: 'up' });
    for (let probes = 0; probes < 30; probes++) await probed(worker, WELL);
    expect([worker.work, worker.process.signal.calls]).toEqual(['failing', []]);
  });

  it('is not ended for being unwell while the worker drains', async () => {
    const worker = await serving({ drainTimeoutMs: 10 * RESTART_AFTER_MS });
    await isStruckOut(worker);
    worker.actor.send(stop());
    expect(worker.server).toEqual({ supervised: 'up' });
    await worker.clock.advance(2 * RESTART_AFTER_MS);
    expect([worker.work, worker.process.signal.calls]).toEqual([{ draining: 'finishing' }, []]);
  });

  it('has ended for good when its supervisor was asked to stop', async () => {
    const worker = await serving();
    worker.actor.getSnapshot().children.supervisor?.send({ type: 'stop' });
    expect(worker.server).toEqual({ supervised: 'down' });
    await isGone(worker);
    expect(worker.server).toBe('ended');
  });
});
