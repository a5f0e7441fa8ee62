import type { Agent } from 'undici';
import { type Actor, createActor, fromPromise } from 'xstate';
import type { Ledger } from '../machines/ledger.js';
import { type LifecycleInput, lifecycleMachine, type Outcome } from '../machines/lifecycle.js';
import type { MetricsActor } from '../machines/metrics.js';
import { reporterMachine } from '../machines/reporter.js';
import type { Backend } from './backend/index.js';
import { Bus } from './bus.js';
import type { Config } from './config/index.js';
import { dialects } from './dialects/index.js';
import { messageOf } from './errors.js';
import { BackendHost } from './host.js';
import { createApp } from './http/app.js';
import { createExchange } from './http/exchange.js';
import { Front } from './http/front.js';
import { Gate } from './http/gate.js';
import { createInternalApp } from './http/internal.js';
import type { Ports } from './http/ports.js';
import { Refusals } from './http/refusals.js';
import type { Log } from './log.js';
import { narrate, tellWhatIsLeft } from './narrator.js';
import { createReportAgent } from './report/post.js';
import { createSend } from './report/send.js';
import { admissionOf, viewOf, type WorkerView } from './view.js';

export interface WorkerOptions {
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now?: () => number;
  /** When the first reporting interval begins, in ms of `now`; by default when the worker is made. */
  readonly startedAtMs?: number;
}

const SERVE_UNREPORTED_AFTER_MS = 2_000;
const REPORT_CONNECT_TIMEOUT_MS = 2_000;
const REPORT_BACK_OFF_BASE_MS = 500;

/**
 * One worker: the composition root, where the machines meet the effects. Started, it listens, loads
 * its backend, serves it and reports; stopped, it drains.
 */
export class Worker {
  readonly bus: Bus;
  /** Resolves once everything is let go of; rejects when the worker's own machine broke. */
  readonly stopped: Promise<Outcome>;

  readonly #config: Config;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #agent: Agent;
  readonly #host: BackendHost;
  readonly #gate: Gate;
  readonly #refusals: Refusals;
  readonly #front: Front;
  readonly #lifecycle: Actor<typeof lifecycleMachine>;
  readonly #metrics: MetricsActor;
  #enteredAtMs: number;
  #stopCounting = () => {};
  /** Ends a worker that never began. */
  #abandon = () => {};
  #begun = false;

