import { assign, emit, sendTo, setup } from 'xstate';
import type { Window } from './ledger.js';
import { metrics } from './metrics.js';
import { port } from './ports.js';
import { type ReporterInput, reporterMachine } from './reporter.js';
import { LOADING, type ReporterToParent, type WorkerStatus } from './reports.js';

/**
 * The life of a worker.
 *
 * The `work` region says what the worker does for its clients: it is loading, then loaded, then
 * serving; it is failing while the backend is broken; it is draining once it was asked to stop, and
 * stopped at last. The `report` region says whether a report is on its way: quiet or reporting. The
 * two overlap, since a worker reports while it works.
 *
 * It invokes the metrics actor and the reporter, and stands between them: an acknowledged report
 * comes from the reporter and goes on to the ledger. Others ask it by tag: `accepting`, `draining`,
 * `stopped`.
 */

/** What a lifecycle is made with. */
export interface LifecycleInput {
  /** When the worker's first interval begins, in ms of its monotonic clock. */
  readonly startedAtMs: number;
  readonly reporter: ReporterInput;
  /** Serve although no autoscaler knows that the worker has loaded. */
  readonly serveUnreported: boolean;
  /** How long the autoscaler may take to hear of it before the worker serves unreported, in ms. */
  readonly serveUnreportedAfterMs: number;
  /** How long draining may take, in ms. */
  readonly drainTimeoutMs: number;
}

export interface LoadOutput {
  readonly loadTimeSeconds: number;
  /** Units of work per second. */
  readonly maxPerf: number;
}

export type LifecycleEvent =
  | { type: 'backend.failed'; message: string }
  | { type: 'backend.recovered' }
  | { type: 'stop.requested'; reason: string }
  | ReporterToParent;

export type WorkState = 'loading' | 'loaded' | 'serving' | 'failing' | 'draining' | 'stopped';

/**
 * How draining ended. clean: every request finished and everything was reported; unreported: every
 * request finished, but the autoscaler was not told everything; cut: requests were still under way.
 */
export type Outcome = 'clean' | 'unreported' | 'cut';

export type LifecycleEmitted = { type: 'state.entered'; state: WorkState; reason: string };

export interface LifecycleContext extends LifecycleInput {
  readonly status: WorkerStatus;
  readonly hasLoaded: boolean;
  /** Why the worker is in the state that it is in, as a sentence. */
  readonly reason: string;
  /** How draining would end if it ended now. */
  readonly outcome: Outcome;
}

export const lifecycleMachine = setup({
  types: {
    input: {} as LifecycleInput,
    context: {} as LifecycleContext,
    events: {} as LifecycleEvent,
    emitted: {} as LifecycleEmitted,
    tags: {} as 'accepting' | 'draining' | 'stopped',
    children: {} as { metrics: 'metrics'; reporter: 'reporter'; load: 'load'; finish: 'finish' },
  },
  actors: {
    metrics,
    reporter: reporterMachine,
    /** Makes the backend ready; rejects when it can't be. */
    load: port<LoadOutput>('load'),
    /** Resolves when no request is under way. */
    finish: port<void>('finish'),
  },
  delays: {
    serveUnreportedAfter: ({ context }) => context.serveUnreportedAfterMs,
    drainTimeout: ({ context }) => context.drainTimeoutMs,
  },
  guards: {
    'there is no autoscaler': ({ context }) => context.reporter.addresses.length === 0,
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
    'note the load': assign(({ context }, params: LoadOutput) => ({
      status: { ...context.status, ...params },
      hasLoaded: true,
    })),
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
            { type: 'announce', params: { state: 'loading' } },
          ],
          invoke: {
            id: 'load',
            src: 'load',
            onDone: {
              target: 'loaded',
              actions: [
                { type: 'note the load', params: ({ event }) => event.output },
                { type: 'because', params: { reason: 'the backend has loaded' } },
              ],
            },
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
          entry: [{ type: 'announce', params: { state: 'draining' } }, 'tell the work'],
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
              entry: [assign({ outcome: 'unreported' }), 'tell everything that is left'],
              on: {
                'reports.flushed': { target: '#lifecycle.work.stopped', actions: 'note the clean end' },
              },
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
  },
});

/** A failure always has a sentence: on the wire an empty one means that nothing is wrong. */
function sentenceOf(reason: unknown): string {
  const said = reason instanceof Error ? reason.message || reason.name : reason;
  return typeof said === 'string' && said.trim() !== '' ? said : 'the backend did not say why it failed';
}
