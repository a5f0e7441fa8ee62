import { onTestFinished } from 'vitest';
import { type Actor, type AnyEventObject, createActor, fromPromise, type InspectionEvent } from 'xstate';
import {
  type CompletionsAttempt,
  type CompletionsDelivery,
  type CompletionsInput,
  completionsMachine,
} from '../../../machines/completions.js';
import type { Exit } from '../../../machines/endings.js';
import { type HealthInput, healthMachine, type ProbeResult } from '../../../machines/health.js';
import { cut, holdsWork, type Ledger, type Window } from '../../../machines/ledger.js';
import type { LifecycleEmitted, LifecycleInput } from '../../../machines/life.js';
import { lifecycleMachine } from '../../../machines/lifecycle.js';
import type { MetricsEvent } from '../../../machines/metrics.js';
import { type FetchKeyInput, publicKeyMachine } from '../../../machines/public-key.js';
import { readinessMachine } from '../../../machines/readiness.js';
import { reloadMachine } from '../../../machines/reload.js';
import { type ReporterInput, reporterMachine } from '../../../machines/reporter.js';
import type { Attempt, Delivery } from '../../../machines/reports.js';
import type { Found, SignalInput, SupervisorInput } from '../../../machines/supervision.js';
import { supervisorMachine } from '../../../machines/supervisor.js';
import { legacy } from '../../../src/dialects/legacy/report.js';
import { SteppedClock, turn } from '../../../src/testing/clock.js';
import { Effect } from '../../../src/testing/effect.js';
import { COMPLETIONS_INPUT, completion } from './completions.js';
import { PUBLIC_KEY_INPUT } from './public-key.js';
import { NOTHING, READINESS_INPUT } from './readiness.js';
import { LOADED, NO_ANSWER, REPORTER_INPUT } from './reporter.js';

export const SERVE_UNREPORTED_AFTER_MS = 2_000;
export const DRAIN_TIMEOUT_MS = 30_000;
export const LAST_WORDS_MS = 5_000;
export const RESTART_AFTER_MS = 60_000;
export const HEALTH_INPUT: HealthInput = { intervalMs: 10_000, strikes: 3, stallTimeoutMs: 600_000 };

/** As often as it takes, and a second between. */
export const SUPERVISOR_INPUT: SupervisorInput = {
  backOff: { baseMs: 1_000, capMs: 60_000 },
  seed: 1,
  stableAfterMs: 600_000,
  maxCrashes: 3,
  graceMs: 10_000,
  killedWithinMs: 5_000,
};

/** A worker that is ready once its `init` has ended, and whose model is not watched. */
export const LIFECYCLE_INPUT: LifecycleInput = {
  startedAtMs: 0,
  serveUnreported: true,
  serveUnreportedAfterMs: SERVE_UNREPORTED_AFTER_MS,
  drainTimeoutMs: DRAIN_TIMEOUT_MS,
  lastWordsMs: LAST_WORDS_MS,
  reporter: REPORTER_INPUT,
  completions: COMPLETIONS_INPUT,
  publicKey: PUBLIC_KEY_INPUT,
  readiness: { ...READINESS_INPUT, waitsFor: NOTHING, maxPerf: LOADED.maxPerf },
  health: null,
  supervisor: null,
  restartAfterMs: RESTART_AFTER_MS,
};

type Parts = 'reporter' | 'completions' | 'readiness';

export interface LifecycleOptions extends Partial<Omit<LifecycleInput, Parts>> {
  readonly reporter?: Partial<ReporterInput>;
  readonly completions?: Partial<CompletionsInput>;
  readonly readiness?: Partial<LifecycleInput['readiness']>;
  /** The machine that makes the backend ready has a fault of its own. */
  readonly readinessBreaks?: boolean;
  readonly inspect?: (event: InspectionEvent) => void;
}

/** A running worker without its effects: the test loads the backend, finishes requests and answers reports. */
export interface RunningLifecycle {
  readonly actor: Actor<typeof lifecycleMachine>;
  readonly clock: SteppedClock;
  /** The author's own `init`, the only thing that a load waits for unless the test says otherwise. */
  readonly load: Effect<{ startedAtMs: number }>;
  readonly finish: Effect<void>;
  readonly cut: Effect<number>;
  readonly send: Effect<Delivery, Attempt>;
  readonly post: Effect<CompletionsDelivery, CompletionsAttempt>;
  readonly fetchKey: Effect<string, FetchKeyInput>;
  readonly probe: Effect<ProbeResult>;
  /** What the worker does with the model server, where it runs it. */
  readonly process: {
    readonly find: Effect<Found>;
    readonly run: Effect<Exit>;
    readonly signal: Effect<void, SignalInput>;
    readonly gone: Effect<void>;
  };
  readonly emitted: LifecycleEmitted[];
  /** What the lifecycle told its children. */
  readonly toReporter: AnyEventObject[];
  readonly toMetrics: AnyEventObject[];
  readonly toLoad: AnyEventObject[];
  readonly toCompletions: AnyEventObject[];
  readonly work: unknown;
  readonly report: 'quiet' | 'reporting';
  readonly watch: 'unwatched' | 'watched' | 'awaited';
  readonly server: unknown;
  /** The states of the work region, in the order in which they were entered. */
  readonly entered: readonly string[];
  ledger(): Ledger;
  loaded(loadTimeSeconds?: number): Promise<void>;
  finished(): Promise<void>;
  /** The ends of so many requests that were cut are told. */
  wasCut(requests: number): Promise<void>;
  answer(): Promise<void>;
  fail(): Promise<void>;
  /** The answer to the last post of finished requests. */
  posted(): Promise<void>;
  request(event: MetricsEvent): void;
  /** A request that ended and is to be told. */
  finishRequest(requestIdx: number): void;
  attempts(): string[];
}

