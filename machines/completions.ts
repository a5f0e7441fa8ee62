import { assign, emit, enqueueActions, sendParent, setup } from 'xstate';
import type { BackOff } from './back-off.js';
import { BatchRefused, grown, halved } from './batch-size.js';
import {
  acknowledgeBatch,
  add,
  type Batch,
  type Completion,
  cutBatch,
  EMPTY_BATCH,
  type Outbox,
  openOutbox,
  refuseBatch,
  size,
} from './outbox.js';
import { port } from './ports.js';
import { addressOf, delivered, failedRound, isLast, nextAddress, openRounds, type Rounds } from './rounds.js';

/**
 * Finished requests: tells the autoscaler which requests have ended, so that it lets them go.
 *
 * What has ended waits in an outbox. The first that ends after a quiet time is posted at once, what ends
 * within the gap after a post goes together in the next one. Each attempt cuts a batch of its own, and only
 * what a batch held is removed when it is acknowledged. More than one batch goes in several posts, without
 * gaps between them. An address that fails makes way for the next one; when each has failed the machine backs
 * off. When the worker stops everything is posted without gaps.
 *
 * Nobody says how large a post may be, nor which of those in it the autoscaler can't take. A batch that is refused
 * for what it holds is posted again in halves, down to a single one; batches grow again with each delivery, little
 * by little, so that few are refused. A single one that is refused even so goes behind all others once every address
 * has failed; it is dropped in the end, and that is told.
 */

/** What the machine is made with. */
export interface CompletionsInput {
  /** Base addresses in order of preference; none: nobody is told. */
  readonly addresses: readonly string[];
  readonly backOff: BackOff;
  /** Seeds the jitter: the same seed waits the same times. */
  readonly seed: number;
  /** How many completions wait at most; beyond it the oldest are dropped. */
  readonly limit: number;
  /** How many completions one post tells at most, 1 or more. */
  readonly batchLimit: number;
  /** The least time between two posts. */
  readonly gapMs: number;
}

export type CompletionsEvent =
  /** Those that have ended, oldest first. One event may bring many: a worker ends thousands in a second. */
  | { type: 'requests.finished'; completions: readonly Completion[] }
  /** Post everything without gaps, then say that nothing is left. */
  | { type: 'flush' };

/** One attempt: what to tell, and whom. */
export interface CompletionsAttempt {
  readonly address: string;
  readonly batch: Batch;
}

/** An attempt whose 2xx answer was read. One whose batch its address refuses fails with `BatchRefused`. */
export interface CompletionsDelivery {
  readonly tookMs: number;
}

/** What the machine tells the one that invoked it: everything was told, after a flush. */
export type CompletionsToParent = { type: 'completions.flushed' };

export type CompletionsEmitted =
  | { type: 'completions.delivered'; address: string; count: number; tookMs: number }
  | { type: 'completions.failed'; address: string; count: number; error: unknown }
  | { type: 'completions.outage.began'; error: unknown }
  | { type: 'completions.outage.ended'; address: string; failedAttempts: number }
  /** The outbox was full. total: over the whole life of the worker, whatever the cause. */
  | { type: 'completions.dropped'; total: number }
  /** One was dropped because it is refused even alone. */
  | { type: 'completions.refused'; requestIdx: number; address: string; total: number };

export interface CompletionsContext extends CompletionsInput, Rounds {
  readonly outbox: Outbox;
  readonly flushing: boolean;
  /** How many the next post tells at most: `batchLimit`, or less after a batch was refused. */
  readonly batchSize: number;
  /** The attempt that is under way, or was last. */
  readonly attempt: CompletionsAttempt;
  /** How many had been dropped when all was well for the last time. */
  readonly droppedBefore: number;
}

const tellParent = (event: CompletionsToParent) => event;

