import { assign, emit, sendParent, setup } from 'xstate';
import { port } from './ports.js';
import { reasonOf } from './reason.js';

/**
 * Whether a model server that has loaded stays well.
 *
 * While it is `well` it is asked once an interval. A probe that fails is a strike, after which it is `doubtful`
 * and asked again sooner; so many strikes in a row, and it has `failed`. Then it is asked on, and the first
 * probe that succeeds makes it well again. A probe that fails although bytes of answers have come since the last
 * one shows a server that is busy, not one that hangs: that is no strike, and wipes out those before it.
 *
 * A request that nobody listened to has a server that seemed well asked at once, before its turn: once an interval,
 * however many such requests there are.
 *
 * A server that sends nothing for too long while requests wait for it has stalled, and has failed at once, whatever
 * its health route says: the loop that answers there need not be the one that works. Such a one is well again when a
 * probe succeeds and something has come, or nothing waits for it any more. Where the silence goes on, it is tried
 * again after as long a time: one request that was lost must not keep all others out for ever.
 *
 * To be invoked when the model has loaded, and kept while the worker fails: else nobody sees the recovery.
 */

/** What a health machine is made with. */
export interface HealthInput {
  readonly intervalMs: number;
  /** How many probes in a row must fail before the model server counts as failed; 1 or more. */
  readonly strikes: number;
  /** How long the model server may send nothing while requests wait for it, in ms; Infinity: no limit. */
  readonly stallTimeoutMs: number;
}

/**
 * What became of one probe. `quietMs`: for how long the model server had sent nothing although requests waited for
 * it, the longest since the last probe; 0: something came, or nothing waited. `bytesFlowed`: it has sent something
 * to a client since the last probe.
 */
export type ProbeResult = { readonly quietMs: number } & (
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly bytesFlowed: boolean }
);

/** A request could not connect to the model server. */
export type HealthEvent = { type: 'probe.wanted' };

/** What the health machine tells the machine that invoked it. */
export type HealthToParent =
  | { type: 'backend.failed'; message: string }
  /** That failure is the model server's own. */
  | { type: 'model.unwell' }
  | { type: 'backend.recovered' };

export type HealthEmitted =
  | { type: 'health.strike'; strikes: number; reason: string }
  /** A probe failed, but the model server is at work. */
  | { type: 'health.busy'; reason: string }
  /** It sends nothing although requests wait for it. */
  | { type: 'model.stalled'; quietMs: number };

export interface HealthContext extends HealthInput {
  /** How many probes in a row have failed. */
  readonly struck: number;
  /** What became of the last probe. */
  readonly result: ProbeResult;
  /** How long a silence must be for it to count as stalled, or, once it has, to be tried again, in ms. */
  readonly bearsMs: number;
  /** It was asked before its turn since the last time that it was asked in turn. */
  readonly hurried: boolean;
}

const tellParent = (event: HealthToParent) => event;

/** How much sooner than usual a doubtful server is asked again. */
const SOONER = 5;

