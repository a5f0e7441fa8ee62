import type { Server } from 'node:http';
import { EventEmitter } from 'eventemitter3';
import { reachable } from '../net/address.js';
import { close, createHttpServer, listen } from '../net/server.js';
import { createApp } from './app.js';
import { type Clock, createClock } from './clock.js';
import type { FaultFunction } from './faults.js';
import { Intake, type RefusedMessage, type StateChange } from './intake.js';
import { SigningKeys } from './keys.js';
import { ListenError } from './listen-error.js';
import type { MessageRecord } from './messages.js';
import { viewWorkers, type WorkerView } from './view.js';
import { waitForMessage } from './wait.js';

/** Against clients that open a connection and dawdle. */
const SLOW_CLIENTS = { headersTimeoutMs: 10_000, requestTimeoutMs: 30_000 };

export interface LocalAutoscalerOptions {
  /** Address to bind. Default `127.0.0.1`: there is no authentication, so keep it on loopback. */
  readonly host?: string;
  /** Default 8080. 0 takes a free port at the first start and keeps it for later ones. */
  readonly port?: number;
  /** How often the workers report, in milliseconds; three of them without a message is silence. Default 10 000. */
  readonly reportIntervalMs?: number;
  /** Asked for each report how to answer it, so that workers can be tested against failures. */
  readonly fault?: FaultFunction | undefined;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export interface LocalAutoscalerEvents {
  /** A message whose outcome is known (`acknowledged`), after it was counted. */
  message: [message: MessageRecord];
  /** A worker's state changed with a message. */
  state: [change: StateChange];
  /** A body that was no message was answered with 400. */
  refused: [refused: RefusedMessage];
  /** `stop()` is done. */
  stopped: [];
}

/**
 * An autoscaler on your own machine: it takes the workers' reports in both dialects, shows them on
 * a page, and fails on demand. It is for development and tests. It starts, stops and routes to
 * nothing; in production that is the work of the hosted autoscaler.
 *
 * @example
 * const autoscaler = new LocalAutoscaler({ port: 0 });
 * await autoscaler.start();
 * // start a worker with REPORT_ADDR set to autoscaler.url
 * await autoscaler.waitForMessage((message) => message.kind === 'loaded');
 * await autoscaler.stop();
 */
export class LocalAutoscaler extends EventEmitter<LocalAutoscalerEvents> {
  readonly #host: string;
  readonly #fault: FaultFunction | undefined;
  readonly #reportIntervalMs: number;
  readonly #clock: Clock;
  readonly #intake: Intake;
  readonly #keys = new SigningKeys();
  #port: number;
  #server: Server | undefined;
  /** Starts and stops run one after the other, in the order in which they were asked for. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: LocalAutoscalerOptions = {}) {
    super();
    this.#host = options.host ?? '127.0.0.1';
    this.#port = options.port ?? 8080;
    this.#reportIntervalMs = options.reportIntervalMs ?? 10_000;
    this.#fault = options.fault;
    this.#clock = createClock(options.now);
    this.#intake = new Intake(this.#clock, this.#reportIntervalMs, {
      onMessage: (message) => this.#tell(() => this.emit('message', message)),
      onState: (change) => this.#tell(() => this.emit('state', change)),
      onRefused: (refused) => this.#tell(() => this.emit('refused', refused)),
    });
  }

  /** The port that is listened on. Before the first start it is the one that was asked for. */
  get port(): number {
    return this.#port;
  }

  /** Where a worker on this machine finds it: the value of `REPORT_ADDR`. No trailing slash. */
  get url(): string {
    return `http://${reachable(this.#host)}:${this.#port}`;
  }

  /**
   * Resolves when it listens; does nothing while it does. What it was told before a stop is still
   * known. Rejects with an `Error` that names host and port, whose `code` is the system's
   * (`EADDRINUSE` when the port is taken).
   */
  start(): Promise<void> {
    return this.#inTurn(() => this.#open());
  }

  /** Closes every connection, and resolves when neither a socket nor a timer is left. Idempotent. */
  stop(): Promise<void> {
    return this.#inTurn(() => this.#shut());
  }

  /** The workers by id, each with its state at this moment. */
  workers(): readonly WorkerView[] {
    return viewWorkers(this.#intake, this.#clock, this.#reportIntervalMs).workers;
  }

  /** The last messages (1000, or 4 MiB), newest last, acknowledged or not. */
  messages(): readonly MessageRecord[] {
    return this.#intake.messages.latest();
  }

  /**
   * The first message that matches, among those remembered (oldest first) and then those to come.
   * Rejects when none has come in `timeoutMs` (default 10 000), or on `stop()`.
   */
  waitForMessage(
    matches: (message: MessageRecord) => boolean,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<MessageRecord> {
    return waitForMessage(this, matches, options.timeoutMs ?? 10_000);
  }

  async #open(): Promise<void> {
    if (this.#server !== undefined) return;
    const app = createApp({
      intake: this.#intake,
      fault: this.#fault,
      publicKeyPem: () => this.#keys.publicKeyPem(),
      workers: () => viewWorkers(this.#intake, this.#clock, this.#reportIntervalMs),
    });
    const server = createHttpServer({ ...SLOW_CLIENTS, listener: app, onRefused: () => {} });
    this.#port = await listen(server, this.#port, this.#host).catch((cause: unknown) => {
      throw new ListenError(this.#host, this.#port, cause);
    });
    this.#server = server;
  }

  async #shut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await close(server);
    await this.#keys.settled();
    this.#tell(() => this.emit('stopped'));
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** A listener that throws is its author's problem: it must not turn a report into a 500. */
  #tell(emit: () => void): void {
    try {
      emit();
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }
}
