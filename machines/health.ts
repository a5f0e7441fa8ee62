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
 * To be invoked when the model has loaded, and kept while the worker fails: else nobody sees the recovery.
 */

/** What a health machine is made with. */
export interface HealthInput {
  readonly intervalMs: number;
  /** How many probes in a row must fail before the model server counts as failed; 1 or more. */
  readonly strikes: number;
}

/** What became of one probe. `bytesFlowed`: the model server has sent something to a client since the last one. */
export type ProbeResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly bytesFlowed: boolean };

/** What the health machine tells the machine that invoked it. */
export type HealthToParent = { type: 'backend.failed'; message: string } | { type: 'backend.recovered' };

export type HealthEmitted =
  | { type: 'health.strike'; strikes: number; reason: string }
  /** A probe failed, but the model server is at work. */
  | { type: 'health.busy'; reason: string };

export interface HealthContext extends HealthInput {
  /** How many probes in a row have failed. */
  readonly struck: number;
  /** What became of the last probe. */
  readonly result: ProbeResult;
}

const tellParent = (event: HealthToParent) => event;

/** How much sooner than usual a doubtful server is asked again. */
const SOONER = 5;

export const healthMachine = setup({
  types: {
    input: {} as HealthInput,
    context: {} as HealthContext,
    emitted: {} as HealthEmitted,
  },
  actors: { probe: port<ProbeResult>('probe') },
  delays: {
    interval: ({ context }) => context.intervalMs,
    sooner: ({ context }) => context.intervalMs / SOONER,
  },
  guards: {
    'it is well': ({ context }) => context.result.ok,
    'it is well again': ({ context }) => context.result.ok && hasFailed(context),
    'it failed before': ({ context }) => hasFailed(context),
    'it is only busy': ({ context: { result } }) => !result.ok && result.bytesFlowed,
    'that is the last strike': ({ context }) => isLastStrike(context),
    'that is not the last strike': ({ context }) => !isLastStrike(context),
  },
  actions: {
    'take the result': assign((_, result: ProbeResult) => ({ result })),
    'forget the strikes': assign({ struck: 0 }),
    'count the strike': assign(({ context }) => ({ struck: context.struck + 1 })),
    'announce the strike': emit(({ context }) => ({
      type: 'health.strike',
      strikes: context.struck,
      reason: troubleOf(context),
    })),
    'announce that it is busy': emit(({ context }) => ({ type: 'health.busy', reason: troubleOf(context) })),
    'say that it has failed': sendParent(({ context }) =>
      tellParent({ type: 'backend.failed', message: `the model server is not well: ${troubleOf(context)}` }),
    ),
    'say that it has recovered': sendParent(tellParent({ type: 'backend.recovered' })),
  },
}).createMachine({
  id: 'health',
  context: ({ input }) => ({ ...input, struck: 0, result: { ok: true } }),
  initial: 'well',
  states: {
    well: {
      description: 'The model server does its work. Left when the next probe is due.',
      after: { interval: 'asking' },
    },
    doubtful: {
      description: 'The last probe failed, but not enough of them in a row. Left soon, for the next one.',
      after: { sooner: 'asking' },
    },
    failed: {
      description: 'Too many probes in a row failed. Left for the next one, which may find it well again.',
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
            params: ({ event }) => ({ ok: false, reason: reasonOf(event.error), bytesFlowed: false }),
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
          actions: ['forget the strikes', 'say that it has recovered'],
        },
        { guard: 'it is well', target: 'well', actions: 'forget the strikes' },
        { guard: 'it failed before', target: 'failed' },
        {
          guard: 'it is only busy',
          target: 'well',
          actions: ['forget the strikes', 'announce that it is busy'],
        },
        {
          guard: 'that is the last strike',
          target: 'failed',
          actions: ['count the strike', 'announce the strike', 'say that it has failed'],
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

function isLastStrike({ struck, strikes }: HealthContext): boolean {
  return struck + 1 >= strikes;
}

function troubleOf({ result }: HealthContext): string {
  return result.ok ? '' : reasonOf(result.reason);
}
