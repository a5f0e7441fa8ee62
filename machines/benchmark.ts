import { assign, enqueueActions, sendParent, setup } from 'xstate';
import { port } from './ports.js';
import { reasonOf } from './reason.js';
import { NOTHING_SAID, type Repeats, repeated } from './repeats.js';

/**
 * How fast the model is, in units of work per second.
 *
 * A result that was saved before is used again. Else the model is warmed up, which is tried again and again
 * where it does not take requests yet, then measured, and the result is saved. A measurement that came to nothing
 * is begun anew after a pause, twice as long each time: a model may answer errors for its first minutes. It is done
 * with a result, or it has failed with a reason: when the time was over, or when no other attempt could help. That
 * a result can't be saved is told and is no failure.
 */

/** What a benchmark machine is made with. */
export interface BenchmarkInput {
  /** How long it may take from the look-up to the measured result, in ms, all attempts and pauses included. */
  readonly timeoutMs: number;
  /**
   * How long to wait before a model that does not take requests yet is asked again, in ms, and after the first
   * measurement that came to nothing.
   */
  readonly probeRetryMs: number;
  /** The address of what is measured, for the operator alone; empty: the worker itself is. */
  readonly at: string;
}

/** Whether the model took the requests that warm it up; if not: why not. */
export type WarmUpResult = { readonly ready: true } | { readonly ready: false; readonly reason: string };

export interface Measurement {
  /** Units of work per second. */
  readonly maxPerf: number;
}

/** `measured`: now, rather than before. */
export type BenchmarkOutput =
  | { readonly ok: true; readonly maxPerf: number; readonly measured: boolean }
  | { readonly ok: false; readonly reason: string };

/** What the benchmark tells the machine that invoked it, for the log. */
export type BenchmarkToParent =
  | { type: 'benchmark.reused'; maxPerf: number }
  /** The model does not take requests yet. Told at once, when there is another reason, and now and then. */
  | { type: 'benchmark.waits'; reason: string; at: string }
  | { type: 'benchmark.began' }
  /** A measurement came to nothing; the next attempt is made in so many ms. */
  | { type: 'benchmark.failed'; reason: string; retryMs: number }
  | { type: 'benchmark.saved'; maxPerf: number }
  | { type: 'benchmark.unsaved'; maxPerf: number; reason: string };

export interface BenchmarkContext extends BenchmarkInput {
  /** Why the model did not take requests when it was last tried, or empty; and when that is to be told. */
  readonly notReady: Repeats;
  /** How many measurements came to nothing, and why the last one did; empty: none did. */
  readonly failures: number;
  readonly failure: string;
  readonly result: BenchmarkOutput;
}

const tellParent = (event: BenchmarkToParent) => event;

/** The longest pause after a measurement that came to nothing. */
const LONGEST_RETRY_MS = 60_000;

/** How long saving may take: a disk that hangs must not hold up a model that has loaded. */
const SAVE_TIMEOUT_MS = 10_000;

