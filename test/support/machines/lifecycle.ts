import { onTestFinished } from 'vitest';
import { type Actor, createActor, type InspectionEvent } from 'xstate';
import { cut, type Ledger, type Window } from '../../../machines/ledger.js';
import {
  type LifecycleEmitted,
  type LifecycleInput,
  type LoadOutput,
  lifecycleMachine,
} from '../../../machines/lifecycle.js';
import type { MetricsEvent } from '../../../machines/metrics.js';
import { type ReporterEvent, type ReporterInput, reporterMachine } from '../../../machines/reporter.js';
import type { Attempt, Delivery } from '../../../machines/reports.js';
import { legacy } from '../../../src/dialects/legacy/report.js';
import { SteppedClock, turn } from './clock.js';
import { Effect } from './effect.js';
import { NO_ANSWER, REPORTER_INPUT } from './reporter.js';

export const LOAD: LoadOutput = { loadTimeSeconds: 2, maxPerf: 5 };

export const SERVE_UNREPORTED_AFTER_MS = 2_000;
export const DRAIN_TIMEOUT_MS = 30_000;

export type LifecycleOptions = Partial<Omit<LifecycleInput, 'reporter'>> & {
  readonly reporter?: Partial<ReporterInput>;
  readonly inspect?: (event: InspectionEvent) => void;
};

/** A running worker without its effects: the test loads the backend, finishes requests and answers reports. */
export interface RunningLifecycle {
  readonly actor: Actor<typeof lifecycleMachine>;
  readonly clock: SteppedClock;
  readonly load: Effect<LoadOutput>;
  readonly finish: Effect<void>;
  readonly send: Effect<Delivery, Attempt>;
  readonly emitted: LifecycleEmitted[];
  /** What the lifecycle told its children. */
  readonly toReporter: ReporterEvent[];
  readonly toMetrics: MetricsEvent[];
  readonly work: unknown;
  readonly report: 'quiet' | 'reporting';
  /** The states of the work region, in the order in which they were entered. */
  readonly entered: readonly string[];
  ledger(): Ledger;
  loaded(output?: LoadOutput): Promise<void>;
  finished(): Promise<void>;
  answer(): Promise<void>;
  fail(): Promise<void>;
  request(event: MetricsEvent): void;
  attempts(): string[];
}

export function startLifecycle({ reporter, inspect, ...input }: LifecycleOptions = {}): RunningLifecycle {
  const clock = new SteppedClock();
  const load = new Effect<LoadOutput>();
  const finish = new Effect<void>();
  // As the effect behind the reporter does, each attempt cuts its own window when it begins.
  const windows = new Map<Attempt, Window>();
  const send = new Effect<Delivery, Attempt>((attempt) => {
    windows.set(attempt, cut(ledger(), legacy.accounts(attempt.kind, attempt.status), clock.now()));
  });
  const toReporter: ReporterEvent[] = [];
  const toMetrics: MetricsEvent[] = [];
  const machine = lifecycleMachine.provide({
    actors: {
      load: load.logic,
      finish: finish.logic,
      reporter: reporterMachine.provide({ actors: { send: send.logic } }),
    },
  });
  const actor = createActor(machine, {
    clock,
    input: {
      startedAtMs: 0,
      serveUnreported: true,
      serveUnreportedAfterMs: SERVE_UNREPORTED_AFTER_MS,
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
      reporter: { ...REPORTER_INPUT, ...reporter },
      ...input,
    },
    inspect: (inspected) => {
      inspect?.(inspected);
      if (inspected.type !== '@xstate.event' || inspected.event.type.startsWith('xstate.')) return;
      const { children } = actor.getSnapshot();
      if (inspected.sourceRef !== actor) return;
      if (inspected.actorRef === children.reporter) toReporter.push(inspected.event as ReporterEvent);
      if (inspected.actorRef === children.metrics) toMetrics.push(inspected.event as MetricsEvent);
    },
  });
  const emitted: LifecycleEmitted[] = [];
  actor.on('*', (event) => emitted.push(event));
  actor.start();
  onTestFinished(() => {
    actor.stop();
    if (clock.waiting > 0) throw new Error(`${clock.waiting} timers outlive the worker.`);
  });

  const metrics = () => {
    const ref = actor.getSnapshot().children.metrics;
    if (ref === undefined) throw new Error('The metrics actor does not run.');
    return ref;
  };
  const ledger = () => metrics().getSnapshot().context.ledger;
  return {
    actor,
    clock,
    load,
    finish,
    send,
    emitted,
    toReporter,
    toMetrics,
    get work() {
      return actor.getSnapshot().value.work;
    },
    get report() {
      return actor.getSnapshot().value.report;
    },
    get entered() {
      return emitted.map(({ state }) => state);
    },
    ledger,
    loaded(output = LOAD) {
      load.last.resolve(output);
      return turn();
    },
    finished() {
      finish.last.resolve();
      return turn();
    },
    answer() {
      const window = windows.get(send.last.input);
      if (window === undefined) throw new Error('No attempt is under way.');
      send.last.resolve({ window, name: send.last.input.kind, shown: {}, tookMs: 0 });
      return turn();
    },
    fail() {
      send.last.reject(NO_ANSWER);
      return turn();
    },
    request: (event) => metrics().send(event),
    attempts: () =>
      send.calls.map(({ input: { kind, status, address } }) => `${kind} ${status.phase} ${address}`),
  };
}
