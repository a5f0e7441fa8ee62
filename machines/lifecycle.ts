import { assign, emit, raise, sendTo, setup } from 'xstate';
import { completionsMachine } from './completions.js';
import { healthMachine } from './health.js';
import type { Window } from './ledger.js';
import type {
  LifecycleContext,
  LifecycleEmitted,
  LifecycleEvent,
  LifecycleInput,
  WorkState,
} from './life.js';
import { metrics } from './metrics.js';
import { port } from './ports.js';
import { publicKeyMachine } from './public-key.js';
import { readinessMachine } from './readiness.js';
import type { ReadinessEvent, ReadinessOutput } from './readiness-facts.js';
import { reasonOf } from './reason.js';
import { reporterMachine } from './reporter.js';
import { LOADING } from './reports.js';

/**
 * The life of a worker.
 *
 * The `work` region says what the worker does for its clients: it is loading, then loaded, then
 * serving; it is failing while the backend is broken; it is draining once it was asked to stop, and
 * stopped at last. The `report` region says whether a report is on its way: quiet or reporting. The
 * `watch` region says whether the health of the model server is watched. They overlap, since a worker
 * reports while it works, and sees that a failed model is well again while it is failing.
 *
 * It invokes the actors that do the work, and stands between them: an acknowledged report comes from the
 * reporter and goes on to the ledger, the public key goes on to whoever waits for it. Others ask it by tag:
 * `accepting`, `draining`, `stopped`.
 */

