import fc from 'fast-check';
import { createActor, fromPromise } from 'xstate';
import type { RequestOutcome } from '../../../machines/events.js';
import { ACCOUNTS, cut, type Ledger, type Window } from '../../../machines/ledger.js';
import { lifecycleMachine, type Outcome } from '../../../machines/lifecycle.js';
import { reporterMachine } from '../../../machines/reporter.js';
import type { Attempt, Delivery, ReporterEmitted } from '../../../machines/reports.js';
import type { Dialect } from '../../../src/dialects/dialect.js';
import { legacy } from '../../../src/dialects/legacy/report.js';
import { SteppedClock, turn } from './clock.js';

/** A dialect in which each message tells everything. */
export const everything: Dialect = {
  plan: {
    covers: { state: ['state', 'work'], work: ['state', 'work'] },
    onEnter: { loading: [], loaded: ['state'], failing: ['state'] },
    heartbeat: { loading: ['state'], loaded: ['work'], failing: ['work'] },
  },
  accounts: () => ACCOUNTS,
  encode: legacy.encode,
};

/** What becomes of one attempt. An answer that is late reached the autoscaler, but nobody waits for it any more. */
export type Answer =
  | { is: 'accepted'; afterMs: number }
  | { is: 'refused'; afterMs: number }
  | { is: 'late'; afterMs: number }
  | { is: 'never' };

export type Happening =
  | { is: 'request'; workload: number; tookMs: number; outcome: RequestOutcome }
  | { is: 'failure'; message: string }
  | { is: 'recovery' }
  | { is: 'load' }
  | { is: 'time'; ms: number };

export interface Schedule {
  readonly addresses: readonly string[];
  readonly dialect: Dialect;
  readonly serveUnreported: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly capMs: number;
  readonly seed: number;
  /** What becomes of the attempts, in order. */
  readonly answers: readonly Answer[];
  /** What becomes of all attempts after those: the autoscaler has healed, or never does. */
  readonly finally: Answer;
  readonly happenings: readonly Happening[];
  readonly drainTimeoutMs: number;
}

/** What was seen of the worker over its whole life. */
export interface Life {
  readonly outcome: Outcome;
  readonly requests: number;
  readonly units: number;
  readonly ledger: Ledger;
  /** The ledger after the answers came for which nobody waited any more. */
  readonly ledgerAfterwards: Ledger;
  readonly delivered: readonly { attempt: Attempt; window: Window; name: string }[];
  readonly reports: readonly ReporterEmitted[];
  readonly mostAtOnce: number;
  /** The time from each failed round to the next attempt. */
  readonly backOffsMs: readonly number[];
  readonly longestPlannedMs: number;
  readonly timersLeft: number;
}