export const completionsMachine = setup({
  types: {
    input: {} as CompletionsInput,
    context: {} as CompletionsContext,
    events: {} as CompletionsEvent,
    emitted: {} as CompletionsEmitted,
  },
  actors: { post: port<CompletionsDelivery, CompletionsAttempt>('post') },
  delays: {
    gap: ({ context }) => context.gapMs,
    // Jitter may be next to nothing, and the gap between two posts holds for those that failed as well.
    backOff: ({ context }) => (context.flushing ? 0 : context.gapMs) + context.backOffMs,
  },
  guards: {
    'there is no autoscaler': ({ context }) => context.addresses.length === 0,
    'something is left to tell': ({ context }) => size(context.outbox) > 0,
    'the worker stops': ({ context }) => context.flushing,
    'another address is left': ({ context }) => !isLast(context),
    'a whole batch waits': ({ context }) => size(context.outbox) >= context.batchSize,
    'a smaller batch may be taken': ({ context }, { error }: { error: unknown }) =>
      error instanceof BatchRefused && context.attempt.batch.completions.length > 1,
    'a single one was refused': (_, { error }: { error: unknown }) => error instanceof BatchRefused,
  },
  actions: {
    'put them in the outbox': enqueueActions(
      ({ context, enqueue }, { completions }: { completions: readonly Completion[] }) => {
        const outbox = add(context.outbox, ...completions);
        enqueue.assign({ outbox });
        const [before, now] = [context.outbox.dropped, outbox.dropped].map(
          (dropped) => dropped - context.droppedBefore,
        );
        if (magnitude(now) > magnitude(before)) {
          enqueue.emit({ type: 'completions.dropped', total: outbox.dropped });
        }
      },
    ),
    'hurry from now on': assign({ flushing: true }),
    'cut a batch': assign(({ context }) => ({
      attempt: { address: addressOf(context), batch: cutBatch(context.outbox, context.batchSize) },
    })),
    'halve the batch': assign(({ context }) => ({
      batchSize: halved(context.attempt.batch.completions.length),
    })),
    'let batches grow': assign(({ context }) => ({
      batchSize: grown(context.batchSize, context.batchLimit),
    })),
    'set aside what nobody takes': enqueueActions(({ context, enqueue }) => {
      const { address, batch } = context.attempt;
      const outbox = refuseBatch(context.outbox, batch);
      enqueue.assign({ outbox });
      const [refused] = batch.completions;
      if (refused === undefined || outbox.dropped === context.outbox.dropped) return;
      const { requestIdx } = refused;
      enqueue.emit({ type: 'completions.refused', requestIdx, address, total: outbox.dropped });
    }),
    'remove what was told': assign(({ context }) => {
      const outbox = acknowledgeBatch(context.outbox, context.attempt.batch);
      const allIsWell = context.failedRounds > 0 || size(outbox) === 0;
      return { outbox, droppedBefore: allIsWell ? outbox.dropped : context.droppedBefore };
    }),
    'announce the end of an outage': enqueueActions(({ context, enqueue }) => {
      const { failedRounds, failedAttempts, attempt } = context;
      if (failedRounds === 0) return;
      enqueue.emit({ type: 'completions.outage.ended', address: attempt.address, failedAttempts });
    }),
    'stay with the address that works': assign(({ context }) => delivered(context)),
    'announce the delivery': emit(({ context }, { tookMs }: CompletionsDelivery) => ({
      type: 'completions.delivered',
      ...toldIn(context.attempt),
      tookMs,
    })),
    'announce the failure': emit(({ context }, { error }: { error: unknown }) => ({
      type: 'completions.failed',
      ...toldIn(context.attempt),
      error,
    })),
    'announce the outage if it is new': enqueueActions(
      ({ context, enqueue }, { error }: { error: unknown }) => {
        if (context.failedRounds === 0) enqueue.emit({ type: 'completions.outage.began', error });
      },
    ),
    'turn to the next address': assign(({ context }) => nextAddress(context)),
    'plan the next round': assign(({ context }) => failedRound(context)),
    'say that everything is told': sendParent(tellParent({ type: 'completions.flushed' })),
  },
}).createMachine({
  id: 'completions',
  context: ({ input }) => ({
    ...input,
    ...openRounds(input),
    outbox: openOutbox(input.limit),
    flushing: false,
    batchSize: input.batchLimit,
    attempt: { address: '', batch: EMPTY_BATCH },
    droppedBefore: 0,
  }),
  on: {
    'requests.finished': {
      actions: { type: 'put them in the outbox', params: ({ event }) => event },
    },
    flush: { actions: 'hurry from now on' },
  },
  initial: 'quiet',
  states: {
    quiet: {
      description: 'Nothing is left to tell, and the gap is over. Left as soon as a request has ended.',
      always: [
        { guard: 'there is no autoscaler', target: 'silent' },
        { guard: 'something is left to tell', target: 'posting' },
        { guard: 'the worker stops', target: 'flushed' },
      ],
    },
    posting: {
      description: 'One batch is on its way to one address. Left when its answer is read, or it fails.',
      entry: 'cut a batch',
      invoke: {
        id: 'post',
        src: 'post',
        input: ({ context }) => context.attempt,
        onDone: {
          target: 'gathering',
          actions: [
            'remove what was told',
            'let batches grow',
            'announce the end of an outage',
            'stay with the address that works',
            { type: 'announce the delivery', params: ({ event }) => event.output },
          ],
        },
        onError: [
          {
            guard: {
              type: 'a smaller batch may be taken',
              params: ({ event }) => event,
            },
            target: 'posting',
            reenter: true,
            actions: [{ type: 'announce the failure', params: ({ event }) => event }, 'halve the batch'],
          },
          {
            guard: 'another address is left',
            target: 'posting',
            reenter: true,
            actions: [
              { type: 'announce the failure', params: ({ event }) => event },
              'turn to the next address',
            ],
          },
          {
            guard: { type: 'a single one was refused', params: ({ event }) => event },
            target: 'backing off',
            actions: [
              { type: 'announce the failure', params: ({ event }) => event },
              { type: 'announce the outage if it is new', params: ({ event }) => event },
              'set aside what nobody takes',
              'plan the next round',
            ],
          },
          {
            target: 'backing off',
            actions: [
              { type: 'announce the failure', params: ({ event }) => event },
              { type: 'announce the outage if it is new', params: ({ event }) => event },
              'plan the next round',
            ],
          },
        ],
      },
    },
    gathering: {
      description:
        'A batch was delivered a moment ago, and what ends now waits for the next one. Left when the gap is over, or at once when a whole batch waits or the worker stops.',
      always: [
        { guard: 'the worker stops', target: 'quiet' },
        { guard: 'a whole batch waits', target: 'posting' },
      ],
      after: { gap: 'quiet' },
    },
    'backing off': {
      description:
        'Every address has failed. Left when the back-off is over, or at once when the worker is asked to stop.',
      // What failed may have been dropped, so it is looked whether anything is left.
      after: { backOff: 'quiet' },
      on: { flush: { target: 'quiet', actions: 'hurry from now on' } },
    },
    flushed: {
      description: 'The worker stops and nothing is left to tell. Left if a request ends after all.',
      entry: 'say that everything is told',
      always: { guard: 'something is left to tell', target: 'posting' },
      on: { flush: { actions: 'say that everything is told' } },
    },
    silent: {
      description: 'There is no autoscaler to tell. Never left.',
      on: { 'requests.finished': {}, flush: { actions: 'say that everything is told' } },
    },
  },
});

function toldIn({ address, batch }: CompletionsAttempt): { address: string; count: number } {
  return { address, count: batch.completions.length };
}

/** Grows with each doubling, so that what goes on and on is told again and again, but never floods. */
function magnitude(count = 0): number {
  return Math.floor(Math.log2(count));
}
