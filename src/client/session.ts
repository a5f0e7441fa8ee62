import { type Answer, readBody, unexpected } from './answers.js';
import { authDataOf, peerOf, postTo, request, stream } from './ask.js';
import { failureIn, ServerlessError } from './errors.js';
import type { ClientEvents } from './events.js';
import type { Leash } from './leash.js';
import {
  type CallOptions,
  idleTimeoutOf,
  type RequestOptions,
  type SessionOptions,
  type StreamOptions,
  timeoutOf,
} from './options.js';
import { askOf, callOf, type EndpointParts } from './parts.js';
import { isFields, type Route } from './shapes.js';
import type { StreamEvent } from './stream.js';

/** What its worker tells of a session. */
export interface SessionInfo {
  /** In seconds. */
  readonly lifetime: number;
  /** When it ends unless it is used, by the worker's clock. */
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly onCloseRoute: string | null;
  readonly onClosePayload: Readonly<Record<string, unknown>>;
}

/** In sessions the work counts as the session does. */
export type SessionRequestOptions<T = unknown> = Omit<RequestOptions<T>, 'cost'>;
export type SessionStreamOptions<T = unknown> = Omit<StreamOptions<T>, 'cost'>;

/**
 * A worker that is held for a series of requests. Made by `endpoint.session()`.
 *
 * @example
 * await using session = await endpoint.session({ lifetime: 60 });
 * await session.request('/v1/completions', payload);
 */
export class Session implements AsyncDisposable {
  readonly id: string;
  readonly #parts: EndpointParts;
  readonly #route: Route;
  #isOver = false;
  /** The end that is under way. */
  #ending: Promise<void> | undefined;

  /** Not for users: `endpoint.session()` makes it. */
  constructor(parts: EndpointParts, route: Route, id: string) {
    this.#parts = parts;
    this.#route = route;
    this.id = id;
  }

  /** The address of its worker. */
  get worker(): string {
    return this.#route.url;
  }

