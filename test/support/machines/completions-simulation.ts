import fc from 'fast-check';
import { createActor, fromPromise, setup } from 'xstate';
import { BatchRefused } from '../../../machines/batch-size.js';
import {
  type CompletionsAttempt,
  type CompletionsDelivery,
  type CompletionsEmitted,
  type CompletionsInput,
  type CompletionsToParent,
  completionsMachine,
} from '../../../machines/completions.js';
import {
  type Batch,
  type Completion,
  type CompletionStatus,
  cutBatch,
  type Outbox,
  size,
} from '../../../machines/outbox.js';
import { SteppedClock, turn } from '../../../src/testing/clock.js';
import { completion } from './completions.js';
import type { Answer } from './simulation.js';

export type Step =
  | { is: 'ends'; requestIdx: number; status: CompletionStatus; count: number }
  | { is: 'time'; ms: number };

export interface CompletionsSchedule {
  readonly input: CompletionsInput;
  readonly timeoutMs: number;
  /** A post of more than this is refused, whatever its answer would be. */
  readonly mostInPost: number;
  /** So is one that tells of this request, until the answers come to their end, or for ever; null: there is none. */
  readonly unwanted: { readonly requestIdx: number; readonly forEver: boolean } | null;
  readonly steps: readonly Step[];
  /** What becomes of the posts, in order, and then of all posts after those. */
  readonly answers: readonly Answer[];
  readonly finally: Answer;
  /** What ends after the machine has said that everything was told. */
  readonly afterwards: readonly Step[];
}

/** What was seen of the machine over its whole life. */
export interface CompletionsLife {
  readonly added: readonly Completion[];
  /** The completions of each post that was answered in time, in order. */
  readonly acknowledged: readonly (readonly Completion[])[];
  /** Those that were ever refused alone. */
  readonly refusedAlone: ReadonlySet<Completion>;
  readonly left: readonly Completion[];
  readonly dropped: number;
  readonly emitted: readonly CompletionsEmitted[];
  readonly told: readonly CompletionsToParent[];
  readonly mostAtOnce: number;
  readonly largestBatch: number;
  /**
   * The time from the end of each post to the next that is not part of the same round nor a whole batch after
   * a delivery, before the flush.
   */
  readonly gapsMs: readonly number[];
  /** How many waited each time that the machine said that nothing is left. */
  readonly leftWhenFlushed: readonly number[];
  readonly timersLeft: number;
}