export const benchmarkMachine = setup({
  types: {
    input: {} as BenchmarkInput,
    context: {} as BenchmarkContext,
    output: {} as BenchmarkOutput,
  },
  actors: {
    /** The result that was saved, or null. */
    lookUp: port<number | null>('lookUp'),
    /** Resolves with `ready: false` only where trying again can help; rejects when it can't. */
    warmUp: port<WarmUpResult>('warmUp'),
    /** Rejects when no request succeeded; then it is run again. */
    measure: port<Measurement>('measure'),
    save: port<void, Measurement>('save'),
  },
  delays: {
    timeout: ({ context }) => context.timeoutMs,
    probeRetry: ({ context }) => context.probeRetryMs,
    retry: ({ context }) => retryMs(context),
    saveTimeout: SAVE_TIMEOUT_MS,
  },
  guards: {
    'it is a speed': (_, { maxPerf }: { maxPerf: number | null }) => isSpeed(maxPerf),
    'the model takes requests': (_, result: WarmUpResult) => result.ready,
  },
  actions: {
    'keep the result': assign((_, result: BenchmarkOutput) => ({ result })),
    'note that it is ready': assign({ notReady: NOTHING_SAID }),
    'note why it is not ready': assign(({ context }, result: WarmUpResult) => ({
      notReady: repeated(context.notReady, result.ready ? '' : reasonOf(result.reason), context.probeRetryMs),
    })),
    'note why it came to nothing': assign(({ context }, { error }: { error: unknown }) => ({
      failures: context.failures + 1,
      failure: reasonOf(error),
    })),
    'note that the time is over': assign(({ context }) => ({
      result: { ok: false, reason: reasonOfTimeout(context) },
    })),
    'say that the result is used again': sendParent(({ context }) =>
      tellParent({ type: 'benchmark.reused', maxPerf: speedOf(context) }),
    ),
    'say that it waits': enqueueActions(({ context: { notReady, at }, enqueue }) => {
      if (notReady.quietMs > 0) return;
      enqueue.sendParent(tellParent({ type: 'benchmark.waits', reason: notReady.said, at }));
    }),
    'say that it is tried again': sendParent(({ context }) =>
      tellParent({ type: 'benchmark.failed', reason: context.failure, retryMs: retryMs(context) }),
    ),
    'say that it has begun': sendParent(tellParent({ type: 'benchmark.began' })),
    'say that it is saved': sendParent(({ context }) =>
      tellParent({ type: 'benchmark.saved', maxPerf: speedOf(context) }),
    ),
    'say that it is not saved': sendParent(({ context }, { reason }: { reason: string }) =>
      tellParent({ type: 'benchmark.unsaved', maxPerf: speedOf(context), reason }),
    ),
  },
}).createMachine({
  id: 'benchmark',
  context: ({ input }) => ({
    ...input,
    notReady: NOTHING_SAID,
    failures: 0,
    failure: '',
    result: { ok: false, reason: 'it was not measured' },
  }),
  output: ({ context }) => context.result,
  initial: 'finding out',
  states: {
    'finding out': {
      description:
        'The speed is not known yet. Left when it is, when it can not be, or when the time is over.',
      after: { timeout: { target: 'failed', actions: 'note that the time is over' } },
      initial: 'looking up',
      states: {
        'looking up': {
          description: 'A result that was saved before is looked for.',
          invoke: {
            id: 'lookUp',
            src: 'lookUp',
            onDone: [
              {
                guard: { type: 'it is a speed', params: ({ event }) => ({ maxPerf: event.output }) },
                target: '#benchmark.done',
                actions: [
                  {
                    type: 'keep the result',
                    params: ({ event }) => ({ ok: true, maxPerf: event.output ?? 0, measured: false }),
                  },
                  'say that the result is used again',
                ],
              },
              { target: 'warming up' },
            ],
            onError: 'warming up',
          },
        },
        'warming up': {
          description: 'The model gets requests that do not count. Left when it has taken them, or can not.',
          invoke: {
            id: 'warmUp',
            src: 'warmUp',
            onDone: [
              {
                guard: { type: 'the model takes requests', params: ({ event }) => event.output },
                target: 'measuring',
                actions: 'note that it is ready',
              },
              {
                target: 'pausing',
                actions: [
                  { type: 'note why it is not ready', params: ({ event }) => event.output },
                  'say that it waits',
                ],
              },
            ],
            onError: {
              target: '#benchmark.failed',
              actions: {
                type: 'keep the result',
                params: ({ event }) => ({ ok: false, reason: reasonOf(event.error) }),
              },
            },
          },
        },
        pausing: {
          description: 'The model does not take requests yet. Left after a pause.',
          after: { probeRetry: 'warming up' },
        },
        measuring: {
          description:
            'The model is measured. Left with its speed, when no request succeeded, or when the work of all of them is nothing.',
          entry: 'say that it has begun',
          invoke: {
            id: 'measure',
            src: 'measure',
            onDone: [
              {
                guard: { type: 'it is a speed', params: ({ event }) => event.output },
                target: '#benchmark.saving',
                actions: {
                  type: 'keep the result',
                  params: ({ event }) => ({ ok: true, maxPerf: event.output.maxPerf, measured: true }),
                },
              },
              {
                target: '#benchmark.failed',
                actions: {
                  type: 'keep the result',
                  params: ({ event }) => ({
                    ok: false,
                    reason: `the benchmark measured ${event.output.maxPerf} units of work per second`,
                  }),
                },
              },
            ],
            onError: {
              target: 'backing off',
              actions: [
                { type: 'note why it came to nothing', params: ({ event }) => ({ error: event.error }) },
                'say that it is tried again',
              ],
            },
          },
        },
        'backing off': {
          description: 'A measurement came to nothing. Left after a pause, twice as long each time.',
          after: { retry: 'warming up' },
        },
      },
    },
    saving: {
      description: 'The result is being saved. Left when it is, or can not be.',
      invoke: {
        id: 'save',
        src: 'save',
        input: ({ context }) => ({ maxPerf: speedOf(context) }),
        onDone: { target: 'done', actions: 'say that it is saved' },
        onError: {
          target: 'done',
          actions: {
            type: 'say that it is not saved',
            params: ({ event }) => ({ reason: reasonOf(event.error) }),
          },
        },
      },
      after: {
        saveTimeout: {
          target: 'done',
          actions: { type: 'say that it is not saved', params: { reason: 'it took too long' } },
        },
      },
    },
    done: { type: 'final', description: 'The speed is known.' },
    failed: { type: 'final', description: 'The speed can not be known.' },
  },
});

function isSpeed(value: number | null): boolean {
  return value !== null && Number.isFinite(value) && value > 0;
}

function speedOf({ result }: BenchmarkContext): number {
  return result.ok ? result.maxPerf : 0;
}

function retryMs({ probeRetryMs, failures }: BenchmarkContext): number {
  return Math.min(LONGEST_RETRY_MS, probeRetryMs * 2 ** (failures - 1));
}

/** Why nothing is known when the time is over: what stood in the way last, as far as anything did. */
function reasonOfTimeout({ timeoutMs, notReady, failures, failure }: BenchmarkContext): string {
  const time = `${timeoutMs / 1000} s`;
  if (notReady.said !== '') {
    return `the benchmark took more than ${time}: the model does not take requests (${notReady.said})`;
  }
  if (failures === 0) return `the benchmark took more than ${time}`;
  return `${failure} (measured ${failures === 1 ? 'once' : `${failures} times`} in ${time})`;
}
