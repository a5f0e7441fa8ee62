import { assign, emit, sendParent, setup } from 'xstate';
import { type BenchmarkOutput, type BenchmarkToParent, benchmarkMachine } from './benchmark.js';
import { port } from './ports.js';
import {
  inSeconds,
  isLimit,
  isSpeed,
  isWell,
  lastWordOf,
  logHasSaidSo,
  modelHasLoaded,
  type ReadinessContext,
  type ReadinessEmitted,
  type ReadinessEvent,
  type ReadinessInput,
  type ReadinessOutput,
  type ReadinessToParent,
  reasonIn,
  speedIn,
  speedIsKnown,
  speedOf,
} from './readiness-facts.js';
import { reasonOf } from './reason.js';

/**
 * From a worker that has begun to a model that is ready: what has to happen, in this order.
 *
 * The author's own `init` runs; the model's log says that it has loaded; its health route answers 200; its speed
 * is found out; the autoscaler's public key is there. Each but the first is waited for only where `waitsFor` says
 * so, and what happens before its turn counts. Whatever fails before the model is ready, takes longer than the
 * load may take, or lets the log stand still for too long, ends in `failed` with a reason. The key alone is
 * waited for without an end, since nothing that loads anew would bring it; the parent is told of the trouble.
 */

export type {
  ReadinessContext,
  ReadinessEmitted,
  ReadinessEvent,
  ReadinessInput,
  ReadinessOutput,
  ReadinessToParent,
} from './readiness-facts.js';

const tellParent = (event: ReadinessToParent) => event;

/** How much of a line of the log is told. */
const LINE_LIMIT = 500;