export function startLifecycle({
  reporter,
  completions,
  readiness,
  inspect,
  readinessBreaks = false,
  ...input
}: LifecycleOptions = {}): RunningLifecycle {
  const clock = new SteppedClock();
  const load = new Effect<{ startedAtMs: number }>();
  const finish = new Effect<void>();
  const cutting = new Effect<number>();
  const post = new Effect<CompletionsDelivery, CompletionsAttempt>();
  const fetchKey = new Effect<string, FetchKeyInput>();
  const probe = new Effect<ProbeResult>();
  const process = {
    find: new Effect<Found>(),
    run: new Effect<Exit>(),
    signal: new Effect<void, SignalInput>(),
    gone: new Effect<void>(),
  };
  let loadTime = LOADED.loadTimeSeconds;
  // As the effect behind the reporter does, each attempt cuts its own window when it begins.
  const windows = new Map<Attempt, Window>();
  const send = new Effect<Delivery, Attempt>((attempt) => {
    windows.set(attempt, cut(ledger(), legacy.accounts(attempt.kind, attempt.status), clock.now()));
  });
  const told = {
    reporter: [] as AnyEventObject[],
    metrics: [] as AnyEventObject[],
    load: [] as AnyEventObject[],
    completions: [] as AnyEventObject[],
  };
  const ready = readinessMachine.provide({
    actors: { init: load.logic, loadTime: fromPromise(async () => loadTime) },
  });
  const machine = lifecycleMachine.provide({
    actors: {
      load: readinessBreaks ? ready.provide({ actions: { 'wait for': breaks } }) : ready,
      finish: finish.logic,
      cut: cutting.logic,
      reporter: reporterMachine.provide({ actors: { send: send.logic } }),
      completions: completionsMachine.provide({ actors: { post: post.logic } }),
      publicKey: publicKeyMachine.provide({ actors: { fetchKey: fetchKey.logic } }),
      health: healthMachine.provide({ actors: { probe: probe.logic } }),
      reload: reloadMachine.provide({ actors: { probe: probe.logic } }),
      supervisor: supervisorMachine.provide({
        actors: {
          find: process.find.logic,
          run: process.run.logic,
          signal: process.signal.logic,
          gone: process.gone.logic,
        },
      }),
    },
  });
  const actor = createActor(machine, {
    clock,
    input: {
      ...LIFECYCLE_INPUT,
      reporter: { ...REPORTER_INPUT, ...reporter },
      completions: { ...COMPLETIONS_INPUT, ...completions },
      readiness: { ...LIFECYCLE_INPUT.readiness, ...readiness },
      ...input,
    },
    inspect: (inspected) => {
      inspect?.(inspected);
      if (inspected.type !== '@xstate.event' || inspected.event.type.startsWith('xstate.')) return;
      if (inspected.sourceRef !== actor) return;
      const { children } = actor.getSnapshot();
      for (const name of ['reporter', 'metrics', 'load', 'completions'] as const) {
        if (inspected.actorRef === children[name]) told[name].push(inspected.event);
      }
    },
  });
  const emitted: LifecycleEmitted[] = [];
  actor.on('*', (event) => emitted.push(event));
  actor.start();
  onTestFinished(() => {
    actor.stop();
    if (clock.waiting > 0) throw new Error(`${clock.waiting} timers outlive the worker.`);
  });

  const child = <Name extends 'metrics' | 'completions'>(name: Name) => {
    const ref = actor.getSnapshot().children[name];
    if (ref === undefined) throw new Error(`The ${name} actor does not run.`);
    return ref;
  };
  const ledger = () => child('metrics').getSnapshot().context.ledger;
  /** As the worker does when nothing is under way any more. */
  const tellWork = () => {
    if (!holdsWork(ledger(), legacy.accounts('work', LOADED))) return;
    actor.getSnapshot().children.reporter?.send({ type: 'work.due' });
  };
  return {
    actor,
    clock,
    load,
    finish,
    cut: cutting,
    send,
    post,
    fetchKey,
    probe,
    process,
    emitted,
    toReporter: told.reporter,
    toMetrics: told.metrics,
    toLoad: told.load,
    toCompletions: told.completions,
    get work() {
      return actor.getSnapshot().value.work;
    },
    get report() {
      return actor.getSnapshot().value.report;
    },
    get watch() {
      return actor.getSnapshot().value.watch;
    },
    get server() {
      return actor.getSnapshot().value.server;
    },
    get entered() {
      return emitted.map(({ state }) => state);
    },
    ledger,
    loaded(loadTimeSeconds = LOADED.loadTimeSeconds) {
      loadTime = loadTimeSeconds;
      load.last.resolve({ startedAtMs: 0 });
      return turn();
    },
    finished() {
      tellWork();
      finish.last.resolve();
      return turn();
    },
    wasCut(requests) {
      tellWork();
      cutting.last.resolve(requests);
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
    posted() {
      post.last.resolve({ tookMs: 0 });
      return turn();
    },
    request: (event) => child('metrics').send(event),
    finishRequest: (requestIdx) =>
      child('completions').send({ type: 'requests.finished', completions: [completion(requestIdx)] }),
    attempts: () =>
      send.calls.map(({ input: { kind, status, address } }) => `${kind} ${status.phase} ${address}`),
  };
}

function breaks(): never {
  throw new Error('the machine has a fault');
}
