import { describe, expect, it } from 'vitest';
import type { Exit } from '../../machines/endings.js';
import {
  type Found,
  restartsOf,
  type SignalInput,
  type SupervisorEvent,
  type SupervisorInput,
} from '../../machines/supervision.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import { turn } from '../../src/testing/clock.js';
import { Effect } from '../../src/testing/effect.js';
import { covered } from '../support/machines/coverage.js';
import { invoke } from '../support/machines/invoked.js';

const coverage = covered(supervisorMachine);

const INPUT: SupervisorInput = {
  backOff: { baseMs: 1_000, capMs: 60_000 },
  seed: 1,
  stableAfterMs: 600_000,
  maxCrashes: 3,
  graceMs: 10_000,
  killedWithinMs: 5_000,
};

const DIED: Exit = { code: 1, signal: null, outOfMemory: false, lastLines: ['no such model'] };
const NOT_FOUND: Exit = { code: 127, signal: null, outOfMemory: false, lastLines: [] };

function start(input: Partial<SupervisorInput> = {}) {
  const [find, run, gone] = [new Effect<Found>(), new Effect<Exit>(), new Effect<void>()];
  const signal = new Effect<void, SignalInput>();
  const actors = { find: find.logic, run: run.logic, gone: gone.logic, signal: signal.logic };
  const invoked = invoke(supervisorMachine.provide({ actors }), { ...INPUT, ...input }, coverage.inspect);
  const { actor, clock } = invoked;
  const settled = (act: () => void) => {
    act();
    return turn();
  };
  return {
    ...invoked,
    run,
    signal,
    get state() {
      return actor.getSnapshot().value;
    },
    get context() {
      return actor.getSnapshot().context;
    },
    get signals() {
      return signal.calls.map((call) => call.input.signal);
    },
    send: (event: SupervisorEvent) => settled(() => actor.send(event)),
    finds: (orphan: string | null = null) => settled(() => find.last.resolve({ orphan })),
    findsNothingOut: (error: unknown) => settled(() => find.last.reject(error)),
    dies: (exit: Exit = DIED) => settled(() => run.last.resolve(exit)),
    neverBegins: (error: unknown) => settled(() => run.last.reject(error)),
    isGone: () => settled(() => gone.last.resolve()),
    isUnknown: (error: unknown) => settled(() => gone.last.reject(error)),
    refusesTheSignal: () => settled(() => signal.last.reject(new Error('not permitted'))),
    pass: (ms: number) => clock.advance(ms),
  };
}

type Running = ReturnType<typeof start>;

const GIVEN = {
  looking: async () => {},
  'looking while the worker stops': async (model) => model.send({ type: 'stop' }),
  running: async (model) => model.finds(),
  'ending what was left': async (model) => model.finds('process 7'),
  'ending after a crash': async (model) => {
    await GIVEN.running(model);
    await model.dies();
  },
  'killing after a crash': async (model) => {
    await GIVEN['ending after a crash'](model);
    await model.pass(INPUT.graceMs);
  },
  'stuck after a crash': async (model) => {
    await GIVEN['killing after a crash'](model);
    await model.pass(INPUT.killedWithinMs);
  },
  'ending after the last crash': async (model) => {
    await GIVEN['backing off'](model);
    await model.pass(60_000);
    await model.dies();
    await model.isGone();
    await model.pass(60_000);
    await model.dies();
  },
  'ending after a wrong command': async (model) => {
    await GIVEN.running(model);
    await model.dies(NOT_FOUND);
  },
  'ending for a restart': async (model) => {
    await GIVEN.running(model);
    await model.send({ type: 'restart', reason: 'it hangs' });
  },
  'ending for good': async (model) => {
    await GIVEN.running(model);
    await model.send({ type: 'stop' });
  },
  'killing for good': async (model) => {
    await GIVEN['ending for good'](model);
    await model.pass(INPUT.graceMs);
  },
  'backing off': async (model) => {
    await GIVEN['ending after a crash'](model);
    await model.isGone();
  },
  'given up': async (model) => {
    await GIVEN['ending after a wrong command'](model);
    await model.isGone();
  },
} satisfies Record<string, (model: Running) => Promise<void>>;

