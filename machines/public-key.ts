import { assign, emit, enqueueActions, setup } from 'xstate';
import type { BackOff } from './back-off.js';
import { port } from './ports.js';
import { addressOf, delivered, failedRound, isLast, nextAddress, openRounds, type Rounds } from './rounds.js';

/**
 * The public key of the autoscaler, with which the signatures of requests are checked.
 *
 * It is unasked until somebody needs the key; then it seeks it for ever, from one address after another,
 * fetching and backing off. Once held, a key is never given up: when a signature fails to verify the key is
 * in doubt, and is fetched again, since it may have been replaced; but never sooner than the least time
 * after it was last fetched again, since anybody can send a wrong signature. The first fetch was for no doubt,
 * so the first doubt is heeded at once. A fetch that fails keeps the key that is there, and the doubt.
 */

/** What the machine is made with. */
export interface PublicKeyInput {
  /** Base addresses in order of preference. */
  readonly addresses: readonly string[];
  readonly backOff: BackOff;
  /** Seeds the jitter: the same seed waits the same times. */
  readonly seed: number;
  /** For how long the key may be sought before that is told. */
  readonly lateAfterMs: number;
  /** The least time between two rounds of fetches once a key is held. */
  readonly minRefetchMs: number;
  /** Seek the key from the beginning, before anybody needs it. */
  readonly eager: boolean;
}

export type PublicKeyEvent =
  /** A signature is to be checked. */
  | { type: 'key.needed' }
  /** A signature failed to verify. */
  | { type: 'key.doubted' };

export interface FetchKeyInput {
  readonly address: string;
}

/** What the machine tells the one that invoked it. */
export type PublicKeyToParent =
  /** A key was fetched, be it the same as before or not; pem: the key in PEM. */
  | { type: 'key.held'; pem: string }
  /** There has been no key for too long; told once. reason: a sentence that begins with `no_public_key: `. */
  | { type: 'key.late'; reason: string };

/** `key.held`: there is a key, or another than before. */
export type PublicKeyEmitted =
  | PublicKeyToParent
  | { type: 'key.fetch.failed'; address: string; error: unknown };

export interface PublicKeyContext extends PublicKeyInput, Rounds {
  /** The key in PEM, or empty while there is none. */
  readonly pem: string;
  /** A signature failed to verify since the key was fetched. */
  readonly doubted: boolean;
  /** What went wrong with the last fetch that failed, as a sentence; empty before. */
  readonly problem: string;
}

const tellParent = (event: PublicKeyToParent) => event;