export const readinessMachine = setup({
  types: {
    input: {} as ReadinessInput,
    context: {} as ReadinessContext,
    events: {} as ReadinessEvent,
    emitted: {} as ReadinessEmitted,
    output: {} as ReadinessOutput,
    children: {} as {
      init: 'init';
      healthy: 'healthy';
      benchmark: 'benchmark';
      loadTime: 'loadTime';
    },
  },
  actors: {
    /** Runs the author's `init`. Resolves with the monotonic time when it began; rejects when it throws. */
    init: port<{ readonly startedAtMs: number }>('init'),
    /** Resolves at the first 200 of the health route. */
    healthy: port<void>('healthy'),
    benchmark: benchmarkMachine,
    /** Resolves with the seconds since then. */
    loadTime: port<number, { readonly startedAtMs: number }>('loadTime'),
  },
  delays: {
    loadTimeout: ({ context }) => context.loadTimeoutMs,
    stallTimeout: ({ context }) => context.stallTimeoutMs,
    healthTimeout: ({ context }) => context.healthTimeoutMs,
  },
  guards: {
    'the load has a time limit': ({ context }) => isLimit(context.loadTimeoutMs),
    'a stall has a time limit': ({ context }) => isLimit(context.stallTimeoutMs),
    'getting well has a time limit': ({ context }) => isLimit(context.healthTimeoutMs),
    'the model has not loaded yet': ({ context }) => !modelHasLoaded(context),
    'the log has said so': ({ context }) => context.logLoaded,
    'the log has not said so': ({ context }) => !logHasSaidSo(context),
    'it is not known to be well': ({ context }) => !isWell(context),
    'the speed is known': ({ context }) => speedIsKnown(context),
    'the speed is not known': ({ context }) => !speedIsKnown(context),
    'nothing is left to wait for': ({ context }) =>
      logHasSaidSo(context) && isWell(context) && speedIsKnown(context),
    'the benchmark has failed': (_, output: BenchmarkOutput) => !output.ok,
    'the key is there': ({ context }) => context.keyHeld || !context.waitsFor.key,
    'the parent knows of trouble': ({ context }) => context.trouble !== '',
    'the key is needed': ({ context }) => context.waitsFor.key,
  },
  actions: {
    'wait for': assign((_, { waitingFor }: { waitingFor: string }) => ({ waitingFor })),
    'announce what is waited for': emit(({ context }) => ({
      type: 'waiting',
      waitingFor: context.waitingFor,
    })),
    'pass it on to the log': emit((_, progress: BenchmarkToParent) => progress),
    'note the beginning': assign((_, { startedAtMs }: { startedAtMs: number }) => ({ startedAtMs })),
    'note that the log has said so': assign({ logLoaded: true }),
    'note the speed that is told': assign(({ context }, { maxPerf }: { maxPerf: number | undefined }) => ({
      toldPerf: isSpeed(maxPerf) ? maxPerf : context.toldPerf,
    })),
    'note that it is well': assign({ healthy: true, unwell: '' }),
    'note why it is not well': assign((_, { reason }: { reason: string }) => ({ unwell: reason })),
    'note the speed': assign((_, { maxPerf }: { maxPerf: number | null }) => ({ measuredPerf: maxPerf })),
    'note the load time': assign((_, { seconds }: { seconds: number }) => ({ loadTimeSeconds: seconds })),
    'note the failure': assign((_, { reason }: { reason: unknown }) => ({
      reason: reasonOf(reason, 'the backend did not say why it failed'),
    })),
    'note that the time is over': assign(({ context }) => ({
      reason: `the model did not load within ${inSeconds(context.loadTimeoutMs)} (TSWORKER_LOAD_TIMEOUT); it still waited for ${context.waitingFor}${lastWordOf(context)}`,
    })),
    'note that it stands still': assign(({ context }) => ({
      reason: `the model's log has had no new line for ${inSeconds(context.stallTimeoutMs)} (TSWORKER_LOAD_STALL_TIMEOUT); it still waited for ${context.waitingFor}`,
    })),
    'note that it does not get well': assign(({ context }) => ({
      reason: `the model's health route did not answer 200 within ${inSeconds(context.healthTimeoutMs)}${lastWordOf(context)}`,
    })),
    'note that the key is there': assign({ keyHeld: true, trouble: '' }),
    'note that the key is late': assign((_, { reason }: { reason: string }) => ({
      keyHeld: false,
      trouble: reasonOf(reason),
    })),
    'say that the trouble is over': sendParent(tellParent({ type: 'load.trouble', message: '' })),
    'say what the trouble is': sendParent(({ context }) =>
      tellParent({ type: 'load.trouble', message: context.trouble }),
    ),
  },
}).createMachine({
  id: 'readiness',
  context: ({ input }) => ({
    ...input,
    waitingFor: '',
    startedAtMs: 0,
    logLoaded: false,
    healthy: false,
    unwell: '',
    trouble: '',
    toldPerf: null,
    measuredPerf: null,
    loadTimeSeconds: 0,
    reason: '',
  }),
  output: ({ context }) =>
    context.reason === ''
      ? { ok: true, maxPerf: speedOf(context), loadTimeSeconds: context.loadTimeSeconds }
      : { ok: false, reason: context.reason },
  on: {
    'log.loaded': { actions: 'note that the log has said so' },
    'model.loaded': {
      actions: [
        'note that the log has said so',
        { type: 'note the speed that is told', params: ({ event }) => ({ maxPerf: event.maxPerf }) },
      ],
    },
    'key.held': [
      {
        guard: 'the parent knows of trouble',
        actions: ['note that the key is there', 'say that the trouble is over'],
      },
      { actions: 'note that the key is there' },
    ],
    'key.late': {
      guard: 'the key is needed',
      actions: [
        { type: 'note that the key is late', params: ({ event }) => event },
        'say what the trouble is',
      ],
    },
    'model.failed': {
      target: '.failed',
      actions: { type: 'note the failure', params: ({ event }) => ({ reason: event.message }) },
    },
    'benchmark.*': { actions: { type: 'pass it on to the log', params: ({ event }) => event } },
  },
  initial: 'loading',
  states: {
    loading: {
      description:
        'The model is being made ready. Left when it is, when that fails, or when it takes too long.',
      initial: 'initialising',
      on: {
        'log.failed': {
          guard: 'the model has not loaded yet',
          target: 'failed',
          actions: {
            type: 'note the failure',
            params: ({ event }) => ({ reason: `the model server said: ${event.line.slice(0, LINE_LIMIT)}` }),
          },
        },
      },
      after: {
        loadTimeout: {
          guard: 'the load has a time limit',
          target: 'failed',
          actions: 'note that the time is over',
        },
      },
      states: {
        initialising: {
          description: "The author's own code runs. Left when it has ended.",
          entry: [
            { type: 'wait for', params: { waitingFor: "the backend's own init" } },
            'announce what is waited for',
          ],
          invoke: {
            id: 'init',
            src: 'init',
            onDone: {
              target: 'deciding',
              actions: { type: 'note the beginning', params: ({ event }) => event.output },
            },
            onError: {
              target: '#readiness.failed',
              actions: { type: 'note the failure', params: ({ event }) => ({ reason: event.error }) },
            },
          },
        },
        deciding: {
          description: 'What to wait for next is decided. Left at once.',
          always: [
            { guard: 'the log has not said so', target: 'waiting for the log' },
            { guard: 'it is not known to be well', target: 'waiting for health' },
            { guard: 'the speed is not known', target: 'benchmarking' },
            { guard: 'nothing is left to wait for', target: '#readiness.taking the time' },
          ],
        },
        'waiting for the log': {
          description:
            'A line that says that the model has loaded is waited for. Left when it is there, or when the log stands still for too long.',
          entry: [
            {
              type: 'wait for',
              params: { waitingFor: "a line in the model's log that says that it has loaded" },
            },
            'announce what is waited for',
          ],
          always: { guard: 'the log has said so', target: 'deciding' },
          initial: 'watching',
          states: {
            watching: {
              description: 'The time since the last line runs. Begun anew with each line.',
              after: {
                stallTimeout: {
                  guard: 'a stall has a time limit',
                  target: '#readiness.failed',
                  actions: 'note that it stands still',
                },
              },
              on: { 'log.progress': { target: 'watching', reenter: true } },
            },
          },
        },
        'waiting for health': {
          description:
            'The health route is asked until it answers 200. Left then, or when it takes too long.',
          entry: [
            { type: 'wait for', params: { waitingFor: "a 200 of the model's health route" } },
            'announce what is waited for',
          ],
          invoke: {
            id: 'healthy',
            src: 'healthy',
            onDone: { target: 'deciding', actions: 'note that it is well' },
            onError: {
              target: '#readiness.failed',
              actions: { type: 'note the failure', params: ({ event }) => ({ reason: event.error }) },
            },
          },
          on: {
            'health.unwell': {
              actions: { type: 'note why it is not well', params: ({ event }) => event },
            },
          },
          after: {
            healthTimeout: {
              guard: 'getting well has a time limit',
              target: '#readiness.failed',
              actions: 'note that it does not get well',
            },
          },
        },
        benchmarking: {
          description: 'The speed of the model is found out. Left when it is known, or can not be.',
          entry: [
            { type: 'wait for', params: { waitingFor: 'the benchmark' } },
            'announce what is waited for',
          ],
          always: { guard: 'the speed is known', target: 'deciding' },
          invoke: {
            id: 'benchmark',
            src: 'benchmark',
            input: ({ context }) => context.benchmark,
            onDone: [
              {
                guard: { type: 'the benchmark has failed', params: ({ event }) => event.output },
                target: '#readiness.failed',
                actions: { type: 'note the failure', params: ({ event }) => reasonIn(event.output) },
              },
              {
                target: 'deciding',
                actions: { type: 'note the speed', params: ({ event }) => speedIn(event.output) },
              },
            ],
            onError: {
              target: '#readiness.failed',
              actions: { type: 'note the failure', params: ({ event }) => ({ reason: event.error }) },
            },
          },
        },
      },
    },
    'taking the time': {
      description: 'The model has loaded, and the time that it took is read. Left with it.',
      invoke: {
        id: 'loadTime',
        src: 'loadTime',
        input: ({ context }) => ({ startedAtMs: context.startedAtMs }),
        onDone: [
          {
            guard: 'the key is there',
            target: 'ready',
            actions: { type: 'note the load time', params: ({ event }) => ({ seconds: event.output }) },
          },
          {
            target: 'waiting for the key',
            actions: { type: 'note the load time', params: ({ event }) => ({ seconds: event.output }) },
          },
        ],
        onError: {
          target: 'failed',
          actions: { type: 'note the failure', params: ({ event }) => ({ reason: event.error }) },
        },
      },
    },
    'waiting for the key': {
      description: "The autoscaler's public key is waited for, where it is needed. Left when it is there.",
      entry: [
        { type: 'wait for', params: { waitingFor: "the autoscaler's public key" } },
        'announce what is waited for',
      ],
      always: { guard: 'the key is there', target: 'ready' },
    },
    ready: { type: 'final', description: 'The worker can take requests.' },
    failed: { type: 'final', description: 'The model can not be made ready.' },
  },
});
