import { createActor, fromPromise } from 'xstate';
import { completionsMachine } from '../machines/completions.js';
import type { Outcome } from '../machines/life.js';
import { lifecycleMachine } from '../machines/lifecycle.js';
import { publicKeyMachine } from '../machines/public-key.js';
import type { ReadinessEvent } from '../machines/readiness-facts.js';
import { reporterMachine } from '../machines/reporter.js';
import { type Backend, configure } from './backend/index.js';
import { Bookkeeping } from './bookkeeping.js';
import { Bus } from './bus.js';
import { childOf, endModel, isModelDown, type Lifecycle, putOnBus, wantProbe } from './children.js';
import type { Config } from './config/index.js';
import { dialectOf } from './dialect-of.js';
import type { Dialect } from './dialects/dialect.js';
import { NOBODY } from './dialects/index.js';
import { messageOf } from './errors.js';
import { BackendHost } from './host.js';
import type { Ports } from './http/ports.js';
import { Service } from './http/service.js';
import { inspectorFor } from './inspect/for-worker.js';
import type { Inspector } from './inspect/inspector.js';
import { inspectorRoutes } from './inspect/routes.js';
import { type NextLife, nextLife } from './journal/next-life.js';
import { checkKey, KeyRing } from './key-ring.js';
import { lifecycleInput } from './lifecycle-input.js';
import type { Log } from './log.js';
import { Model } from './model/model.js';
import { mustBeSigned } from './must-be-signed.js';
import { narrate, tellCut, tellWhatIsLeft } from './narrator.js';
import { Observations } from './observations.js';
import { Operations } from './operations/operations.js';
import { publicUrl } from './public-url.js';
import { type Redact, redactedLog, redactorFor } from './redact.js';
import { type Channel, createChannel } from './report/channel.js';
import { untilStopped } from './until-stopped.js';
import { updatesOf } from './update.js';
import { admissionOf, viewOf, type WorkerView } from './view.js';
import { watcherReports } from './watcher-reports.js';
import type { WorkerOptions } from './worker-options.js';

/**
 * One worker: the composition root, where the machines meet the effects. Started, it listens, makes its
 * backend ready, serves it and reports; stopped, it drains.
 */
export class Worker {
  readonly bus: Bus;
  /** Resolves once everything is let go of; rejects when the worker's own machine broke. */
  readonly stopped: Promise<Outcome>;

  readonly #config: Config;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #redact: Redact;
  /** Null: the backend reports to nobody. */
  readonly #dialect: Dialect | null;
  readonly #host: BackendHost;
  readonly #model: Model;
  readonly #service: Service;
  readonly #channel: Channel;
  readonly #lifecycle: Lifecycle;
  readonly #books: Bookkeeping;
  readonly #operations: Operations;
  readonly #inspector: Inspector;
  readonly #observations = new Observations();
  #url = '';
  /** What a signed request may be addressed to; null: it is not known. */
  #urls: ReadonlySet<string> | null = null;
  #enteredAtMs: number;
  /** Ends a worker that never began. */
  readonly #abandon: () => void;
  #begun = false;

