import { createActor, fromPromise } from 'xstate';
import {
  type CompletionsAttempt,
  type CompletionsDelivery,
  completionsMachine,
} from '../../../machines/completions.js';
import type { EndFacts, RequestEvent, RequestKind, RequestOutcome } from '../../../machines/events.js';
import { cut, holdsWork, type Ledger, type Window } from '../../../machines/ledger.js';
import type { Outcome } from '../../../machines/life.js';
import { lifecycleMachine } from '../../../machines/lifecycle.js';
import { type Completion, size } from '../../../machines/outbox.js';
import { readinessMachine } from '../../../machines/readiness.js';
import { reporterMachine } from '../../../machines/reporter.js';
import type { Attempt, Delivery, ReporterEmitted } from '../../../machines/reports.js';
import { completionOf } from '../../../src/completion.js';
import { type Dialect, NOTHING_OBSERVED } from '../../../src/dialects/dialect.js';
import { SteppedClock, turn } from '../../../src/testing/clock.js';
import { UNTOUCHED } from '../../../src/testing/request-events.js';
import { type Answer, Attempts } from './attempts.js';
import { Books, type Tally } from './books.js';
import { COMPLETIONS_INPUT } from './completions.js';
import { LIFECYCLE_INPUT } from './lifecycle.js';
import { LOADED } from './reporter.js';

export type { Answer } from './attempts.js';

export type Happening =
  | {
      is: 'request';
      kind: RequestKind;
      requestIdx: number | null;
      workload: number;
      tookMs: number;
      outcome: RequestOutcome;
    }
  | { is: 'rejection'; kind: RequestKind; requestIdx: number | null; workload: number }
  | { is: 'failure'; message: string }
  | { is: 'recovery' }
  | { is: 'load' }
  | { is: 'capacity' }
  | { is: 'time'; ms: number };

export interface Schedule {
  readonly addresses: readonly string[];
  readonly dialect: Dialect;
  readonly serveUnreported: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly capMs: number;
  readonly seed: number;
  /** How many finished requests wait at most. */
  readonly outboxLimit: number;
  /** What becomes of the attempts to report, in order. */
  readonly answers: readonly Answer[];
  /** What becomes of the attempts to tell which requests have finished, in order. */
  readonly postAnswers: readonly Answer[];
  /** What becomes of all attempts after those: the autoscaler has healed, or never does. */
  readonly finally: Answer;
  readonly happenings: readonly Happening[];
  readonly drainTimeoutMs: number;
}

/** A report that was acknowledged, and how the work stood when its window was cut. */
export interface Delivered {
  readonly attempt: Attempt;
  readonly window: Window;
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly tally: Tally;
}

/** What was seen of the worker over its whole life. */
export interface Life {
  readonly outcome: Outcome;
  readonly tally: Tally;
  /** In tokens, as it was at the end; 0: there was none. */
  readonly maxBatchTokens: number;
  readonly ledger: Ledger;
  /** The ledger after the answers came for which nobody waited any more. */
  readonly ledgerAfterwards: Ledger;
  readonly delivered: readonly Delivered[];
  readonly reports: readonly ReporterEmitted[];
  readonly mostAtOnce: number;
  /** The time from each failed round to the next attempt. */
  readonly backOffsMs: readonly number[];
  readonly longestPlannedMs: number;
  readonly finished: {
    /** What was to be told. */
    readonly all: readonly Completion[];
    /** What was in batches that reached the autoscaler, whether the worker heard its answer or not. */
    readonly arrived: readonly Completion[];
    readonly acknowledged: readonly Completion[];
    readonly untold: number;
    readonly dropped: number;
    /** An answer to one of the batches was not heard. */
    readonly answerLost: boolean;
  };
  readonly timersLeft: number;
}