export const healthMachine = setup({
  types: {
    input: {} as HealthInput,
    context: {} as HealthContext,
    events: {} as HealthEvent,
    emitted: {} as HealthEmitted,
  },
  actors: { probe: port<ProbeResult>('probe') },
  delays: {
    interval: ({ context }) => context.intervalMs,
    sooner: ({ context }) => context.intervalMs / SOONER,
  },
  guards: {
    'it was asked in turn': ({ context }) => !context.hurried,
    'it is well': ({ context }) => context.result.ok,
    'it is well again': ({ context }) =>
      context.result.ok && hasFailed(context) && (isHeard(context) || isTooQuiet(context)),
    'it failed before': ({ context }) => hasFailed(context),
    'it has stalled': ({ context }) => isTooQuiet(context),
    'it is only busy': ({ context: { result } }) => !result.ok && result.bytesFlowed,
    'that is the last strike': ({ context }) => isLastStrike(context),
    'that is not the last strike': ({ context }) => !isLastStrike(context),
  },
  actions: {
    'note that it is asked in turn': assign({ hurried: false }),
    'note that it is asked before its turn': assign({ hurried: true }),
    'take the result': assign(({ context }, result: ProbeResult) => ({
      result,
      bearsMs: result.quietMs < context.stallTimeoutMs ? context.stallTimeoutMs : context.bearsMs,
    })),
    'bear the silence for as long again': assign(({ context }) => ({
      bearsMs: (isHeard(context) ? 0 : context.result.quietMs) + context.stallTimeoutMs,
    })),
    'forget the strikes': assign({ struck: 0 }),
    'count the strike': assign(({ context }) => ({ struck: context.struck + 1 })),
    'count as many strikes as it takes': assign(({ context }) => ({ struck: context.strikes })),
    'announce the strike': emit(({ context }) => ({
      type: 'health.strike',
      strikes: context.struck,
      reason: troubleOf(context),
    })),
    'announce that it is busy': emit(({ context }) => ({ type: 'health.busy', reason: troubleOf(context) })),
    'announce that it has stalled': emit(({ context }) => ({
      type: 'model.stalled',
      quietMs: context.result.quietMs,
    })),
    'say that it has failed': sendParent(({ context }) =>
      tellParent({ type: 'backend.failed', message: `the model server is not well: ${troubleOf(context)}` }),
    ),
    'say that it has stalled': sendParent(({ context }) =>
      tellParent({ type: 'backend.failed', message: stallIn(context) }),
    ),
    'say whose failure it is': sendParent(tellParent({ type: 'model.unwell' })),
    'say that it has recovered': sendParent(tellParent({ type: 'backend.recovered' })),
  },
}).createMachine({
  id: 'health',
  context: ({ input }) => ({
    ...input,
    struck: 0,
    result: { ok: true, quietMs: 0 },
    bearsMs: input.stallTimeoutMs,
    hurried: false,
  }),
  initial: 'well',
  states: {
    well: {
      description:
        'The model server does its work. Left when the next probe is due, or when a request could not connect.',
      after: { interval: { target: 'asking', actions: 'note that it is asked in turn' } },
      on: {
        'probe.wanted': {
          guard: 'it was asked in turn',
          target: 'asking',
          actions: 'note that it is asked before its turn',
        },
      },
    },
    doubtful: {
      description: 'The last probe failed, but not enough of them in a row. Left soon, for the next one.',
      after: { sooner: 'asking' },
    },
    failed: {
      description:
        'Too many probes in a row failed, or it has stalled. Left for the next one, which may find it well again.',
      after: { interval: 'asking' },
    },
    asking: {
      description: 'A probe is under way. Left when it has succeeded or failed.',
      invoke: {
        id: 'probe',
        src: 'probe',
        onDone: {
          target: 'judging',
          actions: { type: 'take the result', params: ({ event }) => event.output },
        },
        onError: {
          target: 'judging',
          actions: {
            type: 'take the result',
            params: ({ event }) => ({
              ok: false,
              reason: reasonOf(event.error),
              bytesFlowed: false,
              quietMs: 0,
            }),
          },
        },
      },
    },
    judging: {
      description: 'What became of the probe is weighed. Left at once.',
      always: [
        {
          guard: 'it is well again',
          target: 'well',
          actions: ['forget the strikes', 'bear the silence for as long again', 'say that it has recovered'],
        },
        { guard: 'it failed before', target: 'failed' },
        {
          guard: 'it has stalled',
          target: 'failed',
          actions: [
            'count as many strikes as it takes',
            'bear the silence for as long again',
            'announce that it has stalled',
            'say that it has stalled',
            'say whose failure it is',
          ],
        },
        { guard: 'it is well', target: 'well', actions: 'forget the strikes' },
        {
          guard: 'it is only busy',
          target: 'well',
          actions: ['forget the strikes', 'announce that it is busy'],
        },
        {
          guard: 'that is the last strike',
          target: 'failed',
          actions: [
            'count the strike',
            'announce the strike',
            'say that it has failed',
            'say whose failure it is',
          ],
        },
        {
          guard: 'that is not the last strike',
          target: 'doubtful',
          actions: ['count the strike', 'announce the strike'],
        },
      ],
    },
  },
});

function hasFailed({ struck, strikes }: HealthContext): boolean {
  return struck >= strikes;
}

function isHeard({ result, stallTimeoutMs }: HealthContext): boolean {
  return result.quietMs < stallTimeoutMs;
}

function isTooQuiet({ result, bearsMs }: HealthContext): boolean {
  return result.quietMs >= bearsMs;
}

function isLastStrike({ struck, strikes }: HealthContext): boolean {
  return struck + 1 >= strikes;
}

function troubleOf({ result }: HealthContext): string {
  return result.ok ? '' : reasonOf(result.reason);
}

function stallIn(context: HealthContext): string {
  const seconds = Math.round(context.result.quietMs / 1000);
  const nothing = `the model server has sent nothing for ${seconds} s although requests wait for it (TSWORKER_STALL_TIMEOUT)`;
  return context.result.ok ? nothing : `${nothing}: ${troubleOf(context)}`;
}