  constructor(given: Backend, config: Config, options: WorkerOptions) {
    const { now = () => performance.now(), startedAtMs = now(), journal = null, inspect, clock } = options;
    const backend = configure(given, config);
    const redact = redactorFor(config);
    const ownLog = redactedLog(options.log, redact);
    this.#inspector = inspectorFor({ backend, config, log: ownLog, now, redact, inspect });
    const { log } = this.#inspector;
    this.#config = config;
    this.#log = log;
    this.#now = now;
    this.#redact = redact;
    this.#enteredAtMs = startedAtMs;
    this.bus = new Bus((error, topic) => log.error(`a listener of ${topic} failed: ${messageOf(error)}`));
    this.#dialect = dialectOf(backend);
    this.#operations = new Operations({ bus: this.bus, backend, now, startedAtMs, view: () => this.view() });
    this.#host = new BackendHost(backend, {
      log,
      fail: (message) => this.#lifecycle.send({ type: 'backend.failed', message }),
      recovered: () => this.#lifecycle.send({ type: 'backend.recovered' }),
    });
    this.#model = this.#createModel(backend);
    this.#service = this.#createService(backend);
    this.#channel = createChannel({
      dialect: this.#dialect ?? NOBODY,
      config,
      now,
      checkKey,
      ledger: () => this.#books.ledger(),
      present: () => this.#service.presence(),
      observed: () => this.#observations.latest,
      url: () => this.#url,
      onDiskMeasured: (usedGib) => {
        if (this.#lifecycle.getSnapshot().status === 'active')
          childOf(this.#lifecycle, 'metrics').send({ type: 'disk.measured', usedGib });
      },
    });
    const life = nextLife(journal?.left ?? null, startedAtMs);
    this.#lifecycle = createActor(this.#machine(), {
      input: this.#input(startedAtMs, life),
      inspect: this.#inspector.inspect,
      ...(clock && { clock }),
    });
    this.#books = new Bookkeeping({
      bus: this.bus,
      lifecycle: this.#lifecycle,
      dialect: this.#dialect,
      now,
      log,
      life,
      journalPath: journal?.path ?? null,
    });
    const { stopped, abandon } = untilStopped(this.#lifecycle, (outcome) => this.#letGo(outcome));
    this.stopped = stopped;
    this.#abandon = abandon;
    narrate(this.bus, log, now);
  }

  /**
   * Listens, begins to make the backend ready, and begins to report.
   *
   * @throws when a port is taken, or the certificate can't be read; nothing is left behind then
   */
  async start(): Promise<Ports> {
    const ports = await this.#service.open();
    this.#url = publicUrl(this.#config, ports.port) ?? '';
    this.#urls = this.#url === '' ? null : new Set([this.#url, ...(this.#config.extraUrls ?? [])]);
    this.#begun = true;
    this.#inspector.begin({
      bus: this.bus,
      view: () => this.view(),
      rows: (most) => this.#service.rows(most),
    });
    this.#lifecycle.on('state.entered', (event) => {
      this.#enteredAtMs = this.#now();
      if (event.state === 'draining') {
        this.#service.drain();
        this.#books.tellNow();
      } else if (event.state !== 'stopped') this.#service.goOn();
      this.bus.emit('lifecycle', event);
    });
    putOnBus(this.#lifecycle, this.bus);
    this.#lifecycle.start();
    this.#books.open();
    this.#model.watchLog();
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

  /** Whether it ends, or has ended, to be started again with new code. */
  get endsForUpdate(): boolean {
    return this.#lifecycle.getSnapshot().context.forUpdate;
  }

  /** What the worker is doing. */
  view(): WorkerView {
    return viewOf(this.#lifecycle.getSnapshot(), this.#books.ledger(), {
      id: this.#config.containerId,
      backend: this.#host.backend.name,
      url: this.#url,
      requestsUnderWay: this.#service.underWay,
      requestsQueued: this.#service.queued,
      sessions: this.#service.sessions,
      pendingWorkload: this.#service.presence().load,
      inStateMs: this.#now() - this.#enteredAtMs,
      redact: this.#redact,
      accounts: this.#books.accounts,
    });
  }

  /** Resolves when nothing is under way and what was is to be told. */
  async #untilFinished(signal: AbortSignal): Promise<void> {
    await this.#service.idle(signal);
    this.#books.tellNow();
  }

  /** Cuts what is under way while everybody still listens, so that its end is told like any other. */
  async #cut(signal: AbortSignal): Promise<number> {
    const requests = await this.#service.cut(signal);
    this.#books.tellNow();
    tellCut(requests, this.#log);
    return requests;
  }

  #createModel(backend: Backend): Model {
    return new Model({
      backend,
      config: this.#config,
      log: this.#log,
      now: this.#now,
      init: (signal) => this.#host.init(signal),
      answerHere: (route, body, signal) => this.#host.answer(route, body, signal),
      tell: (what) => this.#tellLoad(what),
      env: process.env,
      redact: this.#redact,
      isDown: () => isModelDown(this.#lifecycle),
      onLine: this.#inspector.hearLine,
      onRefused: () => wantProbe(this.#lifecycle),
    });
  }

  #createService(backend: Backend): Service {
    const config = this.#config;
    return new Service({
      backend,
      config,
      dialect: this.#dialect,
      log: this.#log,
      now: this.#now,
      admission: () => admissionOf(this.#lifecycle.getSnapshot(), this.#redact),
      emit: (event) => this.bus.emit('request', event),
      keys: new KeyRing(() => childOf(this.#lifecycle, 'publicKey')),
      urls: () => this.#urls,
      upstream: this.#model.upstream,
      publicUpstream: this.#model.publicUpstream,
      maxPerf: () => this.#lifecycle.getSnapshot().context.status.maxPerf,
      state: () => this.#host.state,
      context: this.#host.context,
      operator: this.#operations,
      inspector: inspectorRoutes(this.#inspector, { isGuarded: config.internalToken !== '' }),
      watcher: watcherReports({
        lifecycle: () => this.#lifecycle,
        tell: (what) => this.#tellLoad(what),
        observations: this.#observations,
      }),
      updates: updatesOf(() => this.#lifecycle, config.updateFile, this.#log),
    });
  }

  /** The log is read to its end when the worker has stopped already, and then nobody listens. */
  #tellLoad(what: ReadinessEvent): void {
    if (this.#lifecycle.getSnapshot().status === 'active') this.#lifecycle.send({ type: 'model.told', what });
  }

  #machine() {
    const { send, post, fetchKey } = this.#channel;
    return lifecycleMachine.provide({
      actors: {
        ...this.#model.machines(),
        finish: fromPromise(({ signal }) => this.#untilFinished(signal)),
        cut: fromPromise(({ signal }) => this.#cut(signal)),
        reporter: reporterMachine.provide({ actors: { send } }),
        completions: completionsMachine.provide({ actors: { post } }),
        publicKey: publicKeyMachine.provide({ actors: { fetchKey } }),
      },
    });
  }

  #input(startedAtMs: number, { ledger }: NextLife) {
    const needsKey = mustBeSigned(this.#dialect, this.#config);
    return lifecycleInput({
      config: this.#config,
      dialect: this.#dialect,
      startedAtMs,
      ledger,
      needsKey,
      ...this.#model.lifecycleFacts(needsKey),
      seed: Math.floor(Math.random() * 2 ** 31),
    });
  }

  async #letGo(outcome: Outcome): Promise<void> {
    this.#books.flush();
    if (outcome !== 'clean') tellWhatIsLeft(this.view(), this.#log);
    this.#books.stop();
    this.#operations.stop();
    this.#inspector.endReaders();
    this.#host.release();
    // Before the model is ended: it is told of the sessions that have ended.
    await this.#service.close();
    if (this.#begun) await endModel(this.#lifecycle, this.#log);
    await this.#books.close();
    this.#lifecycle.stop();
    await this.#model.close();
    await this.#channel.close();
    await this.#inspector.close();
  }
}
