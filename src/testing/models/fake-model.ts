import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { listen } from '../../net/server.js';
import { type Behaviour, checkedBehaviour } from './behaviour.js';
import { Changes } from './changes.js';
import { EngineLog } from './engine-log.js';
import { Crash, Cut } from './generate.js';
import type { Kind } from './kind.js';
import { isKindName, KINDS, type KindName } from './kinds.js';
import type { Preset } from './presets.js';
import { type ModelRequest, RequestRecord } from './request.js';
import { type Engine, serve } from './serve.js';

const LOOPBACK = '127.0.0.1';

export type CrashCause = 'crash' | 'out of memory';

export interface FakeModelOptions {
  /** `openai` where it is not given. */
  readonly kind?: KindName | undefined;
  /** Whose log is imitated; where it is not given, that of the kind's best known engine. */
  readonly preset?: Preset | undefined;
  /** On loopback. 0 takes any free one, as does none. */
  readonly port?: number | undefined;
  /** `-` is the standard output. Without it no log is written. */
  readonly logFile?: string | undefined;
  /** It listens at once, but answers 503 for so long. */
  readonly loadTimeMs?: number | undefined;
  readonly modelName?: string | undefined;
  readonly behaviour?: Behaviour | undefined;
  /** What a crash does beyond the request's connection, which is cut. */
  readonly onCrash?: ((cause: CrashCause) => void) | undefined;
  /** Hears of each request, before it is answered. */
  readonly onRequest?: ((request: ModelRequest) => void) | undefined;
}

/** Starts a model server that pretends. Rejects when it can't listen. */
export async function startFakeModel(options: FakeModelOptions = {}): Promise<FakeModel> {
  const model = new FakeModel(options);
  await model.listen(options.port ?? 0);
  return model;
}

/** A model server that pretends: real sockets, no weights. Made by {@link startFakeModel}. */
export class FakeModel {
  /** All but those for health, in the order in which they came. */
  readonly requests: ModelRequest[] = [];
  /** The requests for health. */
  readonly healthChecks: ModelRequest[] = [];
  readonly #options: FakeModelOptions;
  readonly #engine: Engine;
  readonly #log: EngineLog;
  readonly #server: Server;
  readonly #closed: Promise<void>;
  readonly #changes = new Changes();
  readonly #closing = new AbortController();
  #behaviour: Behaviour;
  #isLoaded = false;
  #port = 0;
  #inFlight = 0;
  #maxInFlight = 0;

