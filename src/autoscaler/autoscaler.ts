import type { Server } from 'node:http';
import { EventEmitter } from 'eventemitter3';
import { reachable } from '../net/address.js';
import { close, createHttpServer, listen } from '../net/server.js';
import { createApp } from './app.js';
import type { LocalAutoscalerEvents, LocalAutoscalerOptions } from './autoscaler-options.js';
import { readRoute } from './client-bodies.js';
import type { Clock } from './clock.js';
import type { CompletionRecord } from './completions.js';
import type { Endpoint } from './endpoint.js';
import type { CallFaultFunction, FaultFunction } from './faults.js';
import type { Intake } from './intake.js';
import { SigningKeys } from './keys.js';
import { ListenError } from './listen-error.js';
import type { MessageRecord } from './messages.js';
import { WorkerCalls } from './openai/worker-calls.js';
import { makeParts } from './parts.js';
import { type RequestView, viewRequest } from './requests-view.js';
import { MAX_REQUESTS } from './routed-requests.js';
import type { RouteAnswer, Routing } from './routing.js';
import type { Scaler } from './scaler.js';
import { type DecisionsView, viewDecisions } from './scaling-view.js';
import { viewWorkers, type WorkersView, type WorkerView } from './view.js';
import { waitForFirst } from './wait.js';

/** Against clients that open a connection and dawdle. */
const SLOW_CLIENTS = { headersTimeoutMs: 10_000, requestTimeoutMs: 30_000 };

/** How long is waited for a message or a completion. */
const WAIT_MS = 10_000;