/** The real machine through a schedule, on simulated time, to the end of a flush or for a day. */
export async function liveCompletions(schedule: CompletionsSchedule): Promise<CompletionsLife> {
  const { input, timeoutMs } = schedule;
  const clock = new SteppedClock();
  const answers = [...schedule.answers];
  const late: (() => void)[] = [];
  const acknowledged: (readonly Completion[])[] = [];
  const refusedAlone = new Set<Completion>();
  const isUnwanted = ({ requestIdx }: Completion) =>
    requestIdx === schedule.unwanted?.requestIdx && (schedule.unwanted.forEver || answers.length > 0);
  const isRefused = ({ completions }: Batch) =>
    completions.length > schedule.mostInPost || completions.some(isUnwanted);
  const gapsMs: number[] = [];
  let [underWay, mostAtOnce, largestBatch, flushing] = [0, 0, 0, false];
  let roundEnded: { readonly atMs: number; readonly well: boolean } | undefined;

  const post = fromPromise<CompletionsDelivery, CompletionsAttempt>(async ({ input: { batch }, signal }) => {
    underWay += 1;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    largestBatch = Math.max(largestBatch, batch.completions.length);
    const isWhole = batch.completions.length === batchSize();
    if (roundEnded !== undefined && !flushing && !(isWhole && roundEnded.well)) {
      gapsMs.push(clock.now() - roundEnded.atMs);
    }
    roundEnded = undefined;
    const timers: number[] = [];
    try {
      const delivery = await new Promise<CompletionsDelivery>((resolve, reject) => {
        const answer = answers.shift() ?? schedule.finally;
        const after = (ms: number, act: () => void) => timers.push(clock.setTimeout(act, ms));
        after(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
        if (isRefused(batch) && 'afterMs' in answer) {
          after(Math.min(answer.afterMs, timeoutMs - 1), () => {
            const [first, second] = batch.completions;
            if (first !== undefined && second === undefined) refusedAlone.add(first);
            reject(new BatchRefused('status 422'));
          });
        }
        if (answer.is === 'accepted') after(answer.afterMs, () => resolve({ tookMs: answer.afterMs }));
        if (answer.is === 'refused') after(answer.afterMs, () => reject(new Error('refused')));
        if (answer.is === 'late') {
          clock.setTimeout(() => resolve({ tookMs: 0 }), timeoutMs + answer.afterMs);
        }
        late.push(() => resolve({ tookMs: 0 }));
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      acknowledged.push(batch.completions);
      return delivery;
    } finally {
      underWay -= 1;
      for (const timer of timers) clock.clearTimeout(timer);
    }
  });

  const told: CompletionsToParent[] = [];
  const leftWhenFlushed: number[] = [];
  const parent = setup({
    types: { events: {} as CompletionsToParent, children: {} as { completions: 'completions' } },
    actors: { completions: completionsMachine.provide({ actors: { post } }) },
  }).createMachine({
    invoke: { id: 'completions', src: 'completions', input },
    on: {
      '*': {
        actions: ({ event }) => {
          told.push(event);
          leftWhenFlushed.push(size(outbox()));
        },
      },
    },
  });
  const root = createActor(parent, { clock }).start();
  const actor = root.getSnapshot().children.completions;
  if (actor === undefined) throw new Error('The machine does not run.');
  const outbox = (): Outbox => actor.getSnapshot().context.outbox;
  const batchSize = () => actor.getSnapshot().context.batchSize;
  const emitted: CompletionsEmitted[] = [];
  actor.on('*', (event) => emitted.push(event));
  actor.subscribe(({ value }) => {
    if (value === 'gathering' || value === 'backing off') {
      roundEnded ??= { atMs: clock.now(), well: value === 'gathering' };
    }
  });

  const added: Completion[] = [];
  const play = async (steps: readonly Step[]) => {
    for (const step of steps) {
      if (step.is === 'time') await clock.advance(step.ms);
      else {
        for (let index = 0; index < step.count; index++) {
          const one = completion(step.requestIdx, step.status);
          added.push(one);
          actor.send({ type: 'requests.finished', completions: [one] });
        }
      }
    }
  };
  await play(schedule.steps);
  flushing = true;
  actor.send({ type: 'flush' });
  const heals = schedule.finally.is === 'accepted';
  const settle = () =>
    heals
      ? clock.until(() => actor.getSnapshot().matches('flushed'), 1e9)
      : clock.advance(20 * schedule.timeoutMs);
  await settle();
  await play(schedule.afterwards);
  await settle();

  const last = outbox();
  const life = [acknowledged.length, emitted.length, told.length];
  root.stop();
  for (const answer of late) answer();
  await turn();
  await clock.advance(10 * timeoutMs);
  if (String([acknowledged.length, emitted.length, told.length]) !== String(life)) {
    throw new Error('The machine lived on after it was stopped.');
  }
  return {
    added,
    acknowledged,
    refusedAlone,
    left: cutBatch(last, Number.POSITIVE_INFINITY).completions,
    dropped: last.dropped,
    emitted,
    told,
    mostAtOnce,
    largestBatch,
    gapsMs,
    leftWhenFlushed,
    timersLeft: clock.waiting,
  };
}

const TIMEOUT_MS = 5_000;

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ is: fc.constant('accepted' as const), afterMs: fc.nat(TIMEOUT_MS - 1) }),
  fc.record({ is: fc.constant('refused' as const), afterMs: fc.nat(TIMEOUT_MS - 1) }),
  fc.record({ is: fc.constant('late' as const), afterMs: fc.nat(20_000) }),
  fc.constant({ is: 'never' as const }),
);

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        is: fc.constant('ends' as const),
        requestIdx: fc.nat(3),
        status: fc.constantFrom<CompletionStatus>('Success', 'Error', 'Cancelled', 'Rejected'),
        count: fc.integer({ min: 1, max: 12 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ is: fc.constant('time' as const), ms: fc.nat(8_000) }) },
  ),
  { maxLength: 25 },
);

/** Any schedule of a machine whose autoscaler misbehaves, and then behaves as `end` says. */
export function completionsSchedules(end: Answer): fc.Arbitrary<CompletionsSchedule> {
  return fc.record({
    input: fc.record({
      addresses: fc
        .integer({ min: 1, max: 3 })
        .map((count) => ['http://a', 'http://b', 'http://c'].slice(0, count)),
      backOff: fc.record({ baseMs: fc.constant(500), capMs: fc.constantFrom(1, 700, 10_000) }),
      seed: fc.integer(),
      limit: fc.constantFrom(3, 20, 10_000),
      batchLimit: fc.constantFrom(1, 7, 1_000),
      gapMs: fc.constant(1_000),
    }),
    timeoutMs: fc.constant(TIMEOUT_MS),
    mostInPost: fc.constantFrom(0, 1, 3, 5, 1_000),
    unwanted: fc.option(fc.record({ requestIdx: fc.nat(3), forEver: fc.boolean() })),
    steps,
    answers: fc.array(answer, { maxLength: 25 }),
    finally: fc.constant(end),
    afterwards: steps,
  });
}
