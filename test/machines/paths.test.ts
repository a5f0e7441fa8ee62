import { describe, expect, it } from 'vitest';
import type { AnyMachineSnapshot, AnyStateMachine, EventFromLogic, SnapshotFrom } from 'xstate';
import { initialTransition, transition } from 'xstate';
import { getShortestPaths, getSimplePaths } from 'xstate/graph';
import { cut, openLedger } from '../../machines/ledger.js';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import { reporterMachine } from '../../machines/reporter.js';
import { legacyWithModel } from '../../src/dialects/legacy/data.js';
import { HEALTH_INPUT, LIFECYCLE_INPUT, SUPERVISOR_INPUT } from '../support/machines/lifecycle.js';
import { DELIVERY, FAILING, LOADED, NO_ANSWER, REPORTER_INPUT } from '../support/machines/reporter.js';

/**
 * The events by which effects and timers end. Their names come from the machine, so that nothing here
 * knows how xstate makes them.
 */
function endingsOf(machine: AnyStateMachine, results: Readonly<Record<string, object>>) {
  return machine.events
    .filter((type) => type.startsWith('xstate.'))
    .map((type) => {
      const kind = Object.keys(results).find((name) => type.includes(name));
      return { type, ...(kind === undefined ? {} : results[kind]) };
    });
}

/** Every state value that can be written down: each combination of the regions, as the machine names them. */
function namesOf(snapshots: readonly AnyMachineSnapshot[]): string[] {
  return [...new Set(snapshots.map(({ value }) => JSON.stringify(value)))].toSorted();
}

const lifecycleInput = { ...LIFECYCLE_INPUT, health: HEALTH_INPUT };

const lifecycleEvents = [
  { type: 'backend.failed', message: 'out of memory' },
  { type: 'backend.recovered' },
  { type: 'stop.requested', reason: 'SIGTERM' },
  { type: 'update.asked', reason: 'an update' },
  { type: 'update.withdrawn', reason: 'no update' },
  { type: 'report.started' },
  { type: 'report.settled' },
  { type: 'report.acknowledged', phase: 'loaded', covers: ['state'], window: cut(openLedger(0), [], 0) },
  { type: 'report.unreachable' },
  { type: 'reports.flushed' },
  { type: 'completions.flushed' },
  { type: 'load.trouble', message: 'no key' },
  { type: 'key.held', pem: 'the key' },
  { type: 'key.late', reason: 'no_public_key' },
  { type: 'model.told', what: { type: 'log.progress' } },
  ...endingsOf(lifecycleMachine, {
    'done.actor.cut': { output: 3 },
    'done.actor.load': { output: { ok: true, loadTimeSeconds: 2, maxPerf: 5 } },
    'error.actor.load': { error: new Error('no such model') },
  }),
  ...endingsOf(lifecycleMachine, {
    'done.actor.load': { output: { ok: false, reason: 'no such model' } },
  }).filter(({ type }) => type.includes('done.actor.load')),
] as EventFromLogic<typeof lifecycleMachine>[];

/** What the reporter tells its parent is of no matter here, and there is no parent to hear it. */
const lonelyReporter = reporterMachine.provide({
  actions: {
    'say that a report is under way': () => {},
    'say that the report has settled': () => {},
    'say that nobody answers': () => {},
    'say that everything is told': () => {},
    'hand on the acknowledgement': () => {},
  },
});

const reporterEvents = [
  { type: 'status.changed', status: LOADED },
  { type: 'status.changed', status: FAILING },
  { type: 'work.due' },
  { type: 'capacity.due' },
  { type: 'heartbeat' },
  { type: 'flush' },
  ...endingsOf(reporterMachine, {
    'done.actor.send': { output: DELIVERY },
    'error.actor.send': { error: NO_ANSWER },
  }),
] as EventFromLogic<typeof reporterMachine>[];

const WORK_STATES = [
  'loading',
  'loaded',
  'serving',
  'failing',
  { draining: 'finishing' },
  { draining: 'cutting' },
  ...['due', 'told'].flatMap((reports) =>
    ['due', 'told']
      .filter((completions) => reports === 'due' || completions === 'due')
      .map((completions) => ({ draining: { flushing: { reports, completions } } })),
  ),
  'stopped',
];

/** The model is watched from when it has loaded until the worker stops; its return is awaited when its load failed. */
function watchesOf(work: (typeof WORK_STATES)[number]): string[] {
  if (work === 'loaded' || work === 'serving') return ['watched'];
  return work === 'failing' ? ['awaited', 'unwatched', 'watched'] : ['unwatched'];
}