  /**
   * One request to the worker of the session, tried again as one of an endpoint is, unless nobody answers there any
   * more: a session is gone with its worker.
   *
   * @throws {ServerlessError} `session_ended` among others
   */
  async request<T = unknown>(
    path: string,
    payload: unknown,
    options: SessionRequestOptions<T> = {},
  ): Promise<Answer<T>> {
    this.#expectHeld();
    const ask = askOf(this.#parts, path, payload, this.id);
    return request(callOf(this.#parts, path, options, this.#route), ask, options.parse);
  }

  /** The events of a streamed answer of the worker of the session. */
  async *stream<T = unknown>(
    path: string,
    payload: unknown,
    options: SessionStreamOptions<T> = {},
  ): AsyncGenerator<StreamEvent<T>, void> {
    this.#expectHeld();
    const ask = askOf(this.#parts, path, payload, this.id);
    const idleMs = idleTimeoutOf(options, timeoutOf(options, this.#parts.settings.timeoutMs));
    yield* stream(callOf(this.#parts, path, options, this.#route), ask, options.parse, idleMs);
  }

  /** Whether its worker still holds it, and is there. */
  async isAlive(options: CallOptions = {}): Promise<boolean> {
    if (this.#isOver) return false;
    const read = (body: unknown): boolean => {
      if (isFields(body) && typeof body.ok === 'boolean') return body.ok;
      throw unexpected(peerOf(this.#route, true), 'nothing about the session', { body });
    };
    return this.#call('/session/health', options, read, false);
  }

  /** @throws {ServerlessError} `session_ended` among others */
  async info(options: CallOptions = {}): Promise<SessionInfo> {
    this.#expectHeld();
    return this.#call('/session/get', options, (body) => readInfo(body) ?? fail(this.#route, body));
  }

  /**
   * Gives the worker back. One that has ended already is none to worry about. Who asks while it is being ended hears
   * what comes of that.
   *
   * @throws {ServerlessError} when the worker could not be told: it may be told again
   */
  async end(options: CallOptions = {}): Promise<void> {
    if (this.#isOver) return;
    this.#ending ??= this.#end(options).finally(() => {
      this.#ending = undefined;
    });
    return this.#ending;
  }

  /** At the end of a block nothing is thrown, so that what happened in the block is: see the event `sessionEnded`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end().catch(() => {});
  }

  async #end(options: CallOptions): Promise<void> {
    try {
      // Its lifetime ends it anyway, so that a worker that is gone is not waited for.
      const limits = { timeout: this.#parts.settings.routeTimeoutMs, ...options };
      await this.#call('/session/end', limits, () => {});
      this.#isOver = true;
      this.#tell('ended', null);
    } catch (thrown) {
      const error = thrown instanceof ServerlessError ? thrown : null;
      this.#isOver = isEnd(error);
      this.#tell(this.#isOver ? 'gone' : 'unknown', error);
      if (!this.#isOver) throw thrown;
    }
  }

  /**
   * An answer that says nothing fails the call.
   *
   * @param ifEnded what it comes to when the session has ended; left out: that fails it as well
   */
  #call<T>(path: string, options: CallOptions, read: (body: unknown) => T, ifEnded?: T): Promise<T> {
    const body = JSON.stringify({ session_id: this.id, session_auth: authDataOf(this.#route) });
    const call = callOf(this.#parts, path, options, this.#route);
    const answer = call.withWorker((route, leash) => ask(this.#parts, route, path, body, leash, true));
    const result = answer.then(read, (thrown: unknown) => {
      if (ifEnded !== undefined && isEnd(thrown)) return ifEnded;
      throw thrown;
    });
    return call.telling(result);
  }

  #expectHeld(): void {
    if (this.#isOver || this.#ending !== undefined)
      throw new ServerlessError('session_ended', 'The session was ended.', { worker: this.worker });
  }

  #tell(outcome: ClientEvents['sessionEnded']['outcome'], error: ServerlessError | null): void {
    const { bus, info } = this.#parts;
    const { id: sessionId, worker } = this;
    const failure = error === null ? null : failureIn(error);
    bus.emit('sessionEnded', { endpoint: info.endpoint_name, sessionId, worker, outcome, error: failure });
  }
}

function isEnd(thrown: unknown): boolean {
  return thrown instanceof ServerlessError && thrown.code === 'session_ended';
}

const CREATE = '/session/create';

/** A session with the worker that the autoscaler names, or another one where that has no place. */
export async function createSession(parts: EndpointParts, options: SessionOptions): Promise<Session> {
  const { lifetime = 60, onCloseRoute, onClosePayload } = options;
  if (!(lifetime > 0 && Number.isFinite(lifetime))) {
    throw new ServerlessError('invalid_option', 'lifetime must be a number of seconds over 0.');
  }
  const payload = {
    lifetime,
    ...(onCloseRoute !== undefined && { on_close_route: onCloseRoute }),
    ...(onClosePayload !== undefined && { on_close_payload: onClosePayload }),
  };
  const call = callOf(parts, CREATE, options);
  const session = call.withWorker(async (route, leash) => {
    const body = JSON.stringify({ auth_data: authDataOf(route), payload });
    const answer = await ask(parts, route, CREATE, body, leash);
    const id = isFields(answer) ? answer.session_id : undefined;
    return typeof id === 'string' ? new Session(parts, route, id) : fail(route, answer);
  });
  return call.telling(session);
}

/** A question to a worker, with the whole answer. */
async function ask(
  { settings }: EndpointParts,
  route: Route,
  path: string,
  body: string,
  leash: Leash,
  inSession = false,
): Promise<unknown> {
  const peer = peerOf(route, inSession);
  const answer = await readBody(await postTo(settings.fetch, peer, path, body, leash), leash, peer);
  leash.letGo();
  return answer;
}

function readInfo(body: unknown): SessionInfo | undefined {
  if (!isFields(body)) return undefined;
  const { lifetime, expiration, created_at, on_close_route = null, on_close_payload } = body;
  if (typeof lifetime !== 'number' || typeof expiration !== 'number' || typeof created_at !== 'number')
    return undefined;
  return {
    lifetime,
    expiresAt: new Date(expiration * 1_000),
    createdAt: new Date(created_at * 1_000),
    onCloseRoute: typeof on_close_route === 'string' ? on_close_route : null,
    onClosePayload: isFields(on_close_payload) ? on_close_payload : {},
  };
}

function fail(route: Route, body: unknown): never {
  throw unexpected(peerOf(route, true), 'no session', { body });
}