const WHEN = {
  'it is asked to stop': (model) => model.send({ type: 'stop' }),
  'it hangs': (model) => model.send({ type: 'hung', reason: 'it answered 503' }),
  'it is asked for a restart': (model) => model.send({ type: 'restart', reason: 'it hangs' }),
  'nothing was left': (model) => model.finds(),
  'something was left': (model) => model.finds('process 7'),
  'nothing may be started': (model) => model.findsNothingOut(new Error('another worker runs it')),
  'it dies': (model) => model.dies(),
  'it could not be started': (model) => model.neverBegins(new Error('EAGAIN')),
  'nothing is left': (model) => model.isGone(),
  'what is left is not known': (model) => model.isUnknown(new Error('EACCES')),
  'it may not be signalled': (model) => model.refusesTheSignal(),
  'the grace passes': (model) => model.pass(INPUT.graceMs),
  'the time for the kill passes': (model) => model.pass(INPUT.killedWithinMs),
} satisfies Record<string, (model: Running) => Promise<void>>;

type Given = keyof typeof GIVEN;
type When = keyof typeof WHEN;

interface Then {
  readonly state?: unknown;
  /** The status of the actor. */
  readonly status?: 'done';
  readonly crashes?: number;
  readonly told?: object[];
  readonly emitted?: object[];
}

const TERMINATING = { ending: 'terminating' };
const KILLING = { ending: 'killing' };
const STUCK = { ending: 'stuck' };
const STILL_THERE = 'the processes of the model server are still there 5 s after they were killed';
const UNKNOWN = 'whether the processes of the model server have ended is not known: EACCES';
const LINES = '\nits last lines:\nno such model';

const failed = (message: string) => ({ type: 'backend.failed', message });
const ended = { type: 'model.ended' };
const HUNG = 'it was ended because it hung: it answered 503';
const started = (restarts: number) => ({ type: 'model.started', restarts });
const died = (crashes: number, reason = 'exit code 1', lastLines = DIED.lastLines) => ({
  type: 'model.died',
  reason,
  crashes,
  lastLines,
});
const stuck = (reason: string) => ({ type: 'model.stuck', reason });
const gaveUp = (reason: string) => ({ type: 'model.gaveUp', reason });
const killed = { type: 'model.killed' };
const unsignalled = (signal: string) => ({ type: 'model.unsignalled', signal, reason: 'not permitted' });
const stopped: Then = { state: 'stopped', status: 'done' };
const isStarted = (restarts: number): Then => ({
  state: 'running',
  told: [started(restarts)],
  emitted: [started(restarts)],
});
const diedThrice = 'the model server is not started again, since it has died 3 times in a row: exit code 1';
const wrongCommand = 'the model server can not be started: exit code 127 (the command was not found)';

