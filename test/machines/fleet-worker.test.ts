import { describe, expect, it } from 'vitest';
import { type EventFromLogic, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { fleetWorkerMachine, phaseOf } from '../../machines/fleet-worker.js';
import { EXIT_FOR_UPDATE } from '../../machines/fleet-worker-setup.js';
import type { WorkerPhase } from '../../machines/scaling.js';
import {
  FLEET_WORKER_INPUT as INPUT,
  type FleetWorkerAtWork as Running,
  startFleetWorker as start,
} from '../support/machines/fleet-worker.js';

const GIVEN = {
  creating: async () => {},
  'loading, and not heard of': async (worker) => worker.isPlaced(),
  loading: async (worker) => {
    await worker.isPlaced();
    await worker.says('loading');
  },
  ready: async (worker) => {
    await worker.isPlaced();
    await worker.says('serving');
  },
  failing: async (worker) => {
    await worker.isPlaced();
    await worker.saysThatItFails();
  },
  'withdrawn, to be inactive': async (worker) => {
    await GIVEN.ready(worker);
    await worker.send({ type: 'deactivate' });
  },
  'withdrawn, to be updated': async (worker) => {
    await GIVEN.ready(worker);
    await worker.send({ type: 'update' });
  },
  'withdrawn, to be gone': async (worker) => {
    await GIVEN.ready(worker);
    await worker.send({ type: 'destroy' });
  },
  'ending, to be inactive': async (worker) => {
    await GIVEN['withdrawn, to be inactive'](worker);
    await worker.pass(INPUT.arrivalMs);
  },
  'ending, to be updated': async (worker) => {
    await GIVEN.loading(worker);
    await worker.send({ type: 'update' });
  },
  'ending, to be gone': async (worker) => {
    await GIVEN.loading(worker);
    await worker.send({ type: 'destroy' });
  },
  'ending, since it failed': async (worker) => {
    await GIVEN.failing(worker);
    // It goes on to report, as one that fails does.
    await worker.pass(INPUT.failingForMs / 2);
    await worker.saysThatItFails();
    await worker.pass(INPUT.failingForMs / 2);
  },
  'ending, since it is silent': async (worker) => {
    await GIVEN.ready(worker);
    await worker.pass(INPUT.silentAfterMs);
  },
  'ending, since it was silent': async (worker) => {
    await GIVEN['ending, since it is silent'](worker);
    await worker.says('serving');
  },
  killing: async (worker) => {
    await GIVEN['ending, to be inactive'](worker);
    await worker.pass(INPUT.drainWithinMs);
  },
  failed: async (worker) => worker.findsNoPlace(),
  inactive: async (worker) => {
    await GIVEN['ending, to be inactive'](worker);
    await worker.ends(0);
  },
} satisfies Record<string, (worker: Running) => Promise<void>>;

const WHEN = {
  'it is activated': (worker) => worker.send({ type: 'activate' }),
  'it is deactivated': (worker) => worker.send({ type: 'deactivate' }),
  'it is given up': (worker) => worker.send({ type: 'destroy' }),
  'it is updated': (worker) => worker.send({ type: 'update' }),
  'it says that it loads': (worker) => worker.says('loading'),
  'it says that it serves': (worker) => worker.says('serving'),
  'it says that it fails': (worker) => worker.saysThatItFails('no memory'),
  'there is a place': (worker) => worker.isPlaced(),
  'there is no place': (worker) => worker.findsNoPlace(),
  'it could not be started': (worker) => worker.neverBegins(),
  'its process ends well': (worker) => worker.ends(0),
  'its process dies': (worker) => worker.ends(1),
  'its process dies, and says of what': (worker) => worker.ends(1, null, 'no GPU'),
  'its process is killed': (worker) => worker.ends(null, 'SIGKILL'),
  'its process ends for an update': (worker) => worker.ends(EXIT_FOR_UPDATE),
  'it may not be signalled': (worker) => worker.refusesTheSignal(),
  'it is not heard of': (worker) => worker.pass(INPUT.silentAfterMs),
  'it is not heard of for long': (worker) => worker.pass(INPUT.firstWordWithinMs),
  'it does not answer': (worker) => worker.pass(INPUT.answerWithinMs),
  'the time to arrive passes': (worker) => worker.pass(INPUT.arrivalMs),
  'the time to drain passes': (worker) => worker.pass(INPUT.drainWithinMs),
  'the pause passes': (worker) => worker.pass(INPUT.pause.baseMs),
} satisfies Record<string, (worker: Running) => Promise<void>>;

type Given = keyof typeof GIVEN;
type When = keyof typeof WHEN;

interface Then {
  readonly states?: string[];
  readonly phase?: WorkerPhase | null;
  readonly reason?: string;
  readonly failures?: number;
  readonly signals?: string[];
}

const up = (model: string, reports: string) => [`model.${model}`, `reports.${reports}`];
const gone: Then = { states: ['gone'], phase: null };
const inactive: Then = { states: ['inactive'], phase: 'inactive' };
const creating: Then = { states: ['creating'], phase: 'creating' };
const withdrawn = (phase: WorkerPhase): Then => ({ states: ['withdrawn'], phase });
const ending = (phase: WorkerPhase, reason = ''): Then => ({
  states: ['ending.draining.heard'],
  phase,
  reason,
  signals: ['SIGTERM'],
});
const silent = (reason: string): Then => ({
  ...ending('failed', reason),
  states: ['ending.draining.silent'],
});
const answers: Then = { states: ['ending.draining.heard'] };
const failed = (reason: string): Then => ({ states: ['failed'], phase: 'failed', failures: 1, reason });
const killing: Then = { states: ['ending.killing'], signals: ['SIGKILL'] };
const byItself = (how: string) => failed(`its process ended by itself, ${how}`);
const UNSIGNALLED: Then = { reason: 'its process could not be signalled: not permitted' };

/** What may become of a process that nobody has asked to end. */
const DIES: Partial<Record<When, Then>> = {
  'it could not be started': failed('its process could not be started: EAGAIN'),
  'its process ends well': byItself('with exit code 0'),
  'its process dies': byItself('with exit code 1'),
  'its process dies, and says of what': byItself('with exit code 1: no GPU'),
  'its process is killed': byItself('by SIGKILL'),
  'its process ends for an update': creating,
};

/** What each event brings about in each state. What is not listed changes nothing. */
const TABLE: Record<Given, Partial<Record<When, Then>>> = {
  creating: {
    'there is a place': { states: up('loading', 'awaited'), phase: 'loading' },
    'there is no place': failed('there is no place for it: no port is free'),
    'it is given up': gone,
  },
  'loading, and not heard of': {
    ...DIES,
    'it says that it loads': { states: up('loading', 'heard') },
    'it says that it serves': { states: up('ready', 'heard'), phase: 'ready' },
    'it says that it fails': { states: up('failing', 'heard'), phase: 'failed', reason: 'no memory' },
    'it is given up': ending('stopping'),
    'it is updated': ending('updating'),
    'it is not heard of for long': silent('it has not reported within 60 s of its start'),
  },
  loading: {
    ...DIES,
    'it says that it serves': { states: up('ready', 'heard'), phase: 'ready' },
    'it says that it fails': { states: up('failing', 'heard'), phase: 'failed', reason: 'no memory' },
    'it is given up': ending('stopping'),
    'it is updated': ending('updating'),
    'it is not heard of': silent('it has not reported for 30 s'),
  },
  ready: {
    ...DIES,
    'it says that it loads': { states: up('loading', 'heard'), phase: 'loading' },
    'it says that it fails': { states: up('failing', 'heard'), phase: 'failed', reason: 'no memory' },
    'it is deactivated': withdrawn('stopping'),
    'it is given up': withdrawn('stopping'),
    'it is updated': withdrawn('updating'),
    'it is not heard of': silent('it has not reported for 30 s'),
  },
  failing: {
    ...DIES,
    'it says that it loads': { states: up('loading', 'heard'), phase: 'loading' },
    'it says that it serves': { states: up('ready', 'heard'), phase: 'ready', reason: '' },
    'it says that it fails': { reason: 'no memory' },
    'it is given up': ending('stopping', 'out of memory'),
    'it is updated': ending('updating', 'out of memory'),
    'it is not heard of': silent('it has not reported for 30 s'),
  },
  'withdrawn, to be inactive': {
    'the time to arrive passes': ending('stopping'),
    'its process dies': inactive,
    'it could not be started': failed('its process could not be started: EAGAIN'),
  },
  'withdrawn, to be updated': {
    'the time to arrive passes': ending('updating'),
    'its process dies': creating,
    'it could not be started': failed('its process could not be started: EAGAIN'),
    'it is given up': { phase: 'stopping' },
  },
  'withdrawn, to be gone': {
    'the time to arrive passes': ending('stopping'),
    'its process dies': gone,
    'it could not be started': gone,
  },
  'ending, to be inactive': {
    'its process ends well': inactive,
    'its process ends for an update': inactive,
    'its process is killed': inactive,
    'the time to drain passes': killing,
    'it may not be signalled': UNSIGNALLED,
  },
  'ending, to be updated': {
    'its process ends well': creating,
    'its process dies': creating,
    'the time to drain passes': killing,
    'it is given up': { phase: 'stopping' },
  },
  'ending, to be gone': {
    'its process ends well': gone,
    'its process dies': gone,
    'it could not be started': gone,
    'the time to drain passes': killing,
  },
  'ending, since it failed': {
    'its process ends well': failed('out of memory'),
    'its process is killed': failed('out of memory'),
    'its process ends for an update': failed('out of memory'),
    'it is given up': { phase: 'stopping' },
    'the time to drain passes': killing,
  },
  'ending, since it is silent': {
    'it says that it loads': answers,
    'it says that it serves': answers,
    'it says that it fails': answers,
    'its process ends well': failed('it has not reported for 30 s'),
    'it is given up': { phase: 'stopping' },
    'it does not answer': killing,
  },
  'ending, since it was silent': {
    'its process ends well': failed('it has not reported for 30 s'),
    'it is given up': { phase: 'stopping' },
    'it does not answer': {},
    'the time to drain passes': killing,
  },
  killing: {
    'its process is killed': inactive,
    'it may not be signalled': UNSIGNALLED,
    'it is given up': {},
  },
  failed: {
    'the pause passes': inactive,
    'it is given up': gone,
  },
  inactive: {
    'it is activated': creating,
    'it is given up': gone,
  },
};

/** What can be asked, or said, at any time; all else happens only where it is listed. */
const ASKED = (Object.keys(WHEN) as When[]).slice(0, 7);

const CASES = (Object.keys(TABLE) as Given[]).flatMap((given) =>
  (Object.keys(WHEN) as When[])
    .filter((when) => ASKED.includes(when) || TABLE[given][when] !== undefined)
    .map((when) => ({ given, when })),
);

describe('what each event brings about', () => {
  it.each(CASES)('$given: $when', async ({ given, when }) => {
    const worker = start();
    await GIVEN[given](worker);
    const view = () => ({
      states: worker.states,
      phase: worker.phase,
      reason: worker.context.reason,
      failures: worker.context.failures,
    });
    const before = view();
    const signals = worker.signals.length;
    await WHEN[when](worker);
    expect({ ...view(), signals: worker.signals.slice(signals) }).toEqual({
      ...before,
      signals: [],
      ...TABLE[given][when],
    });
  });
});

describe('a worker of the fleet', () => {
  it('that fails again and again is left alone the longer, up to a limit', async () => {
    const worker = start();
    const pauses: number[] = [];
    for (let failure = 0; failure < 9; failure++) {
      await worker.isPlaced();
      await worker.ends(1);
      let pausedMs = 0;
      for (; worker.phase === 'failed'; pausedMs += 1_000) await worker.pass(1_000);
      pauses.push(pausedMs / 1_000);
      await worker.send({ type: 'activate' });
    }
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it('that was ready for long has not failed in a row', async () => {
    const worker = start();
    for (const forgotten of [false, true]) {
      await GIVEN.ready(worker);
      for (let passedMs = 0; passedMs < INPUT.stableAfterMs - 10_000; passedMs += 10_000) {
        await worker.pass(10_000);
        await worker.says('serving');
      }
      if (forgotten) await worker.pass(10_000);
      await worker.ends(1);
      expect(worker.context.failures).toBe(1);
      await worker.pass(INPUT.pause.capMs);
      await worker.send({ type: 'activate' });
    }
    await GIVEN.ready(worker);
    await worker.ends(1);
    expect(worker.context.failures).toBe(2);
  });

  it.each([
    ['that was stopped in good order', 'deactivate', 0, 'inactive', 1],
    ['that got new code', 'update', 0, 'creating', 1],
    ['that got new code, and died before', 'update', 1, 'creating', 1],
    ['that made way for new code by itself', null, EXIT_FOR_UPDATE, 'creating', 2],
    ['that dies', null, 1, 'failed', 3],
  ] as const)('%s: failures after one more', async (_which, type, code, phase, failures) => {
    const worker = start();
    await worker.isPlaced();
    await worker.ends(1);
    await worker.pass(INPUT.pause.capMs);
    await worker.send({ type: 'activate' });
    await GIVEN.ready(worker);
    if (type !== null) {
      await worker.send({ type });
      await worker.pass(INPUT.arrivalMs);
    }
    await worker.ends(code);
    expect(worker.phase).toBe(phase);
    await worker.pass(INPUT.pause.capMs);
    if (phase !== 'creating') await worker.send({ type: 'activate' });
    await worker.isPlaced();
    await worker.ends(1);
    expect([worker.phase, worker.context.failures]).toEqual(['failed', failures]);
  });

  it('is kept while it reports, and given up a moment after it should have', async () => {
    const worker = start();
    await GIVEN.ready(worker);
    await worker.pass(INPUT.silentAfterMs - 1);
    await worker.says('serving');
    await worker.pass(INPUT.silentAfterMs - 1);
    expect(worker.phase).toBe('ready');
    await worker.pass(1);
    expect([worker.phase, worker.signals]).toEqual(['failed', ['SIGTERM']]);
  });

  it('has not recovered by saying again that it fails', async () => {
    const worker = start();
    await GIVEN.failing(worker);
    for (let passedMs = 0; passedMs < INPUT.failingForMs - 5_000; passedMs += 5_000) {
      await worker.pass(5_000);
      await worker.saysThatItFails('still');
    }
    expect([worker.states, worker.signals]).toEqual([up('failing', 'heard'), []]);
    await worker.pass(5_000);
    expect([worker.signals, worker.context.reason]).toEqual([['SIGTERM'], 'still']);
  });

  it('whose update is over runs a new process, and can be updated again', async () => {
    const worker = start();
    await GIVEN.ready(worker);
    for (const starts of [2, 3]) {
      await worker.send({ type: 'update' });
      await worker.pass(INPUT.arrivalMs);
      await worker.ends(0);
      await GIVEN.ready(worker);
      expect([worker.phase, worker.context.starts, worker.run.calls.length]).toEqual([
        'ready',
        starts,
        starts,
      ]);
    }
    // A crash afterwards is one, not the end of an update.
    await worker.ends(0);
    expect(worker.phase).toBe('failed');
  });
});

describe('paths through a worker of the fleet', () => {
  const events = [
    { type: 'heard', state: 'loading' },
    { type: 'heard', state: 'serving' },
    { type: 'heard', state: 'failing', reason: 'out of memory' },
    { type: 'activate' },
    { type: 'deactivate' },
    { type: 'destroy' },
    { type: 'update' },
    ...fleetWorkerMachine.events
      .filter((type) => type.startsWith('xstate.'))
      .map((type) => ({ type, output: { code: 1, signal: null }, error: new Error('no') })),
  ] as EventFromLogic<typeof fleetWorkerMachine>[];
  const serializeState = ({ value, context }: SnapshotFrom<typeof fleetWorkerMachine>) =>
    JSON.stringify([value, context.cause, Math.min(context.failures, 2)]);
  const paths = getShortestPaths(fleetWorkerMachine, {
    input: INPUT,
    events,
    serializeState,
    // Counts grow without end; two of each show what there is.
    stopWhen: ({ context }) => context.failures > 2,
  });

  it('lead through each phase, and to the same again when they are replayed', () => {
    const phases = new Set(paths.map(({ state }) => phaseOf(state)));
    expect([...phases].toSorted()).toEqual(
      ['creating', 'failed', 'inactive', 'loading', null, 'ready', 'stopping', 'updating'].toSorted(),
    );
    for (const { state, steps } of paths) {
      const again = steps
        .slice(1)
        .reduce(
          (snapshot, { event }) => transition(fleetWorkerMachine, snapshot, event)[0],
          initialTransition(fleetWorkerMachine, INPUT)[0],
        );
      expect(serializeState(again)).toBe(serializeState(state));
    }
  });

  it('lead to where it can be given up from anywhere', () => {
    for (const { state } of paths.filter((path) => path.state.status === 'active')) {
      const [after] = transition(fleetWorkerMachine, state, { type: 'destroy' });
      const isGone = after.status === 'done';
      expect(isGone || after.context.cause === 'destroyed').toBe(true);
    }
  });
});