export const publicKeyMachine = setup({
  types: {
    input: {} as PublicKeyInput,
    context: {} as PublicKeyContext,
    events: {} as PublicKeyEvent,
    emitted: {} as PublicKeyEmitted,
  },
  actors: {
    /** Resolves to a key in PEM. */
    fetchKey: port<string, FetchKeyInput>('fetchKey'),
  },
  delays: {
    backOff: ({ context }) => context.backOffMs,
    lateAfter: ({ context }) => context.lateAfterMs,
    minRefetch: ({ context }) => context.minRefetchMs,
  },
  guards: {
    'there is no autoscaler': ({ context }) => context.addresses.length === 0,
    'another address is left': ({ context }) => !isLast(context),
    'the key is in doubt': ({ context }) => context.doubted,
  },
  actions: {
    'need the key at once if asked to': enqueueActions(({ context, enqueue }) => {
      if (context.eager) enqueue.raise({ type: 'key.needed' });
    }),
    'turn to the next address': assign(({ context }) => nextAddress(context)),
    'plan the next round': assign(({ context }) => failedRound(context)),
    'stay with the address that works': assign(({ context }) => delivered(context)),
    'keep the key': assign((_, { pem }: { pem: string }) => ({ pem, doubted: false })),
    'doubt the key': assign({ doubted: true }),
    'tell the key': enqueueActions(({ context, enqueue }, { pem }: { pem: string }) => {
      const held = tellParent({ type: 'key.held', pem });
      enqueue.sendParent(held);
      if (pem !== context.pem) enqueue.emit(held);
    }),
    'tell that the key is late': enqueueActions(({ context, enqueue }) => {
      const late = tellParent({ type: 'key.late', reason: whyLate(context) });
      enqueue.sendParent(late);
      enqueue.emit(late);
    }),
    'note the failure': assign((_, { error }: { error: unknown }) => ({ problem: sentenceOf(error) })),
    'announce the failure': emit(({ context }, { error }: { error: unknown }) => ({
      type: 'key.fetch.failed',
      address: addressOf(context),
      error,
    })),
  },
}).createMachine({
  id: 'public-key',
  context: ({ input }) => ({ ...input, ...openRounds(input), pem: '', doubted: false, problem: '' }),
  initial: 'unasked',
  states: {
    unasked: {
      description: 'Nobody has needed the key yet. Left as soon as somebody does.',
      entry: 'need the key at once if asked to',
      on: {
        'key.needed': [{ guard: 'there is no autoscaler', target: 'nobody to ask' }, { target: 'seeking' }],
      },
    },
    seeking: {
      description: 'There is no key yet. Left when there is one.',
      initial: 'fetching',
      after: { lateAfter: { actions: 'tell that the key is late' } },
      states: {
        fetching: {
          description: 'One address is asked for the key. Left when it has answered, or failed.',
          invoke: {
            id: 'fetchKey',
            src: 'fetchKey',
            input: ({ context }) => ({ address: addressOf(context) }),
            onDone: {
              target: '#public-key.held',
              actions: [
                'stay with the address that works',
                // Whether it is another one shows only while the one before is still there.
                { type: 'tell the key', params: ({ event }) => ({ pem: event.output }) },
                { type: 'keep the key', params: ({ event }) => ({ pem: event.output }) },
              ],
            },
            onError: [
              {
                guard: 'another address is left',
                target: 'fetching',
                reenter: true,
                actions: [
                  { type: 'announce the failure', params: ({ event }) => event },
                  { type: 'note the failure', params: ({ event }) => event },
                  'turn to the next address',
                ],
              },
              {
                target: 'backing off',
                actions: [
                  { type: 'announce the failure', params: ({ event }) => event },
                  { type: 'note the failure', params: ({ event }) => event },
                  'plan the next round',
                ],
              },
            ],
          },
        },
        'backing off': {
          description: 'Every address has failed. Left when the back-off is over.',
          after: { backOff: 'fetching' },
        },
      },
    },
    held: {
      description: 'There is a key. Never left.',
      initial: 'trusted',
      states: {
        resting: {
          description:
            'The key was fetched again a moment ago, and is not asked for again so soon. Left when the least time between two fetches is over.',
          after: {
            minRefetch: [{ guard: 'the key is in doubt', target: 'refreshing' }, { target: 'trusted' }],
          },
          on: { 'key.doubted': { actions: 'doubt the key' } },
        },
        trusted: {
          description: 'Every signature since the last fetch has verified. Left when one has not.',
          on: { 'key.doubted': { target: 'refreshing', actions: 'doubt the key' } },
        },
        refreshing: {
          description:
            'The key is in doubt and is fetched again, from one address after another. Left when one has answered, or all have failed.',
          invoke: {
            id: 'fetchKey',
            src: 'fetchKey',
            input: ({ context }) => ({ address: addressOf(context) }),
            onDone: {
              target: 'resting',
              actions: [
                'stay with the address that works',
                // Whether it is another one shows only while the one before is still there.
                { type: 'tell the key', params: ({ event }) => ({ pem: event.output }) },
                { type: 'keep the key', params: ({ event }) => ({ pem: event.output }) },
              ],
            },
            onError: [
              {
                guard: 'another address is left',
                target: 'refreshing',
                reenter: true,
                actions: [
                  { type: 'announce the failure', params: ({ event }) => event },
                  'turn to the next address',
                ],
              },
              {
                target: 'resting',
                actions: [
                  { type: 'announce the failure', params: ({ event }) => event },
                  'plan the next round',
                ],
              },
            ],
          },
        },
      },
    },
    'nobody to ask': {
      description: 'The key is needed, but there is no autoscaler to ask for it. Never left.',
      entry: 'tell that the key is late',
    },
  },
});

function whyLate({ addresses, lateAfterMs, problem }: PublicKeyContext): string {
  if (addresses.length === 0) return 'no_public_key: there is no autoscaler to ask for its public key';
  const late = `no_public_key: no autoscaler has given its public key within ${lateAfterMs / 1000} s`;
  return problem === '' ? late : `${late}; the last attempt failed: ${problem}`;
}

function sentenceOf(error: unknown): string {
  const said = error instanceof Error ? error.message || error.name : error;
  return typeof said === 'string' ? said : '';
}