/**
 * An autoscaler on your own machine: it takes the workers' reports in both dialects, routes requests
 * to them with signatures, shows all of it on a page, and fails on demand. With `scaling` it starts and
 * stops them as well. It is for development, tests and single machines; in production that is the work of
 * the hosted autoscaler.
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
  readonly #callFault: CallFaultFunction | undefined;
  readonly #corsOrigins: readonly string[];
  readonly #reportIntervalMs: number;
  readonly #openaiWaitMs: number;
  readonly #clock: Clock;
  readonly #intake: Intake;
  readonly #endpoint: Endpoint;
  readonly #routing: Routing;
  readonly #scaler: Scaler | undefined;
  readonly #keys: SigningKeys;
  #port: number;
  #server: Server | undefined;
  #calls: WorkerCalls | undefined;
  /** Starts and stops run one after the other, in the order in which they were asked for. */
  #turn: Promise<void> = Promise.resolve();

  /** @throws {RangeError} for an empty `apiKey`, which would let everybody in, and a `privateKey` that is none of RSA */
  constructor(options: LocalAutoscalerOptions = {}) {
    super();
    if (options.apiKey === '') throw new RangeError('apiKey must not be empty.');
    this.#host = options.host ?? '127.0.0.1';
    this.#port = options.port ?? 8080;
    this.#reportIntervalMs = options.reportIntervalMs ?? 10_000;
    this.#keys = new SigningKeys(options.privateKey);
    this.#openaiWaitMs = options.openaiWaitMs ?? 60_000;
    this.#fault = options.fault;
    this.#callFault = options.callFault;
    this.#corsOrigins = options.corsOrigins ?? [];
    const { clock, endpoint, intake, routing, scaler } = makeParts(options, {
      keys: this.#keys,
      reportIntervalMs: this.#reportIntervalMs,
      tell: (emit) => this.#tell(() => emit(this)),
    });
    this.#clock = clock;
    this.#endpoint = endpoint;
    this.#intake = intake;
    this.#routing = routing;
    this.#scaler = scaler;
  }

  /** The port that is listened on. Before the first start it is the one that was asked for. */
  get port(): number {
    return this.#port;
  }

  /** Where a worker on this machine finds it: the value of `REPORT_ADDR`. No trailing slash. */
  get url(): string {
    return `http://${reachable(this.#host)}:${this.#port}`;
  }

  /** What clients authorise with. */
  get apiKey(): string {
    return this.#endpoint.apiKey;
  }

  /** The name of the endpoint that clients ask for. */
  get endpoint(): string {
    return this.#endpoint.name;
  }

  /**
   * Resolves when it listens; does nothing while it does. What it was told before a stop is still
   * known. Rejects with an `Error` that names host and port, whose `code` is the system's
   * (`EADDRINUSE` when the port is taken).
   */
  start(): Promise<void> {
    return this.#inTurn(() => this.#open());
  }

  /**
   * Ends the workers that it has started, when they have finished what they have, and closes every connection.
   * Resolves when neither a process, a socket nor a timer is left. Idempotent.
   */
  stop(): Promise<void> {
    return this.#inTurn(() => this.#shut());
  }

  /** The base address of the endpoint for OpenAI clients, whose key is `apiKey`. */
  get openaiUrl(): string {
    return `${this.url}/openai/${encodeURIComponent(this.endpoint)}/v1`;
  }

  /** The workers by id, each with its state at this moment. */
  workers(): readonly WorkerView[] {
    return this.#view().workers;
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
    return waitForFirst(this, {
      awaited: 'message',
      known: () => this.messages(),
      kindOf: ({ kind }) => kind,
      matches,
      timeoutMs: options.timeoutMs ?? WAIT_MS,
      caller: this.waitForMessage,
    });
  }

  /**
   * A route for a request of this workload, as `POST /route/` gives it: signed, or the reason to wait.
   * `requestIdx` asks again for one that waits; without it the request is new. `worker` is the id of the only one
   * that it may be given; without it all may be. Rejects with a `WorkerError` that names what is no such number.
   */
  async route(
    cost: number,
    options: { readonly requestIdx?: number; readonly worker?: number | null } = {},
  ): Promise<RouteAnswer> {
    const { worker = null } = options;
    const body = { endpoint: this.endpoint, cost, request_idx: options.requestIdx };
    const { requestIdx, ask } = readRoute(body);
    return this.#routing.route(requestIdx, ask, ({ id }) => worker === null || id === worker);
  }

  /** The last requests that a route was asked for (10 000), latest first, finished ones included. */
  requests(limit = MAX_REQUESTS): readonly RequestView[] {
    this.#routing.forgetLeft(this.#clock.now());
    return this.#routing.requests.latest(limit).map((request) => viewRequest(request, this.#clock));
  }

  /** What was decided (the last 500, latest first), and how the fleet is scaled. */
  decisions(): DecisionsView {
    return viewDecisions(this.#scaler);
  }

  /** The last finished requests that workers told (10 000), newest last, those told again included. */
  completions(): readonly CompletionRecord[] {
    return this.#intake.completions.latest();
  }

  /** Like `waitForMessage`, for finished requests. */
  waitForCompletion(
    matches: (completion: CompletionRecord) => boolean,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<CompletionRecord> {
    return waitForFirst(this, {
      awaited: 'completion',
      known: () => this.completions(),
      kindOf: ({ workerId, status }) => `${status} of worker ${workerId}`,
      matches,
      timeoutMs: options.timeoutMs ?? WAIT_MS,
      caller: this.waitForCompletion,
    });
  }

  /** Makes a new key pair: `/pubkey/` tells it and routes are signed with it from now on. */
  rotateKey(): Promise<void> {
    return this.#keys.rotate();
  }

  #view(): WorkersView {
    this.#routing.forgetLeft(this.#clock.now());
    return viewWorkers({
      endpointName: this.endpoint,
      intake: this.#intake,
      requests: this.#routing.requests,
      clock: this.#clock,
      reportIntervalMs: this.#reportIntervalMs,
    });
  }

  async #open(): Promise<void> {
    if (this.#server !== undefined) return;
    const calls = new WorkerCalls({ routing: this.#routing, clock: this.#clock, waitMs: this.#openaiWaitMs });
    const app = createApp({
      intake: this.#intake,
      fault: this.#fault,
      publicKeyPem: () => this.#keys.publicKeyPem(),
      workers: () => this.#view(),
      requests: (limit) => this.requests(limit),
      decisions: (limit) => viewDecisions(this.#scaler, limit),
      scalingAfter: (sequence) => this.#scaler?.history.after(sequence) ?? [],
      client: {
        endpoint: this.#endpoint,
        routing: this.#routing,
        fleet: () => this.#intake.fleet,
        scaler: this.#scaler,
        clock: this.#clock,
        reportIntervalMs: this.#reportIntervalMs,
        fault: this.#callFault,
        corsOrigins: this.#corsOrigins,
      },
      openai: { endpoint: this.#endpoint, calls, corsOrigins: this.#corsOrigins },
    });
    const server = createHttpServer({ ...SLOW_CLIENTS, listener: app, onRefused: () => {} });
    this.#port = await listen(server, this.#port, this.#host).catch((cause: unknown) => {
      throw new ListenError(this.#host, this.#port, cause);
    });
    this.#server = server;
    this.#calls = calls;
    this.#scaler?.start();
  }

  async #shut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    await this.#scaler?.stop();
    this.#server = undefined;
    await close(server);
    await this.#calls?.close();
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