  constructor(options: FakeModelOptions) {
    const kind = kindOf(options.kind ?? 'openai');
    this.#options = options;
    this.#behaviour = checkedBehaviour(options.behaviour ?? {});
    this.#log = new EngineLog(options.preset ?? kind.preset, options.logFile);
    this.#engine = {
      kind,
      modelName: options.modelName ?? 'fake-model',
      behaviour: () => this.#behaviour,
      changes: this.#changes,
      isLoaded: () => this.#isLoaded,
    };
    this.#server = createServer((request, response) => void this.#take(request, response));
    this.#server.on('connection', (socket) => {
      if (this.#behaviour.refuse) socket.destroy();
    });
    this.#closed = new Promise((resolve) => this.#server.once('close', () => resolve()));
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${LOOPBACK}:${this.#port}`;
  }

  /** How many requests are under way, those for health not counted. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The most that were ever under way at one time. */
  get maxInFlight(): number {
    return this.#maxInFlight;
  }

  get behaviour(): Behaviour {
    return this.#behaviour;
  }

  /** Changes a part of its behaviour; undefined takes something back. */
  behave(change: Behaviour): void {
    this.#behaviour = { ...this.#behaviour, ...checkedBehaviour(change) };
    if (change.refuse) this.#server.closeIdleConnections();
    this.#changes.changed();
  }

  /** Resolves when the model is loaded, which its log tells as well. Rejects when it is closed before. */
  async untilLoaded(): Promise<void> {
    await this.#changes.until(() => this.#isLoaded || undefined);
  }

  /** The nth request that is not for health, counted from 1. Rejects when the model is closed before. */
  untilRequest(nth = 1): Promise<ModelRequest> {
    return this.#changes.until(() => this.requests[nth - 1]);
  }

  /** The nth request whose client went before its answer was whole. Rejects when the model is closed before. */
  untilAborted(nth = 1): Promise<ModelRequest> {
    return this.#changes.until(() => this.requests.filter(({ outcome }) => outcome === 'aborted')[nth - 1]);
  }

  /** The nth request for health, counted from 1. Rejects when the model is closed before. */
  untilHealthCheck(nth = 1): Promise<ModelRequest> {
    return this.#changes.until(() => this.healthChecks[nth - 1]);
  }

  /** Resolves when no request is under way, those for health not counted. */
  async untilIdle(): Promise<void> {
    await this.#changes.until(() => this.#inFlight === 0 || undefined);
  }

  /** Resolves when it is closed. */
  untilClosed(): Promise<void> {
    return this.#closed;
  }

  /** To be called once. */
  async listen(port: number): Promise<void> {
    this.#port = await listen(this.#server, port, LOOPBACK);
    this.#log.starting();
    if (this.#behaviour.chatty) this.#log.chatter('warming up');
    const { loadTimeMs = 0 } = this.#options;
    if (loadTimeMs === 0) this.#loaded();
    else {
      const { signal } = this.#closing;
      // Closed before it was loaded.
      void delay(loadTimeMs, undefined, { signal }).then(
        () => this.#loaded(),
        () => {},
      );
    }
  }

  /** Cuts every connection. Resolves when the port is free again. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#closed;
    this.#changes.close(new Error('The fake model was closed.'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #loaded(): void {
    this.#isLoaded = true;
    this.#log.loaded(this.url, this.#options.loadTimeMs ?? 0);
    this.#changes.changed();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#behaviour.refuse) {
      request.socket.destroy();
      return;
    }
    const body = await text(request).catch(() => undefined);
    // The client went before it had said what it wants.
    if (body === undefined || response.destroyed) return;
    const record = this.#record(request, body);
    const controller = new AbortController();
    response.once('close', () => {
      record.end(response.writableFinished ? 'answered' : this.#closing.signal.aborted ? 'cut' : 'aborted');
      controller.abort();
      this.#changes.changed();
    });
    try {
      await serve(this.#engine, { record, response, signal: controller.signal });
    } catch (error) {
      if (error instanceof Crash) this.#crash(record, request);
      else if (error instanceof Cut) this.#cut(record, request);
      // The client went, which is no fault of the model.
      else if (!controller.signal.aborted) throw error;
    }
  }

  #record(request: IncomingMessage, body: string): RequestRecord {
    const { method = '', url = '', rawHeaders } = request;
    const list = this.#engine.kind.health.includes(url.split('?', 1)[0] ?? '')
      ? this.healthChecks
      : this.requests;
    const record = new RequestRecord({ id: list.length + 1, method, path: url, rawHeaders, body });
    list.push(record);
    if (list === this.requests) this.#count(record);
    this.#changes.changed();
    return record;
  }

  #count(record: RequestRecord): void {
    this.#maxInFlight = Math.max(this.#maxInFlight, ++this.#inFlight);
    void record.ended.then(() => {
      this.#inFlight--;
      this.#changes.changed();
    });
    if (this.#behaviour.chatty) this.#log.chatter(record.body);
    this.#options.onRequest?.(record);
  }

  #crash(record: RequestRecord, { socket }: IncomingMessage): void {
    const cause = this.#behaviour.outOfMemory ? 'out of memory' : 'crash';
    if (cause === 'out of memory') this.#log.outOfMemory();
    this.#cut(record, { socket });
    this.#options.onCrash?.(cause);
  }

  #cut(record: RequestRecord, { socket }: Pick<IncomingMessage, 'socket'>): void {
    record.end('cut');
    socket.destroy();
  }
}

function kindOf(name: string): Kind {
  if (!isKindName(name))
    throw new TypeError(
      `There is no fake model of the kind "${name}"; there is ${Object.keys(KINDS).join(', ')}.`,
    );
  return KINDS[name];
}
