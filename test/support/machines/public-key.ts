import { onTestFinished } from 'vitest';
import { type ActorRefFrom, createActor, type InspectionEvent, setup } from 'xstate';
import {
  type FetchKeyInput,
  type PublicKeyEmitted,
  type PublicKeyInput,
  type PublicKeyToParent,
  publicKeyMachine,
} from '../../../machines/public-key.js';
import { SteppedClock, turn } from '../../../src/testing/clock.js';
import { Effect } from '../../../src/testing/effect.js';
import { NO_ANSWER } from './reporter.js';

export const PEM = '-----BEGIN PUBLIC KEY-----\none\n-----END PUBLIC KEY-----\n';
export const OTHER_PEM = '-----BEGIN PUBLIC KEY-----\ntwo\n-----END PUBLIC KEY-----\n';

export const PUBLIC_KEY_INPUT: PublicKeyInput = {
  addresses: ['http://a'],
  backOff: { baseMs: 1_000, capMs: 30_000 },
  seed: 1,
  lateAfterMs: 60_000,
  minRefetchMs: 60_000,
  eager: false,
};

/** A running machine whose fetches the test answers, and the ears of its parent. */
export interface RunningPublicKey {
  readonly actor: ActorRefFrom<typeof publicKeyMachine>;
  readonly clock: SteppedClock;
  readonly fetchKey: Effect<string, FetchKeyInput>;
  readonly told: PublicKeyToParent[];
  readonly emitted: PublicKeyEmitted[];
  readonly state: unknown;
  need(): void;
  doubt(): void;
  answer(pem?: string): Promise<void>;
  fail(error?: unknown): Promise<void>;
  /** The addresses that were asked so far. */
  asked(): string[];
}

export function startPublicKey(
  input: Partial<PublicKeyInput> = {},
  inspect?: (event: InspectionEvent) => void,
): RunningPublicKey {
  const clock = new SteppedClock();
  const fetchKey = new Effect<string, FetchKeyInput>();
  const told: PublicKeyToParent[] = [];
  const parent = setup({
    types: { events: {} as PublicKeyToParent, children: {} as { publicKey: 'publicKey' } },
    actors: { publicKey: publicKeyMachine.provide({ actors: { fetchKey: fetchKey.logic } }) },
  }).createMachine({
    id: 'parent',
    invoke: { id: 'publicKey', src: 'publicKey', input: { ...PUBLIC_KEY_INPUT, ...input } },
    on: { '*': { actions: ({ event }) => void told.push(event) } },
  });
  const root = createActor(parent, { clock, ...(inspect && { inspect }) });
  const actor = root.getSnapshot().children.publicKey;
  if (actor === undefined) throw new Error('The machine is not there.');
  const emitted: PublicKeyEmitted[] = [];
  actor.on('*', (event) => emitted.push(event));
  root.start();
  onTestFinished(() => {
    root.stop();
    if (clock.waiting > 0) throw new Error(`${clock.waiting} timers outlive the machine.`);
  });

  return {
    actor,
    clock,
    fetchKey,
    told,
    emitted,
    get state() {
      return actor.getSnapshot().value;
    },
    need: () => actor.send({ type: 'key.needed' }),
    doubt: () => actor.send({ type: 'key.doubted' }),
    answer(pem = PEM) {
      fetchKey.last.resolve(pem);
      return turn();
    },
    fail(error = NO_ANSWER) {
      fetchKey.last.reject(error);
      return turn();
    },
    asked: () => fetchKey.calls.map(({ input: { address } }) => address),
  };
}