/** What each event brings about in each state. What is not listed changes nothing. */
const TABLE: Record<Given, Partial<Record<When, Then>>> = {
  looking: {
    'nothing was left': isStarted(0),
    'something was left': {
      state: TERMINATING,
      emitted: [{ type: 'model.orphaned', orphan: 'process 7' }],
    },
    'nothing may be started': {
      state: 'given up',
      told: [failed('the model server is not started: another worker runs it')],
      emitted: [gaveUp('the model server is not started: another worker runs it')],
    },
  },
  'looking while the worker stops': {
    'nothing was left': stopped,
    'something was left': {
      state: TERMINATING,
      emitted: [{ type: 'model.orphaned', orphan: 'process 7' }],
    },
    'nothing may be started': stopped,
  },
  running: {
    'it is asked to stop': { state: TERMINATING, told: [ended] },
    'it hangs': {
      state: TERMINATING,
      crashes: 1,
      told: [ended, failed(`the model server has died (1 of 3): ${HUNG}`)],
      emitted: [died(1, HUNG, [])],
    },
    'it is asked for a restart': {
      state: TERMINATING,
      told: [ended, failed('the model server is started anew: it hangs')],
    },
    'it dies': {
      state: TERMINATING,
      crashes: 1,
      told: [ended, failed(`the model server has died (1 of 3): exit code 1${LINES}`)],
      emitted: [died(1)],
    },
    'it could not be started': {
      state: TERMINATING,
      crashes: 1,
      told: [ended, failed('the model server has died (1 of 3): it could not be started: EAGAIN')],
      emitted: [died(1, 'it could not be started: EAGAIN', [])],
    },
  },
  'ending what was left': {
    'nothing is left': isStarted(0),
    'the grace passes': { state: KILLING, emitted: [killed] },
    'it may not be signalled': { emitted: [unsignalled('SIGTERM')] },
    'what is left is not known': {
      state: 'given up',
      told: [failed(UNKNOWN)],
      emitted: [stuck(UNKNOWN), gaveUp(UNKNOWN)],
    },
  },
  'ending after a crash': {
    'nothing is left': { state: 'backing off', emitted: [{ type: 'model.backedOff', waitMs: 627 }] },
    'the grace passes': { state: KILLING, emitted: [killed] },
    'it may not be signalled': { emitted: [unsignalled('SIGTERM')] },
    'what is left is not known': {
      state: 'given up',
      told: [failed(`${UNKNOWN}${LINES}`)],
      emitted: [stuck(UNKNOWN), gaveUp(UNKNOWN)],
    },
  },
  'killing after a crash': {
    'nothing is left': { state: 'backing off', emitted: [{ type: 'model.backedOff', waitMs: 627 }] },
    'it may not be signalled': { emitted: [unsignalled('SIGKILL')] },
    'what is left is not known': {
      state: 'given up',
      told: [failed(`${UNKNOWN}${LINES}`)],
      emitted: [stuck(UNKNOWN), gaveUp(UNKNOWN)],
    },
    'the time for the kill passes': {
      state: STUCK,
      told: [failed(`${STILL_THERE}${LINES}`)],
      emitted: [stuck(STILL_THERE)],
    },
    // It is longer than the time for the kill.
    'the grace passes': {
      state: STUCK,
      told: [failed(`${STILL_THERE}${LINES}`)],
      emitted: [stuck(STILL_THERE)],
    },
  },
  'stuck after a crash': {
    'nothing is left': { state: 'backing off', emitted: [{ type: 'model.backedOff', waitMs: 627 }] },
    'it is asked to stop': stopped,
    'what is left is not known': {
      state: 'given up',
      told: [failed(`${UNKNOWN}${LINES}`)],
      emitted: [stuck(UNKNOWN), gaveUp(UNKNOWN)],
    },
  },
  'ending after the last crash': {
    'nothing is left': {
      state: 'given up',
      told: [failed(`${diedThrice}${LINES}`)],
      emitted: [gaveUp(diedThrice)],
    },
  },
  'ending after a wrong command': {
    'nothing is left': {
      state: 'given up',
      told: [failed(wrongCommand)],
      emitted: [gaveUp(wrongCommand)],
    },
  },
  'ending for a restart': {
    'nothing is left': isStarted(1),
    'the grace passes': { state: KILLING, emitted: [killed] },
  },
  'ending for good': {
    'nothing is left': stopped,
    'the grace passes': { state: KILLING, emitted: [killed] },
    'what is left is not known': { ...stopped, emitted: [stuck(UNKNOWN)] },
  },
  'killing for good': {
    'nothing is left': stopped,
    'the time for the kill passes': {
      ...stopped,
      told: [failed(STILL_THERE)],
      emitted: [stuck(STILL_THERE)],
    },
  },
  'backing off': {
    'it is asked to stop': stopped,
    'it is asked for a restart': { ...isStarted(1), crashes: 0 },
    'the grace passes': isStarted(1),
    'the time for the kill passes': isStarted(1),
  },
  'given up': {
    'it is asked to stop': stopped,
    'it is asked for a restart': { state: 'looking', crashes: 0 },
  },
};

/** What can be asked at any time; all else happens only where it is listed. */
const ASKED: readonly When[] = ['it is asked to stop', 'it is asked for a restart'];

const CASES = (Object.keys(TABLE) as Given[]).flatMap((given) =>
  (Object.keys(WHEN) as When[])
    .filter((when) => ASKED.includes(when) || TABLE[given][when] !== undefined)
    .map((when) => ({ given, when })),
);

describe('what each event brings about', () => {
  it.each(CASES)('$given: $when', async ({ given, when }) => {
    const model = start();
    await GIVEN[given](model);
    const view = () => ({ state: model.state, crashes: model.context.crashes, status: 'active' });
    const before = view();
    const [told, emitted] = [model.told.length, model.emitted.length];
    await WHEN[when](model);
    expect({
      ...view(),
      status: model.actor.getSnapshot().status,
      told: model.told.slice(told),
      emitted: model.emitted.slice(emitted),
    }).toEqual({ ...before, told: [], emitted: [], ...TABLE[given][when] });
  });
});

