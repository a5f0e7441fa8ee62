import { assign, emit, raise, sendTo, setup, stateIn } from 'xstate';
import { completionsMachine } from './completions.js';
import { type HealthInput, healthMachine } from './health.js';
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
import { hear, type ReadinessEvent, type ReadinessOutput, troubleIn } from './readiness-facts.js';
import { reasonOf } from './reason.js';
import { reloadMachine, restOf } from './reload.js';
import { reporterMachine } from './reporter.js';
import { supervisorMachine } from './supervisor.js';

/** What the lifecycle needs, and what it can do. The states, and what they mean, are in `lifecycle.ts`. */

/** What stands where nothing is watched. */
export const UNWATCHED: HealthInput = {
  intervalMs: 10_000,
  strikes: 3,
  stallTimeoutMs: Number.POSITIVE_INFINITY,
};

/** The longest that a timer can wait, in ms. */
const LONGEST_MS = 2 ** 31 - 1;

export const lifecycleSetup = setup({
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
      reload: 'reload';
      supervisor: 'supervisor';
      finish: 'finish';
      cut: 'cut';
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
    reload: reloadMachine,
    supervisor: supervisorMachine,
    /** Resolves when no request is under way. */
    finish: port<void>('finish'),
    /** Cuts what is under way and ends every session. Resolves with the number of requests, when their ends are told. */
    cut: port<number>('cut'),
  },
  delays: {
    serveUnreportedAfter: ({ context }) => context.serveUnreportedAfterMs,
    restartAfter: ({ context }) => context.restartAfterMs + restBeforeReload(context),
    drainTimeout: ({ context }) => context.drainTimeoutMs,
    lastLimit: ({ context }) => Math.min(context.drainTimeoutMs + context.lastWordsMs, LONGEST_MS),
  },
  guards: {
    'there is no autoscaler': ({ context }) => context.reporter.addresses.length === 0,
    'there is a model server': ({ context }) => context.health !== null,
    'the worker runs the model server': ({ context }) => context.supervisor !== null,
    'the model server does not run': stateIn({ server: { supervised: 'down' } }),
    'it could not be loaded': (_, output: ReadinessOutput) => !output.ok,
    'may serve unreported': ({ context }) => context.serveUnreported,
    'the backend has loaded before': ({ context }) => context.hasLoaded,
    'the failure is known': ({ context, event }) =>
      event.type === 'backend.failed' && sentenceOf(event.message) === context.status.errorMessage,
    'requests are under way': ({ context }) => context.outcome === 'cut',
    'it ends for an update': ({ context }) => context.forUpdate,
    'it ends for an update and is loaded': ({ context }) =>
      context.forUpdate && context.hasLoaded && context.status.phase === 'loaded',
    'requests were cut': ({ context }) => context.outcome === 'cut',
    'there was a request to cut': (_, requests: number) => requests > 0,
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
      // To the autoscaler a load time means that the model has loaded.
      status: {
        ...context.status,
        phase: 'loading',
        loadTimeSeconds: 0,
        errorMessage: troubleOf(context),
      },
    })),
    'note the load': assign(({ context }, output: ReadinessOutput) => ({
      status: output.ok
        ? { ...context.status, loadTimeSeconds: output.loadTimeSeconds, maxPerf: output.maxPerf }
        : context.status,
      hasLoaded: true,
      failedLoads: output.ok ? 0 : context.failedLoads,
    })),
    'note the trouble': assign(({ context }, params: { message: string }) => ({
      status: { ...context.status, errorMessage: params.message },
    })),
    'count the load that failed': assign(({ context }) => ({ failedLoads: context.failedLoads + 1 })),
    'await its return': raise({ type: 'load.failed' }),
    'load it anew': raise({ type: 'load.due' }),
    'note what is heard': assign(({ context }, event: ReadinessEvent) => ({
      heard: hear(context.heard, event),
    })),
    'forget what the last model said': assign(({ context }) => ({
      heard: { ...context.heard, loaded: false, toldPerf: null },
      hasLoaded: false,
    })),
    'have it ended as one that hangs': sendTo('supervisor', ({ context }) => ({
      type: 'hung',
      reason: context.status.errorMessage,
    })),
    'tell what awaits its return': sendTo('reload', (_, event: ReadinessEvent) => event),
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
    'note that it ends for an update': assign({ forUpdate: true }),
    'note that it ends for good': assign({ forUpdate: false }),
    'note that it goes on': assign({ forUpdate: false, outcome: 'clean' }),
    'note that it is to be loaded anew': assign({ hasLoaded: false }),
    'note that requests are under way': assign({ outcome: 'cut' }),
    'note that all has ended': assign({ outcome: 'unreported' }),
    'note the clean end': assign({ outcome: 'clean', reason: 'everything is finished and reported' }),
    'tell the status': sendTo('reporter', ({ context }) => ({
      type: 'status.changed',
      status: context.status,
    })),
    'tell everything that is left': sendTo('reporter', { type: 'flush' }),
    'tell all that has finished': sendTo('completions', { type: 'flush' }),
    'move the ledger': sendTo('metrics', (_, { window }: { window: Window }) => ({
      type: 'report.acknowledged',
      window,
    })),
  },
});

/** A load that has failed is tried again after a rest, which has to be over first. */
function restBeforeReload({ failedLoads, health }: LifecycleContext): number {
  if (failedLoads === 0) return 0;
  return restOf({ intervalMs: (health ?? UNWATCHED).intervalMs, failedLoads });
}

function troubleOf({ readiness: { waitsFor }, heard }: LifecycleContext): string {
  return troubleIn({ waitsFor, heard });
}

/** A failure always has a sentence: on the wire an empty one means that nothing is wrong. */
export function sentenceOf(reason: unknown): string {
  return reasonOf(reason, 'the backend did not say why it failed');
}