export const lifecycleMachine = setup({
  types: {
    input: {} as LifecycleInput,
    context: {} as LifecycleContext,
    events: {} as LifecycleEvent,
    emitted: {} as LifecycleEmitted,
    tags: {} as 'accepting' | 'draining' | 'stopped',
    children: {} as {
      metrics: 'metrics';
      reporter: 'reporter';
      completions: 'completions';
      publicKey: 'publicKey';
      health: 'health';
      load: 'load';
      finish: 'finish';
    },
  },
  actors: {
    metrics,
    reporter: reporterMachine,
    completions: completionsMachine,
    publicKey: publicKeyMachine,
    health: healthMachine,
    /** Makes the backend ready. */
    load: readinessMachine,
    /** Resolves when no request is under way. */
    finish: port<void>('finish'),
  },
  delays: {
    serveUnreportedAfter: ({ context }) => context.serveUnreportedAfterMs,
    drainTimeout: ({ context }) => context.drainTimeoutMs,
  },
  guards: {
    'there is no autoscaler': ({ context }) => context.reporter.addresses.length === 0,
    'its health is watched': ({ context }) => context.health !== null,
    'it could not be loaded': (_, output: ReadinessOutput) => !output.ok,
    'may serve unreported': ({ context }) => context.serveUnreported,
    'the backend has loaded before': ({ context }) => context.hasLoaded,
    'the failure is known': ({ context, event }) =>
      event.type === 'backend.failed' && sentenceOf(event.message) === context.status.errorMessage,
    'loaded was told': ({ event }) =>
      event.type === 'report.acknowledged' && event.phase === 'loaded' && event.covers.includes('state'),
  },
  actions: {
    because: assign((_, params: { reason: string }) => ({ reason: params.reason })),
    announce: emit(({ context }, params: { state: WorkState }) => ({
      type: 'state.entered',
      state: params.state,
      reason: context.reason,
    })),
    'note that it loads': assign(({ context }) => ({
      status: { ...context.status, phase: 'loading', errorMessage: '' },
    })),
    'note the load': assign(({ context }, output: ReadinessOutput) => ({
      status: output.ok
        ? { ...context.status, loadTimeSeconds: output.loadTimeSeconds, maxPerf: output.maxPerf }
        : context.status,
      hasLoaded: true,
    })),
    'note the trouble': assign(({ context }, params: { message: string }) => ({
      status: { ...context.status, errorMessage: params.message },
    })),
    'note that the key is there': assign({ hasKey: true }),
    'tell those who load': sendTo('load', (_, event: ReadinessEvent) => event),
    'watch its health': raise({ type: 'watch.began' }),
    'watch it no more': raise({ type: 'watch.ended' }),
    'note that it has loaded': assign(({ context }) => ({
      status: { ...context.status, phase: 'loaded', errorMessage: '' },
    })),
    'note the failure': assign(({ context }, params: { message: string }) => ({
      status: { ...context.status, phase: 'failing', errorMessage: params.message },
      reason: params.message,
    })),
    'note the clean end': assign({ outcome: 'clean', reason: 'everything is finished and reported' }),
    'tell the status': sendTo('reporter', ({ context }) => ({
      type: 'status.changed',
      status: context.status,
    })),
    'tell the work': sendTo('reporter', { type: 'work.due' }),
    'tell everything that is left': sendTo('reporter', { type: 'flush' }),
    'tell all that has finished': sendTo('completions', { type: 'flush' }),
    'move the ledger': sendTo('metrics', (_, { window }: { window: Window }) => ({
      type: 'report.acknowledged',
      window,
    })),
  },
}).createMachine({
  id: 'lifecycle',
  context: ({ input }) => ({
    ...input,
    status: LOADING,
    hasLoaded: false,
    hasKey: false,
    reason: 'the worker has started',
    outcome: 'clean',
  }),
  invoke: [
    {
      id: 'metrics',
      src: 'metrics',
      input: ({ context }) => ({ startedAtMs: context.startedAtMs }),
    },
    { id: 'reporter', src: 'reporter', input: ({ context }) => context.reporter },
    { id: 'completions', src: 'completions', input: ({ context }) => context.completions },
    { id: 'publicKey', src: 'publicKey', input: ({ context }) => context.publicKey },
  ],
  type: 'parallel',
  states: {
    work: {
      initial: 'loading',
      on: {
        'stop.requested': {
          target: '.draining',
          actions: { type: 'because', params: ({ event }) => ({ reason: event.reason }) },
        },
        'backend.failed': {
          target: '.failing',
          actions: {
            type: 'note the failure',
            params: ({ event }) => ({ message: sentenceOf(event.message) }),
          },
        },
      },
      states: {
        loading: {
          description: 'The backend is being made ready. Left when it is, or when that fails.',
          entry: [
            'note that it loads',
            'tell the status',
            'watch it no more',
            { type: 'announce', params: { state: 'loading' } },
          ],
          on: {
            'load.trouble': {
              actions: [{ type: 'note the trouble', params: ({ event }) => event }, 'tell the status'],
            },
            'model.told': { actions: { type: 'tell those who load', params: ({ event }) => event.what } },
            'key.held': { actions: { type: 'tell those who load', params: { type: 'key.held' } } },
            'key.late': { actions: { type: 'tell those who load', params: ({ event }) => event } },
          },
          invoke: {
            id: 'load',
            src: 'load',
            input: ({ context }) => ({ ...context.readiness, keyHeld: context.hasKey }),
            onDone: [
              {
                guard: { type: 'it could not be loaded', params: ({ event }) => event.output },
                target: 'failing',
                actions: { type: 'note the failure', params: ({ event }) => failureIn(event.output) },
              },
              {
                target: 'loaded',
                actions: [
                  { type: 'note the load', params: ({ event }) => event.output },
                  { type: 'because', params: { reason: 'the backend has loaded' } },
                ],
              },
            ],
            onError: {
              target: 'failing',
              actions: {
                type: 'note the failure',
                params: ({ event }) => ({ message: sentenceOf(event.error) }),
              },
            },
          },
        },
        loaded: {
          description:
            'The backend is ready and the autoscaler is being told. Left when it knows, or when it can not be told and the worker may serve all the same.',
          entry: [
            'note that it has loaded',
            'tell the status',
            'watch its health',
            { type: 'announce', params: { state: 'loaded' } },
          ],
          always: {
            guard: 'there is no autoscaler',
            target: 'serving',
            actions: { type: 'because', params: { reason: 'there is no autoscaler to tell' } },
          },
          on: {
            'report.acknowledged': {
              guard: 'loaded was told',
              target: 'serving',
              actions: { type: 'because', params: { reason: 'the autoscaler knows that it has loaded' } },
            },
            'report.unreachable': {
              guard: 'may serve unreported',
              target: 'serving',
              actions: {
                type: 'because',
                params: { reason: 'no autoscaler can be reached, so it serves unreported' },
              },
            },
          },
          after: {
            serveUnreportedAfter: {
              guard: 'may serve unreported',
              target: 'serving',
              actions: {
                type: 'because',
                params: { reason: 'the autoscaler takes long to answer, so it serves unreported' },
              },
            },
          },
        },
        serving: {
          description: 'Requests are accepted. Left when the backend fails or the worker is to stop.',
          tags: ['accepting'],
          entry: { type: 'announce', params: { state: 'serving' } },
        },
        failing: {
          description:
            'The backend is broken: nothing new is accepted and the autoscaler is told why. Left when the backend has recovered or the worker is to stop.',
          entry: ['tell the status', { type: 'announce', params: { state: 'failing' } }],
          on: {
            'backend.failed': { guard: 'the failure is known' },
            'backend.recovered': [
              {
                guard: 'the backend has loaded before',
                target: 'loaded',
                actions: { type: 'because', params: { reason: 'the backend has recovered' } },
              },
              {
                target: 'loading',
                actions: { type: 'because', params: { reason: 'the backend is loaded again' } },
              },
            ],
          },
        },
        draining: {
          description:
            'The worker is to stop: nothing new is accepted, what is under way finishes, and what was done is reported. Left when both are done, or when the time for it is over.',
          tags: ['draining'],
          entry: [{ type: 'announce', params: { state: 'draining' } }, 'tell the work', 'watch it no more'],
          on: {
            'stop.requested': {},
            'backend.failed': {},
          },
          after: {
            drainTimeout: {
              target: 'stopped',
              actions: { type: 'because', params: { reason: 'the time for draining is over' } },
            },
          },
          initial: 'finishing',
          states: {
            finishing: {
              description: 'Requests are under way. Left when the last has ended.',
              entry: assign({ outcome: 'cut' }),
              invoke: { id: 'finish', src: 'finish', onDone: 'flushing' },
            },
            flushing: {
              description: 'No request is under way. Left when the autoscaler has been told everything.',
              entry: [
                assign({ outcome: 'unreported' }),
                'tell everything that is left',
                'tell all that has finished',
              ],
              type: 'parallel',
              states: {
                reports: {
                  initial: 'due',
                  states: {
                    due: {
                      description: 'The last reports are due.',
                      on: { 'reports.flushed': 'told' },
                    },
                    told: { type: 'final', description: 'The autoscaler knows all the work.' },
                  },
                },
                completions: {
                  initial: 'due',
                  states: {
                    due: {
                      description: 'Which requests have finished is not told in full.',
                      on: { 'completions.flushed': 'told' },
                    },
                    told: {
                      type: 'final',
                      description: 'The autoscaler knows which requests have finished.',
                    },
                  },
                },
              },
              onDone: { target: '#lifecycle.work.stopped', actions: 'note the clean end' },
            },
          },
        },
        stopped: {
          description: 'The worker does nothing more. Never left.',
          tags: ['stopped'],
          entry: { type: 'announce', params: { state: 'stopped' } },
          on: {
            'stop.requested': {},
            'backend.failed': {},
          },
        },
      },
    },
    report: {
      initial: 'quiet',
      on: {
        'report.acknowledged': {
          actions: { type: 'move the ledger', params: ({ event }) => event },
        },
        'key.held': { actions: 'note that the key is there' },
      },
      states: {
        quiet: {
          description: 'No report is on its way.',
          on: { 'report.started': 'reporting' },
        },
        reporting: {
          description: 'A report is on its way to the autoscaler. Left when it is answered or has failed.',
          on: { 'report.settled': 'quiet' },
        },
      },
    },
    watch: {
      initial: 'unwatched',
      states: {
        unwatched: {
          description: 'There is no model to watch, or it has not loaded. Left when it has.',
          on: { 'watch.began': { guard: 'its health is watched', target: 'watched' } },
        },
        watched: {
          description:
            'The model server is asked whether it is well. Left when the model loads anew or the worker stops.',
          on: { 'watch.ended': 'unwatched' },
          invoke: {
            id: 'health',
            src: 'health',
            input: ({ context }) => context.health ?? { intervalMs: 10_000, strikes: 3 },
          },
        },
      },
    },
  },
});

function failureIn(output: ReadinessOutput): { message: string } {
  return { message: sentenceOf(output.ok ? '' : output.reason) };
}

/** A failure always has a sentence: on the wire an empty one means that nothing is wrong. */
function sentenceOf(reason: unknown): string {
  return reasonOf(reason, 'the backend did not say why it failed');
}