  constructor(backend: Backend, config: Config, options: WorkerOptions) {
    const { log, now = () => performance.now(), startedAtMs = now() } = options;
    this.#config = config;
    this.#log = log;
    this.#now = now;
    this.#enteredAtMs = startedAtMs;
    this.bus = new Bus((error, topic) => log.error(`a listener of ${topic} failed: ${messageOf(error)}`));
    this.#agent = createReportAgent(REPORT_CONNECT_TIMEOUT_MS);
    this.#host = new BackendHost(
      backend,
      {
        log,
        fail: (message) => this.#lifecycle.send({ type: 'backend.failed', message }),
        recovered: () => this.#lifecycle.send({ type: 'backend.recovered' }),
      },
      now,
    );
    this.#gate = new Gate(() => admissionOf(this.#lifecycle.getSnapshot()));
    this.#refusals = new Refusals(log);
    this.#front = new Front(config, {
      clients: this.#clientApp(),
      operator: createInternalApp(() => this.view()),
      onRefused: (error) => this.#refusals.error(error),
    });
    this.#lifecycle = createActor(this.#machine(), { input: this.#input(startedAtMs) });
    this.#metrics = childOf(this.#lifecycle, 'metrics');
    this.stopped = this.#untilStopped();
    narrate(this.bus, log, now);
  }

  /**
   * Listens, begins to load the backend, and begins to report.
   *
   * @throws when a port is taken, or the certificate can't be read; nothing is left behind then
   */
  async start(): Promise<Ports> {
    const ports = await this.#front.open();
    this.#begun = true;
    this.#lifecycle.on('state.entered', (event) => {
      this.#enteredAtMs = this.#now();
      if (event.state === 'draining') {
        this.#gate.drain();
        this.#front.closeIdleConnections();
      }
      this.bus.emit('lifecycle', event);
    });
    this.#stopCounting = this.bus.on('request', (event) => this.#metrics.send(event));
    childOf(this.#lifecycle, 'reporter').on('*', (event) => this.bus.emit('report', event));
    this.#lifecycle.start();
    return ports;
  }

  /** Drains and stops. Calling it again changes nothing. */
  stop(reason: string): Promise<Outcome> {
    if (!this.#begun) this.#abandon();
    else if (this.#lifecycle.getSnapshot().status === 'active') {
      this.#lifecycle.send({ type: 'stop.requested', reason });
    }
    return this.stopped;
  }

  /** What the worker is doing. */
  view(): WorkerView {
    return viewOf(this.#lifecycle.getSnapshot(), this.#ledger(), {
      id: this.#config.containerId,
      backend: this.#host.backend.name,
      requestsUnderWay: this.#gate.underWay,
      inStateMs: this.#now() - this.#enteredAtMs,
    });
  }

  #ledger(): Ledger {
    return this.#metrics.getSnapshot().context.ledger;
  }

  #clientApp() {
    const exchange = createExchange({
      gate: this.#gate,
      bodyLimitBytes: this.#config.bodyLimitBytes,
      now: this.#now,
      emit: (event) => this.bus.emit('request', event),
      state: () => this.#host.state,
      context: this.#host.context,
      onWorkloadProblem: ({ path }, problem) => this.#refusals.workload(path, problem),
    });
    return createApp({
      routes: this.#host.backend.routes,
      gate: this.#gate,
      exchange,
      onError: (error) => this.#refusals.error(error),
    });
  }

  #machine() {
    const send = createSend({
      dialect: this.#dialect(),
      id: this.#config.containerId ?? 0,
      mtoken: this.#config.masterToken,
      timeoutMs: this.#config.reportTimeoutMs,
      dispatcher: this.#agent,
      now: this.#now,
      ledger: () => this.#ledger(),
      onDiskMeasured: (usedGib) => this.#metrics.send({ type: 'disk.measured', usedGib }),
    });
    return lifecycleMachine.provide({
      actors: {
        load: fromPromise(({ signal }) => this.#host.load(signal)),
        finish: fromPromise(({ signal }) => this.#gate.idle(signal)),
        reporter: reporterMachine.provide({ actors: { send } }),
      },
    });
  }

  #input(startedAtMs: number): LifecycleInput {
    const config = this.#config;
    return {
      startedAtMs,
      serveUnreported: config.serveUnreported,
      serveUnreportedAfterMs: SERVE_UNREPORTED_AFTER_MS,
      drainTimeoutMs: config.drainTimeoutMs,
      reporter: {
        addresses: this.#host.backend.dialect === 'none' ? [] : config.reportAddresses,
        plan: this.#dialect().plan,
        intervalMs: config.reportIntervalMs,
        backOff: { baseMs: REPORT_BACK_OFF_BASE_MS, capMs: config.reportBackOffMs },
        seed: Math.floor(Math.random() * 2 ** 31),
      },
    };
  }

  /** A backend without a dialect has no address to speak it to. */
  #dialect() {
    const { dialect } = this.#host.backend;
    return dialects[dialect === 'none' ? 'legacy' : dialect];
  }

  #untilStopped(): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const subscription = this.#lifecycle.subscribe({
        next: (snapshot) => {
          if (!snapshot.hasTag('stopped')) return;
          subscription.unsubscribe();
          const { outcome } = snapshot.context;
          this.#letGo(outcome).then(() => resolve(outcome), reject);
        },
        error: (error) => {
          this.#letGo('cut').then(() => reject(error), reject);
        },
      });
      this.#abandon = () => {
        subscription.unsubscribe();
        this.#letGo('clean').then(() => resolve('clean'), reject);
      };
    });
  }

  async #letGo(outcome: Outcome): Promise<void> {
    if (outcome !== 'clean') tellWhatIsLeft(this.view(), this.#log);
    this.#stopCounting();
    this.#lifecycle.stop();
    this.#gate.cut();
    this.#host.release();
    await this.#front.close();
    this.#refusals.flush();
    await this.#agent.destroy();
  }
}

/** The machine invokes its children when it is made, so they are there from the beginning. */
function childOf<Name extends 'metrics' | 'reporter'>(lifecycle: Actor<typeof lifecycleMachine>, name: Name) {
  const child = lifecycle.getSnapshot().children[name];
  if (child === undefined) throw new Error(`The lifecycle has no ${name}.`);
  return child;
}