/** The real machines through a schedule, to the end of a drain, on simulated time. */
export async function live(schedule: Schedule): Promise<Life> {
  const { dialect, timeoutMs } = schedule;
  const clock = new SteppedClock();
  const books = new Books();
  const reporting = new Attempts({ ...schedule, clock });
  const posting = new Attempts({ ...schedule, answers: schedule.postAnswers, clock });
  const tallies = new Map<Window, Tally>();
  const arrived: Completion[] = [];
  const acknowledged: Completion[] = [];
  let { capacity } = NOTHING_OBSERVED;

  /** As the real effect does: the window is cut when the attempt begins, and belongs to it alone. */
  const send = fromPromise<Delivery, Attempt>(async ({ input: { kind, status }, signal }) => {
    reporting.count(1);
    try {
      const accounts = dialect.accounts(kind, status);
      if (accounts.includes('diskGib')) {
        await Promise.resolve();
        metrics().send({ type: 'disk.measured', usedGib: 100 + (clock.now() % 7) });
      }
      const window = cut(ledger(), accounts, clock.now());
      const tally = books.tally();
      tallies.set(window, tally);
      const facts = { id: 1, mtoken: '', url: '', status, window, present: tally.present };
      const { name, body } = dialect.encode(kind, { ...facts, observed: { ...NOTHING_OBSERVED, capacity } });
      return await reporting.end({ window, name, shown: body, tookMs: 0 }, signal);
    } finally {
      reporting.count(-1);
    }
  });
  const post = fromPromise<CompletionsDelivery, CompletionsAttempt>(async ({ input: { batch }, signal }) => {
    posting.count(1);
    try {
      const delivery = await posting.end({ tookMs: 0 }, signal, () => arrived.push(...batch.completions));
      if (!signal.aborted) acknowledged.push(...batch.completions);
      return delivery;
    } finally {
      posting.count(-1);
    }
  });

  /** As the worker does when nothing is under way any more. */
  const tellWork = () => {
    if (holdsWork(ledger(), dialect.accounts('work', LOADED))) child('reporter').send({ type: 'work.due' });
  };
  const idle: (() => void)[] = [];
  const loads: (() => void)[] = [];
  const init = fromPromise<{ startedAtMs: number }, undefined>(
    () =>
      new Promise<{ startedAtMs: number }>((resolve) => {
        loads.push(() => resolve({ startedAtMs: 0 }));
      }),
  );
  const actor = createActor(
    lifecycleMachine.provide({
      actors: {
        load: readinessMachine.provide({ actors: { init, loadTime: fromPromise(async () => 1) } }),
        finish: fromPromise(async () => {
          if (books.inFlight > 0) await new Promise<void>((resolve) => void idle.push(resolve));
          tellWork();
        }),
        cut: fromPromise(async () => {
          tellWork();
          return books.inFlight;
        }),
        reporter: reporterMachine.provide({ actors: { send } }),
        completions: completionsMachine.provide({ actors: { post } }),
      },
    }),
    { clock, input: inputOf(schedule) },
  ).start();
  const child = <Name extends 'metrics' | 'reporter' | 'completions'>(name: Name) => {
    const ref = actor.getSnapshot().children[name];
    if (ref === undefined) throw new Error(`The ${name} actor does not run.`);
    return ref;
  };
  const metrics = () => child('metrics');
  const ledger = () => metrics().getSnapshot().context.ledger;

  const reports: ReporterEmitted[] = [];
  const backOffsMs: number[] = [];
  let longestPlannedMs = 0;
  let failedAtMs: number | undefined;
  child('reporter').on('*', (event) => reports.push(event));
  child('reporter').subscribe(({ value, context }) => {
    if (value === 'backing off') failedAtMs ??= clock.now();
    else if (failedAtMs !== undefined) {
      backOffsMs.push(clock.now() - failedAtMs);
      failedAtMs = undefined;
    }
    longestPlannedMs = Math.max(longestPlannedMs, context.backOffMs);
  });

  const all: Completion[] = [];
  /** As the worker does with each event on its bus. */
  const emit = (event: RequestEvent) => {
    books.note(event);
    metrics().send(event);
    const completion = dialect.tellsRequests ? completionOf(event, (atMs) => atMs / 1000) : undefined;
    if (completion === undefined) return;
    all.push(completion);
    child('completions').send({ type: 'requests.finished', completions: [completion] });
  };
  const load = () => {
    for (const resolve of loads.splice(0)) resolve();
  };

  let id = 0;
  const begin = ({ tookMs, outcome, is: _, ...facts }: Extract<Happening, { is: 'request' }>) => {
    const started = { ...facts, route: '/run', id: ++id, atMs: clock.now() };
    emit({ type: 'request.started', ...started });
    clock.setTimeout(() => {
      const workStartedAtMs = outcome === 'expired' ? null : started.atMs;
      const end: EndFacts = {
        ...started,
        ...UNTOUCHED,
        atMs: clock.now(),
        enteredAtMs: started.atMs,
        workStartedAtMs,
      };
      emit({ type: `request.${outcome}`, ...end });
      if (books.inFlight === 0) for (const resolve of idle.splice(0)) resolve();
    }, tookMs);
  };
  for (const happening of schedule.happenings) {
    if (happening.is === 'request') begin(happening);
    if (happening.is === 'rejection') {
      const { is: _, ...facts } = happening;
      emit({ type: 'request.rejected', ...facts, route: '/run', id: ++id, atMs: clock.now() });
    }
    if (happening.is === 'failure') actor.send({ type: 'backend.failed', message: happening.message });
    if (happening.is === 'recovery') actor.send({ type: 'backend.recovered' });
    if (happening.is === 'load') load();
    if (happening.is === 'capacity') {
      capacity = { ...capacity, maxBatchTokens: capacity.maxBatchTokens + 1 };
      child('reporter').send({ type: 'capacity.due' });
    }
    if (happening.is === 'time') await clock.advance(happening.ms);
  }
  // Whatever happened before, the worker has loaded when it is asked to stop.
  actor.send({ type: 'backend.recovered' });
  load();
  await turn();
  actor.send({ type: 'stop.requested', reason: 'the end of the schedule' });
  await clock.until(() => actor.getSnapshot().hasTag('stopped'), schedule.drainTimeoutMs);
  const before = ledger();
  const [{ outcome }, heard] = [actor.getSnapshot().context, reports.length];
  const { outbox } = child('completions').getSnapshot().context;

  const left = metrics();
  actor.stop();
  reporting.answerLate();
  posting.answerLate();
  await clock.advance(10 * timeoutMs);
  if (reports.length > heard) throw new Error('The reporter spoke after it was stopped.');

  return {
    outcome,
    tally: books.tally(),
    maxBatchTokens: capacity.maxBatchTokens,
    ledger: before,
    ledgerAfterwards: left.getSnapshot().context.ledger,
    delivered: reports.flatMap((event) => {
      if (event.type !== 'report.delivered') return [];
      const { attempt, delivery } = event;
      const { window, name, shown: body } = delivery;
      const tally = tallies.get(window);
      return tally === undefined ? [] : [{ attempt, window, name, body, tally }];
    }),
    reports,
    mostAtOnce: Math.max(reporting.mostAtOnce, posting.mostAtOnce),
    backOffsMs,
    longestPlannedMs,
    finished: {
      all,
      arrived,
      acknowledged,
      untold: size(outbox),
      dropped: outbox.dropped,
      answerLost: posting.answerLost,
    },
    timersLeft: clock.waiting,
  };
}

function inputOf({ dialect, addresses, intervalMs, capMs, seed, ...schedule }: Schedule) {
  const backOff = { baseMs: 500, capMs };
  return {
    ...LIFECYCLE_INPUT,
    serveUnreported: schedule.serveUnreported,
    drainTimeoutMs: schedule.drainTimeoutMs,
    reporter: { addresses, plan: dialect.plan, intervalMs, backOff, seed },
    completions: {
      ...COMPLETIONS_INPUT,
      addresses: dialect.tellsRequests ? addresses : [],
      limit: schedule.outboxLimit,
      backOff,
      seed,
    },
  };
}