describe('a model server', () => {
  it('is started again after each crash, each time after a longer back-off, until it is given up', async () => {
    const model = start({ maxCrashes: 8 });
    await model.finds();
    while (model.state !== 'given up') {
      await model.dies();
      await model.isGone();
      await model.clock.until(() => model.state !== 'backing off', 60_000);
    }
    const waits = model.emitted.flatMap((event) => (event.type === 'model.backedOff' ? [event.waitMs] : []));
    expect(waits).toHaveLength(7);
    waits.forEach((waitMs, index) => {
      expect(waitMs).toBeLessThan(Math.min(60_000, 1_000 * 2 ** index));
    });
    expect(model.run.calls).toHaveLength(8);
    expect(restartsOf(model.context)).toBe(7);
    await model.pass(3_600_000);
    expect(model.state).toBe('given up');
  });

  it('waits the same times with the same seed, and others with another', async () => {
    const waitsOf = async (seed: number) => {
      const model = start({ seed });
      await GIVEN['backing off'](model);
      return model.context.backOffMs;
    };
    expect([await waitsOf(1), await waitsOf(1), await waitsOf(2)]).toEqual([627, 627, 734]);
  });

  it('that ran for long enough has not died in a row', async () => {
    const model = start();
    await model.finds();
    for (let crash = 0; crash < 5; crash++) {
      await model.pass(INPUT.stableAfterMs);
      await model.dies();
      expect(model.context.crashes).toBe(1);
      await model.isGone();
      await model.clock.until(() => model.state === 'running', 60_000);
    }
    await model.pass(INPUT.stableAfterMs - 1);
    await model.dies();
    expect(model.context.crashes).toBe(2);
  });

  it('is tried again when a restart is asked for, however often it died before', async () => {
    const model = start({ maxCrashes: 1 });
    await model.finds();
    await model.dies();
    await model.isGone();
    expect(model.told.at(-1)).toEqual(
      failed(`the model server is not started again, since it has died once: exit code 1${LINES}`),
    );
    await model.send({ type: 'restart', reason: 'the operator wants it' });
    await model.findsNothingOut(new Error('another worker runs it'));
    // What the last one said has nothing to do with it.
    expect(model.told.at(-1)).toEqual(failed('the model server is not started: another worker runs it'));
    await model.send({ type: 'restart', reason: 'the operator wants it' });
    await model.finds();
    expect(model.told.at(-1)).toEqual(started(1));
  });

  it('is asked to end, is killed after the grace, and not a moment before', async () => {
    const model = start();
    await GIVEN['ending for good'](model);
    expect(model.signals).toEqual(['SIGTERM']);
    await model.pass(INPUT.graceMs - 1);
    expect(model.signals).toEqual(['SIGTERM']);
    await model.pass(1);
    expect(model.signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('what a dead one has left is ended before it is started again', async () => {
    const model = start();
    await GIVEN['ending after a crash'](model);
    expect([model.signals, model.run.calls.length]).toEqual([['SIGTERM'], 1]);
    await model.pass(INPUT.graceMs);
    await model.isGone();
    await model.clock.until(() => model.run.calls.length === 2, 60_000);
  });

  it('is not started again when the worker stops while a dead one is ended', async () => {
    const model = start();
    await GIVEN['ending after a crash'](model);
    await model.send({ type: 'stop' });
    await model.send({ type: 'restart', reason: 'it hangs' });
    await model.isGone();
    expect([model.state, model.run.calls.length]).toEqual(['stopped', 1]);
  });

  it('that died is started at once when a restart is asked for while it is ended', async () => {
    const model = start();
    await GIVEN['ending after a crash'](model);
    await model.send({ type: 'restart', reason: 'it hangs' });
    await model.isGone();
    expect([model.state, model.context.crashes]).toEqual(['running', 0]);
  });

  it('never fails without a reason', async () => {
    const model = start();
    await model.finds();
    await model.send({ type: 'restart', reason: ' ' });
    expect(model.told.at(-1)).toEqual(failed('the model server is started anew: it did not say why'));
  });
});
