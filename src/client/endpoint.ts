import type { Answer } from './answers.js';
import { bytes, request, stream } from './ask.js';
import {
  type BytesOptions,
  type CallOptions,
  checkJson,
  idleTimeoutOf,
  type RequestOptions,
  type SessionOptions,
  type StreamOptions,
  timeoutOf,
} from './options.js';
import { askOf, askOfText, callOf, type EndpointParts } from './parts.js';
import { createSession, type Session } from './session.js';
import type { EndpointInfo, EndpointWorker } from './shapes.js';
import type { StreamEvent } from './stream.js';

/** An endpoint: a fleet of workers behind one name. Made by `client.endpoint(name)`. */
export class Endpoint {
  readonly #parts: EndpointParts;

  /** Not for users: `client.endpoint(name)` makes it. */
  constructor(parts: EndpointParts) {
    this.#parts = parts;
  }

  get id(): number {
    return this.#parts.info.id;
  }

  get name(): string {
    return this.#parts.info.endpoint_name;
  }

  /** What the autoscaler told of it when it was looked up. */
  get info(): EndpointInfo {
    return this.#parts.info;
  }

  /**
   * One request: routed to a worker, sent, and answered in whole. What may be mended by another attempt is tried again
   * while there is time: 408, 429 and 5xx, not before `Retry-After`, and a connection that was lost.
   *
   * @throws {ServerlessError}
   */
  async request<T = unknown>(
    path: string,
    payload: unknown,
    options: RequestOptions<T> = {},
  ): Promise<Answer<T>> {
    const ask = askOf(this.#parts, path, payload);
    return request(callOf(this.#parts, path, options), ask, options.parse);
  }

  /**
   * The events of a streamed answer as they come. To leave the loop is to stop the worker's work on it.
   *
   * @throws {ServerlessError}
   */
  async *stream<T = unknown>(
    path: string,
    payload: unknown,
    options: StreamOptions<T> = {},
  ): AsyncGenerator<StreamEvent<T>, void> {
    const ask = askOf(this.#parts, path, payload);
    const idleMs = idleTimeoutOf(options, timeoutOf(options, this.#parts.settings.timeoutMs));
    yield* stream(callOf(this.#parts, path, options), ask, options.parse, idleMs);
  }

  /**
   * The answer byte by byte as it comes, to a payload that is JSON text already. Neither is parsed or written anew, so
   * that numbers stay as they are.
   *
   * @throws {ServerlessError}
   */
  async *bytes(path: string, json: string, options: BytesOptions = {}): AsyncGenerator<Uint8Array, void> {
    const ask = askOfText(this.#parts, path, checkJson(json));
    yield* bytes(callOf(this.#parts, path, options), ask);
  }

  /**
   * Holds one worker for a series of requests. With `await using` it is given back at the end of the block.
   *
   * @throws {ServerlessError}
   */
  async session(options: SessionOptions = {}): Promise<Session> {
    return createSession(this.#parts, options);
  }

  /**
   * The workers of the endpoint, as the autoscaler sees them.
   *
   * @throws {ServerlessError}
   */
  async workers(options: CallOptions = {}): Promise<readonly EndpointWorker[]> {
    const call = callOf(this.#parts, '/get_endpoint_workers/', options);
    return call.telling(call.withAutoscaler((leash) => this.#parts.autoscaler.workers(this.id, leash)));
  }
}