/** The real machines through a schedule, to the end of a drain, on simulated time. */
export async function live(schedule: Schedule): Promise<Life> {
  const { dialect, timeoutMs } = schedule;
  const clock = new SteppedClock();
  const answers = [...schedule.answers];
  const late: (() => void)[] = [];
  let [underWay, mostAtOnce] = [0, 0];

  /** As the real effect does: the window is cut when the attempt begins, and belongs to it alone. */
  const send = fromPromise<Delivery, Attempt>(async ({ input: { kind, status }, signal }) => {
    underWay += 1;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    const accounts = dialect.accounts(kind, status);
    if (accounts.includes('diskGib')) {
      await Promise.resolve();
      metrics().send({ type: 'disk.measured', usedGib: 100 + (clock.now() % 7) });
    }
    const window = cut(ledger(), accounts, clock.now());
    const { name, body } = dialect.encode(kind, { id: 1, mtoken: '', status, window });
    const delivery = { window, name, shown: body, tookMs: 0 };
    const timers: number[] = [];
    try {
      return await new Promise<Delivery>((resolve, reject) => {
        const answer = answers.shift() ?? schedule.finally;
        const after = (ms: number, act: () => void) => timers.push(clock.setTimeout(act, ms));
        after(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
        if (answer.is === 'accepted') after(answer.afterMs, () => resolve(delivery));
        if (answer.is === 'refused') after(answer.afterMs, () => reject(new Error('refused')));
        if (answer.is === 'late') clock.setTimeout(() => resolve(delivery), timeoutMs + answer.afterMs);
        late.push(() => resolve(delivery));
        signal.addEventListener('abort', () => {
          for (const timer of timers) clock.clearTimeout(timer);
        });
      });
    } finally {
      underWay -= 1;
      for (const timer of timers) clock.clearTimeout(timer);
    }
  });

  let inFlight = 0;
  const idle: (() => void)[] = [];
  const loads: (() => void)[] = [];
  const actor = createActor(
    lifecycleMachine.provide({
      actors: {
        load: fromPromise(
          () =>
            new Promise((resolve) => {
              loads.push(() => resolve({ loadTimeSeconds: 1, maxPerf: 0.5 }));
            }),
        ),
        finish: fromPromise(
          () =>
            new Promise<void>((resolve) => {
              if (inFlight === 0) resolve();
              else idle.push(resolve);
            }),
        ),
        reporter: reporterMachine.provide({ actors: { send } }),
      },
    }),
    {
      clock,
      input: {
        startedAtMs: 0,
        serveUnreported: schedule.serveUnreported,
        serveUnreportedAfterMs: 2_000,
        drainTimeoutMs: schedule.drainTimeoutMs,
        reporter: {
          addresses: schedule.addresses,
          plan: dialect.plan,
          intervalMs: schedule.intervalMs,
          backOff: { baseMs: 500, capMs: schedule.capMs },
          seed: schedule.seed,
        },
      },
    },
  ).start();
  const child = <Name extends 'metrics' | 'reporter'>(name: Name) => {
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

  let [requests, units] = [0, 0];
  const request = (workload: number, tookMs: number, outcome: RequestOutcome) => {
    const id = ++requests;
    units += workload;
    inFlight += 1;
    metrics().send({ type: 'request.started', id, workload, atMs: clock.now() });
    clock.setTimeout(() => {
      inFlight -= 1;
      metrics().send({ type: `request.${outcome}`, id, workload, atMs: clock.now() });
      if (inFlight === 0) for (const resolve of idle.splice(0)) resolve();
    }, tookMs);
  };
  const load = () => {
    for (const resolve of loads.splice(0)) resolve();
  };

  for (const happening of schedule.happenings) {
    if (happening.is === 'request') request(happening.workload, happening.tookMs, happening.outcome);
    if (happening.is === 'failure') actor.send({ type: 'backend.failed', message: happening.message });
    if (happening.is === 'recovery') actor.send({ type: 'backend.recovered' });
    if (happening.is === 'load') load();
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

  const left = metrics();
  actor.stop();
  for (const answer of late) answer();
  await clock.advance(10 * timeoutMs);
  if (reports.length > heard) throw new Error('The reporter spoke after it was stopped.');

  return {
    outcome,
    requests,
    units,
    ledger: before,
    ledgerAfterwards: left.getSnapshot().context.ledger,
    delivered: reports.flatMap((event) =>
      event.type === 'report.delivered'
        ? [{ attempt: event.attempt, window: event.delivery.window, name: event.delivery.name }]
        : [],
    ),
    reports,
    mostAtOnce,
    backOffsMs,
    longestPlannedMs,
    timersLeft: clock.waiting,
  };
}

const TIMEOUT_MS = 5_000;

const answer: fc.Arbitrary<Answer> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ is: fc.constant('accepted' as const), afterMs: fc.nat(TIMEOUT_MS - 1) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ is: fc.constant('refused' as const), afterMs: fc.nat(TIMEOUT_MS - 1) }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('late' as const), afterMs: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.constant({ is: 'never' as const }) },
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constant('request' as const),
      workload: fc.nat(50),
      tookMs: fc.nat(8_000),
      outcome: fc.constantFrom<RequestOutcome>('succeeded', 'errored', 'cancelled'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('failure' as const),
      message: fc.constantFrom('', 'out of memory', 'CUDA error'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ is: 'recovery' as const }) },
  { weight: 1, arbitrary: fc.constant({ is: 'load' as const }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('time' as const), ms: fc.nat(12_000) }) },
);

/** Any schedule of a worker whose autoscaler misbehaves, and then behaves as `finally` says. */
export function schedules(end: Pick<Schedule, 'finally' | 'drainTimeoutMs'>): fc.Arbitrary<Schedule> {
  return fc.record({
    addresses: fc
      .integer({ min: 1, max: 3 })
      .map((count) => ['http://a', 'http://b', 'http://c'].slice(0, count)),
    dialect: fc.constantFrom(legacy, everything),
    serveUnreported: fc.boolean(),
    intervalMs: fc.constantFrom(500, 1_000, 10_000),
    timeoutMs: fc.constant(TIMEOUT_MS),
    capMs: fc.constantFrom(1, 700, 10_000),
    seed: fc.integer(),
    answers: fc.array(answer, { maxLength: 25 }),
    happenings: fc.array(happening, { maxLength: 30 }),
    finally: fc.constant(end.finally),
    drainTimeoutMs: fc.constant(end.drainTimeoutMs),
  });
}
