import { reasonIn, speedIn, speedOf, THE_LINE } from './readiness-facts.js';
import { readinessSetup } from './readiness-setup.js';

/**
 * From a worker that has begun to a model that is ready: what has to happen, in this order.
 *
 * The author's own `init` runs; the model's log says that it has loaded; its health route answers 200; its speed
 * is found out; the autoscaler's public key is there. Each but the first is waited for only where `waitsFor` says
 * so, and what happens before its turn counts. Whatever fails before the model is ready, takes longer than the
 * load may take, or lets the log stand still for too long, ends in `failed` with a reason. A line of the log that
 * says that the model has failed counts when nothing takes it back in the next moments: a later line that it has
 * loaded, or its health route. One that stood there before the log was watched is named and fails nothing. The key
 * alone is waited for without an end, since nothing that loads anew would bring it; the parent is told of the trouble.
 */

export type {
  ReadinessContext,
  ReadinessEmitted,
  ReadinessEvent,
  ReadinessInput,
  ReadinessOutput,
  ReadinessToParent,
} from './readiness-facts.js';

export const readinessMachine = readinessSetup.createMachine({
  id: 'readiness',
  context: ({ input }) => ({
    ...input,
    waitingFor: '',
    waitingAt: '',
    startedAtMs: 0,
    healthy: false,
    unwell: '',
    failureLine: '',
    measuredPerf: null,
    loadTimeSeconds: 0,
    reason: '',
  }),
  output: ({ context }) =>
    context.reason === ''
      ? { ok: true, maxPerf: speedOf(context), loadTimeSeconds: context.loadTimeSeconds }
      : { ok: false, reason: context.reason },
  on: {
    'log.loaded': {
      actions: [
        { type: 'note what is said', params: ({ event }) => event },
        'forget the line',
        'see no more whether something takes it back',
      ],
    },
    'model.loaded': {
      actions: [
        { type: 'note what is said', params: ({ event }) => event },
        'forget the line',
        'see no more whether something takes it back',
      ],
    },
    'log.hadFailed': { actions: { type: 'note what is said', params: ({ event }) => event } },
    'key.held': [
      {
        guard: 'the parent knows of trouble',
        actions: [
          { type: 'note what is said', params: ({ event }) => event },
          'say that the trouble is over',
        ],
      },
      { actions: { type: 'note what is said', params: ({ event }) => event } },
    ],
    'key.late': {
      guard: 'the key is needed',
      actions: [{ type: 'note what is said', params: ({ event }) => event }, 'say what the trouble is'],
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
          guard: 'the model has not loaded and nothing has failed yet',
          actions: [
            { type: 'note the line', params: ({ event }) => event },
            'see whether something takes it back',
          ],
        },
        'log.failure.stands': {
          guard: 'the model has not loaded all the same',
          target: 'failed',
          actions: 'note that the failure stands',
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
          entry: [{ type: 'wait for', params: { waitingFor: THE_LINE } }, 'announce what is waited for'],
          always: { guard: 'the log has said so', target: 'deciding' },
          on: {
            'log.hadFailed': {
              actions: [
                { type: 'note what is said', params: ({ event }) => event },
                'announce what is waited for',
              ],
            },
          },
          // It ends in no way that matters: what it sees, it tells.
          invoke: { id: 'growth', src: 'growth', onError: {} },
          initial: 'watching',
          states: {
            watching: {
              description:
                'The time since the last line runs. Begun anew with each line, and when the folder has grown that the model is downloaded to.',
              after: {
                stallTimeout: {
                  guard: 'a stall has a time limit',
                  target: '#readiness.failed',
                  actions: 'note that it stands still',
                },
              },
              on: {
                'log.progress': { target: 'watching', reenter: true },
                'disk.progress': { target: 'watching', reenter: true },
              },
            },
          },
        },
        'waiting for health': {
          description:
            'The health route is asked until it answers 200, and each new reason why it does not is told. Left then.',
          entry: ['wait for the health route', 'announce what is waited for'],
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
              guard: { type: 'that is another reason', params: ({ event }) => event },
              actions: [
                { type: 'note why it is not well', params: ({ event }) => event },
                'announce what is waited for',
              ],
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
