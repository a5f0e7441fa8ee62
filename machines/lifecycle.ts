import { draining } from './draining.js';
import { NOTHING_HEARD } from './heard.js';
import { server } from './lifecycle-server.js';
import { lifecycleSetup, sentenceOf, UNWATCHED } from './lifecycle-setup.js';
import type { ReadinessOutput } from './readiness-facts.js';
import { LOADING } from './reports.js';

/**
 * The life of a worker.
 *
 * The `work` region says what the worker does for its clients: it is loading, then loaded, then
 * serving; it is failing while the backend is broken; it is draining once it was asked to stop, and
 * stopped at last. The `report` region says whether a report is on its way: quiet or reporting. The
 * `watch` region says whether the model server is watched, or its return is awaited after a load that failed.
 * The `server` region says whether the worker runs the model server itself, and whether that is down, up or unwell.
 * They overlap, since a worker reports while it works, and sees that a failed model is well again while it is failing.
 *
 * It invokes the actors that do the work, and stands between them: an acknowledged report comes from the
 * reporter and goes on to the ledger, the public key goes on to whoever waits for it. Others ask it by tag:
 * `accepting`, `draining`, `stopped`.
 */

export const lifecycleMachine = lifecycleSetup.createMachine({
  id: 'lifecycle',
  context: ({ input }) => ({
    ...input,
    status: LOADING,
    hasLoaded: false,
    failedLoads: 0,
    heard: NOTHING_HEARD,
    reason: 'the worker has started',
    outcome: 'clean',
    forUpdate: false,
  }),
  invoke: [
    {
      id: 'metrics',
      src: 'metrics',
      input: ({ context }) => ({ startedAtMs: context.startedAtMs, ledger: context.ledger }),
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
        'update.asked': {
          target: '.draining',
          actions: [
            { type: 'because', params: ({ event }) => ({ reason: event.reason }) },
            'note that it ends for an update',
          ],
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
            input: ({ context }) => ({ ...context.readiness, heard: context.heard }),
            onDone: [
              {
                guard: { type: 'it could not be loaded', params: ({ event }) => event.output },
                target: 'failing',
                actions: [
                  { type: 'note the failure', params: ({ event }) => failureIn(event.output) },
                  'count the load that failed',
                  'await its return',
                ],
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
            'The backend is broken: nothing new is accepted and the autoscaler is told why. Left when the backend has recovered, when its model server is started again, when a load that failed is tried again, or when the worker is to stop.',
          entry: ['tell the status', { type: 'announce', params: { state: 'failing' } }],
          on: {
            'backend.failed': { guard: 'the failure is known' },
            'load.due': {
              target: 'loading',
              actions: { type: 'because', params: { reason: 'the load that failed is tried again' } },
            },
            'model.started': {
              target: 'loading',
              actions: { type: 'because', params: { reason: 'the model server is started again' } },
            },
            'backend.recovered': [
              // What answers in its place is another server.
              { guard: 'the model server does not run' },
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
        draining,
        stopped: {
          description: 'The worker does nothing more. Never left.',
          tags: ['stopped'],
          entry: { type: 'announce', params: { state: 'stopped' } },
          on: {
            'stop.requested': {},
            'update.asked': {},
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
        // Here, since it is to be remembered whatever the worker does when it comes.
        'key.held': { actions: { type: 'note what is heard', params: { type: 'key.held' } } },
        'key.late': { actions: { type: 'note what is heard', params: ({ event }) => event } },
        'model.told': { actions: { type: 'note what is heard', params: ({ event }) => event.what } },
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
          description:
            'There is no model to watch, or it is being loaded. Left when it has loaded, or could not be.',
          on: {
            'watch.began': { guard: 'there is a model server', target: 'watched' },
            'load.failed': { guard: 'there is a model server', target: 'awaited' },
          },
        },
        watched: {
          description:
            'The model server is asked whether it is well. Left when the model loads anew, when its server runs no more, or when the worker stops.',
          on: { 'watch.ended': 'unwatched', 'model.ended': 'unwatched' },
          invoke: {
            id: 'health',
            src: 'health',
            input: ({ context }) => context.health ?? UNWATCHED,
          },
        },
        awaited: {
          description:
            'The load has failed, and it is looked for when another one may fare better. Left then, when the model server runs no more, or when the worker stops.',
          on: {
            'watch.ended': 'unwatched',
            'model.ended': 'unwatched',
            'model.told': {
              actions: { type: 'tell what awaits its return', params: ({ event }) => event.what },
            },
          },
          invoke: {
            id: 'reload',
            src: 'reload',
            input: ({ context }) => ({
              intervalMs: (context.health ?? UNWATCHED).intervalMs,
              failedLoads: context.failedLoads,
              byLog: context.readiness.waitsFor.log && !context.readiness.waitsFor.health,
              loaded: context.heard.loaded,
            }),
            onDone: { target: 'unwatched', actions: 'load it anew' },
          },
        },
      },
    },
    server,
  },
});

function failureIn(output: ReadinessOutput): { message: string } {
  return { message: sentenceOf(output.ok ? '' : output.reason) };
}