describe('paths through the lifecycle', () => {
  const options = {
    input: lifecycleInput,
    events: lifecycleEvents,
    // What makes two states the same here: the children are other machines, with paths of their own.
    serializeState: ({ value, context }: SnapshotFrom<typeof lifecycleMachine>) =>
      JSON.stringify([value, context.hasLoaded, context.outcome, context.forUpdate]),
  };
  const replay = (events: readonly EventFromLogic<typeof lifecycleMachine>[]) =>
    events.reduce(
      (snapshot, event) => transition(lifecycleMachine, snapshot, event)[0],
      initialTransition(lifecycleMachine, lifecycleInput)[0],
    );

  it('reach each state of the work, quiet and reporting', () => {
    const paths = getShortestPaths(lifecycleMachine, options);
    expect(namesOf(paths.map(({ state }) => state))).toEqual(
      WORK_STATES.flatMap((work) =>
        ['quiet', 'reporting'].flatMap((report) =>
          watchesOf(work).map((watch) => JSON.stringify({ work, report, watch, server: 'unsupervised' })),
        ),
      ).toSorted(),
    );
  });

  it('reach each state of a model server that the worker runs, and lead there again when they are replayed', () => {
    const input = { ...lifecycleInput, supervisor: SUPERVISOR_INPUT };
    const events = [
      ...lifecycleEvents,
      { type: 'model.started', restarts: 0 },
      { type: 'model.ended' },
      { type: 'model.unwell' },
    ] as EventFromLogic<typeof lifecycleMachine>[];
    const paths = getShortestPaths(lifecycleMachine, { ...options, input, events });
    const servers = new Set(paths.map(({ state }) => JSON.stringify(state.value.server)));
    expect([...servers].toSorted()).toEqual(
      ['ended', { supervised: 'down' }, { supervised: 'unwell' }, { supervised: 'up' }].map((server) =>
        JSON.stringify(server),
      ),
    );
    for (const { state, steps } of paths) {
      const again = steps
        .slice(1)
        .reduce(
          (snapshot, { event }) => transition(lifecycleMachine, snapshot, event)[0],
          initialTransition(lifecycleMachine, input)[0],
        );
      expect(options.serializeState(again)).toBe(options.serializeState(state));
      expect(again.status).toBe('active');
    }
  });

  // The simple paths leave the report region and updates out: they double their steps, and have a table of their own.
  it.each([
    ['shortest', getShortestPaths(lifecycleMachine, options)],
    [
      'simple',
      getSimplePaths(lifecycleMachine, {
        ...options,
        filterEvents: (_, { type }) => !type.startsWith('report.s') && !type.startsWith('update.'),
      }),
    ],
  ])(
    'lead to the same states when the %s of them are replayed',
    (_, paths) => {
      expect(paths.length).toBeGreaterThan(10);
      for (const { state, steps } of paths) {
        const again = replay(steps.slice(1).map(({ event }) => event));
        expect(options.serializeState(again)).toBe(options.serializeState(state));
        expect(again.status).toBe('active');
      }
    },
    60_000,
  );
});

describe('paths through the reporter', () => {
  const states = (addresses: readonly string[]) => {
    const { plan } = legacyWithModel({ loadForm: 'sum', tellsCapacity: true });
    const input = { ...REPORTER_INPUT, addresses, plan };
    const options = {
      input,
      events: reporterEvents,
      serializeState: ({ value, context }: SnapshotFrom<typeof reporterMachine>) =>
        JSON.stringify([
          value,
          context.status.phase,
          context.due,
          context.mustBeTold,
          context.flushing,
          context.hasCapacity,
          context.preferred,
          context.current,
          Math.min(context.failedRounds, 2),
          context.attempt.kind,
          context.attempt.address,
          context.status === context.attempt.status,
        ]),
    };
    const replay = (events: readonly EventFromLogic<typeof reporterMachine>[]) =>
      events.reduce(
        (snapshot, event) => transition(lonelyReporter, snapshot, event)[0],
        initialTransition(lonelyReporter, input)[0],
      );
    return { options, replay };
  };

  it.each([
    [['http://a'], ['quiet', 'sending', 'backing off', 'flushed']],
    [
      ['http://a', 'http://b'],
      ['quiet', 'sending', 'backing off', 'flushed'],
    ],
    [[], ['silent']],
  ])(
    'with the addresses %j reach %j, and lead there again when they are replayed',
    (addresses, reached) => {
      const { options, replay } = states(addresses);
      const paths = getShortestPaths(lonelyReporter, options);
      expect(namesOf(paths.map(({ state }) => state))).toEqual(
        reached.map((name) => JSON.stringify(name)).toSorted(),
      );
      for (const { state, steps } of paths) {
        const again = replay(steps.slice(1).map(({ event }) => event));
        expect(options.serializeState(again)).toBe(options.serializeState(state));
        expect(again.status).toBe('active');
      }
    },
    90_000,
  );

  it('never send with nothing to tell, and are never done while something is due', () => {
    for (const { state } of getShortestPaths(lonelyReporter, states(['http://a', 'http://b']).options)) {
      const { due, addresses, attempt, backOffMs, backOff, mustBeTold, plan } = state.context;
      const underWay = state.matches('sending') ? plan.covers[attempt.kind] : [];
      for (const kind of mustBeTold) expect([...due, ...underWay]).toContain(kind);
      if (state.matches('quiet') || state.matches('flushed')) expect(due).toEqual([]);
      if (state.matches('backing off')) expect(due).not.toEqual([]);
      if (state.matches('sending')) expect(addresses).toContain(attempt.address);
      expect(backOffMs).toBeLessThan(backOff.capMs);
    }
  });
});
