import { onTestFinished } from 'vitest';
import { type ActorRefFrom, createActor, type InspectionEvent, setup } from 'xstate';
import {
  type CompletionsAttempt,
  type CompletionsDelivery,
  type CompletionsEmitted,
  type CompletionsInput,
  type CompletionsToParent,
  completionsMachine,
} from '../../../machines/completions.js';
import { type Completion, type CompletionStatus, size } from '../../../machines/outbox.js';
import { SteppedClock, turn } from '../../../src/testing/clock.js';
import { Effect } from '../../../src/testing/effect.js';
import { NO_ANSWER } from './reporter.js';

export const COMPLETIONS_INPUT: CompletionsInput = {
  addresses: ['http://a'],
  backOff: { baseMs: 500, capMs: 4_000 },
  seed: 1,
  limit: 10_000,
  batchLimit: 1_000,
  gapMs: 1_000,
};

/** A request that has ended; no two of them are the same object, even under one number. */
export function completion(requestIdx: number, status: CompletionStatus = 'Success'): Completion {
  return { requestIdx, status, enteredQueueAt: 1, workStartedAt: 2, workCompletedAt: 3 };
}

/** A running machine whose posts the test answers, and the ears of its parent. */
export interface RunningCompletions {
  readonly actor: ActorRefFrom<typeof completionsMachine>;
  readonly clock: SteppedClock;
  readonly post: Effect<CompletionsDelivery, CompletionsAttempt>;
  readonly told: CompletionsToParent[];
  readonly emitted: CompletionsEmitted[];
  readonly state: string;
  /** How many wait to be acknowledged. */
  readonly left: number;
  finish(...requestIdxs: number[]): void;
  flush(): void;
  answer(): Promise<void>;
  fail(error?: unknown): Promise<void>;
  /** The attempts so far, as `address: request numbers`. */
  posts(): string[];
}

export function startCompletions(
  input: Partial<CompletionsInput> = {},
  inspect?: (event: InspectionEvent) => void,
): RunningCompletions {
  const clock = new SteppedClock();
  const post = new Effect<CompletionsDelivery, CompletionsAttempt>();
  const told: CompletionsToParent[] = [];
  const parent = setup({
    types: { events: {} as CompletionsToParent, children: {} as { completions: 'completions' } },
    actors: { completions: completionsMachine.provide({ actors: { post: post.logic } }) },
  }).createMachine({
    id: 'parent',
    invoke: { id: 'completions', src: 'completions', input: { ...COMPLETIONS_INPUT, ...input } },
    on: { '*': { actions: ({ event }) => void told.push(event) } },
  });
  const root = createActor(parent, { clock, ...(inspect && { inspect }) }).start();
  onTestFinished(() => {
    root.stop();
    if (clock.waiting > 0) throw new Error(`${clock.waiting} timers outlive the machine.`);
  });
  const actor = root.getSnapshot().children.completions;
  if (actor === undefined) throw new Error('The machine does not run.');
  const emitted: CompletionsEmitted[] = [];
  actor.on('*', (event) => emitted.push(event));

  return {
    actor,
    clock,
    post,
    told,
    emitted,
    get state() {
      return actor.getSnapshot().value;
    },
    get left() {
      return size(actor.getSnapshot().context.outbox);
    },
    finish(...requestIdxs) {
      for (const requestIdx of requestIdxs) {
        actor.send({ type: 'requests.finished', completions: [completion(requestIdx)] });
      }
    },
    flush: () => actor.send({ type: 'flush' }),
    answer() {
      post.last.resolve({ tookMs: 3 });
      return turn();
    },
    fail(error = NO_ANSWER) {
      post.last.reject(error);
      return turn();
    },
    posts: () =>
      post.calls.map(
        ({ input: { address, batch } }) =>
          `${address}: ${batch.completions.map(({ requestIdx }) => requestIdx).join(' ')}`,
      ),
  };
}
