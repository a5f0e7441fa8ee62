import { assign, cancel, emit, raise, sendParent, setup } from 'xstate';
import { type BenchmarkOutput, type BenchmarkToParent, benchmarkMachine } from './benchmark.js';
import { port } from './ports.js';
import {
  hear,
  inSeconds,
  isLimit,
  isWell,
  lastWordOf,
  logHasSaidSo,
  modelHasLoaded,
  oldFailureOf,
  type ReadinessContext,
  type ReadinessEmitted,
  type ReadinessEvent,
  type ReadinessInput,
  type ReadinessOutput,
  type ReadinessToParent,
  speedIsKnown,
  troubleIn,
  waitingInDetail,
} from './readiness-facts.js';
import { reasonOf } from './reason.js';

/** What readiness needs, and what it can do. The states, and what they mean, are in `readiness.ts`. */

const tellParent = (event: ReadinessToParent) => event;

/** How much of a line of the log is told. */
const LINE_LIMIT = 500;

/**
 * How long a line that says that the model has failed may be taken back. It may be the line of a request, or of a
 * run that has just been replaced by another, and then the health route or a later line says so.
 */
const FAILURE_STANDS_AFTER_MS = 2_000;

const FAILURE = 'failure';

export const readinessSetup = setup({
  types: {
    input: {} as ReadinessInput,
    context: {} as ReadinessContext,
    events: {} as ReadinessEvent,
    emitted: {} as ReadinessEmitted,
    output: {} as ReadinessOutput,
    children: {} as {
      init: 'init';
      healthy: 'healthy';
      growth: 'growth';
      benchmark: 'benchmark';
      loadTime: 'loadTime';
    },
  },
  actors: {
    /** Runs the author's `init`. Resolves with the monotonic time when it began; rejects when it throws. */
    init: port<{ readonly startedAtMs: number }>('init'),
    /** Resolves at the first 200 of the health route. */
    healthy: port<void>('healthy'),
    /** Tells while the folder grows that the model is downloaded to, until it is aborted. */
    growth: port<void>('growth'),
    benchmark: benchmarkMachine,
    /** Resolves with the seconds since then. */
    loadTime: port<number, { readonly startedAtMs: number }>('loadTime'),
  },
  delays: {
    loadTimeout: ({ context }) => context.loadTimeoutMs,
    stallTimeout: ({ context }) => context.stallTimeoutMs,
    failureStands: FAILURE_STANDS_AFTER_MS,
  },
  guards: {
    'the load has a time limit': ({ context }) => isLimit(context.loadTimeoutMs),
    'a stall has a time limit': ({ context }) => isLimit(context.stallTimeoutMs),
    'the model has not loaded and nothing has failed yet': ({ context }) =>
      !modelHasLoaded(context) && context.failureLine === '',
    'the model has not loaded all the same': ({ context }) =>
      !modelHasLoaded(context) && context.failureLine !== '',
    'the log has said so': ({ context }) => context.heard.loaded,
    'the log has not said so': ({ context }) => !logHasSaidSo(context),
    'it is not known to be well': ({ context }) => !isWell(context),
    'that is another reason': ({ context }, { reason }: { reason: string }) => reason !== context.unwell,
    'the speed is known': ({ context }) => speedIsKnown(context),
    'the speed is not known': ({ context }) => !speedIsKnown(context),
    'nothing is left to wait for': ({ context }) =>
      logHasSaidSo(context) && isWell(context) && speedIsKnown(context),
    'the benchmark has failed': (_, output: BenchmarkOutput) => !output.ok,
    'the key is there': ({ context }) => context.heard.keyHeld || !context.waitsFor.key,
    'the parent knows of trouble': ({ context }) => troubleIn(context) !== '',
    'the key is needed': ({ context }) => context.waitsFor.key,
  },
  actions: {
    'wait for': assign((_, { waitingFor }: { waitingFor: string }) => ({ waitingFor, waitingAt: '' })),
    'wait for the health route': assign(({ context }) => ({
      waitingFor: "a 200 of the model's health route",
      waitingAt: context.healthUrl,
    })),
    'announce what is waited for': emit(({ context }) => ({
      type: 'waiting',
      waitingFor: waitingInDetail(context),
    })),
    'pass it on to the log': emit((_, progress: BenchmarkToParent) => progress),
    'note the beginning': assign((_, { startedAtMs }: { startedAtMs: number }) => ({ startedAtMs })),
    'note what is said': assign(({ context }, event: ReadinessEvent) => ({
      heard: hear(context.heard, event),
    })),
    'note the line': assign((_, { line }: { line: string }) => ({ failureLine: line.slice(0, LINE_LIMIT) })),
    'see whether something takes it back': raise(
      { type: 'log.failure.stands' },
      { delay: 'failureStands', id: FAILURE },
    ),
    'forget the line': assign({ failureLine: '' }),
    'see no more whether something takes it back': cancel(FAILURE),
    'note that it is well': assign({ healthy: true, unwell: '' }),
    'note why it is not well': assign((_, { reason }: { reason: string }) => ({ unwell: reason })),
    'note the speed': assign((_, { maxPerf }: { maxPerf: number | null }) => ({ measuredPerf: maxPerf })),
    'note the load time': assign((_, { seconds }: { seconds: number }) => ({ loadTimeSeconds: seconds })),
    'note the failure': assign((_, { reason }: { reason: unknown }) => ({
      reason: reasonOf(reason, 'the backend did not say why it failed'),
    })),
    'note that the time is over': assign(({ context }) => ({
      reason: `the model did not load within ${inSeconds(context.loadTimeoutMs)} (TSWORKER_LOAD_TIMEOUT); it still waited for ${context.waitingFor}${lastWordOf(context)}${oldFailureOf(context)}`,
    })),
    'note that it stands still': assign(({ context }) => ({
      reason: `the model's log has had no new line for ${inSeconds(context.stallTimeoutMs)} (TSWORKER_LOAD_STALL_TIMEOUT); it still waited for ${context.waitingFor}${oldFailureOf(context)}`,
    })),
    'note that the failure stands': assign(({ context }) => ({
      reason: `the model server said: ${context.failureLine}`,
    })),
    'say that the trouble is over': sendParent(tellParent({ type: 'load.trouble', message: '' })),
    'say what the trouble is': sendParent(({ context }) =>
      tellParent({ type: 'load.trouble', message: troubleIn(context) }),
    ),
  },
});
