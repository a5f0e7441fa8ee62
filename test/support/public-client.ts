import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, inflateSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { PythonFloat, pythonJson } from './python-json.js';

/**
 * The public client, as far as the wire shows it: its requests are reproduced field by field, the
 * API key in header, query and body included. It asks for a route until it gets one, asks the worker,
 * and asks for a route again with the same `request_idx` when the answer may be better next time.
 * Unlike the original it never goes on for ever.
 */
export interface PublicClientOptions {
  readonly autoscalerUrl: string;
  readonly apiKey: string;
  /** Default `my-endpoint`. */
  readonly endpoint?: string;
  /** The certificate that a worker with TLS is trusted by, PEM. */
  readonly ca?: string | Buffer;
  /** First pause between two polls and between two tries; doubled each time, up to 5 s. Default 50. */
  readonly pauseMs?: number;
}

export interface CallOptions {
  /** Workload. Default 100. */
  readonly cost?: number;
  readonly signal?: AbortSignal;
  /** Whether 408, 429, 5xx and a lost connection are tried again. Default true. */
  readonly retry?: boolean;
  /** From when on nothing is tried again. Default 15 000. */
  readonly deadlineMs?: number;
  /** A session that the request belongs to: it goes to the session's worker, without a new route. */
  readonly session?: Session;
}

/** What an autoscaler gives with a route. Sent on in this order. */
export interface AuthData {
  readonly cost: number;
  readonly endpoint: string;
  readonly reqnum: number;
  readonly request_idx: number;
  readonly signature: string;
  readonly url: string;
}

export interface Session {
  readonly id: string;
  readonly authData: AuthData;
}

export interface PublicAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
}

/** An answer whose body is still to come. */
export interface OpenAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** A worker that answered a stream with an error, or an autoscaler that gave no route. */
export class PublicClientError extends Error {
  override readonly name = 'PublicClientError';
  readonly answer: PublicAnswer;

  constructor(what: string, answer: PublicAnswer) {
    super(`${what} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    this.answer = answer;
  }
}

const REPLAY_TIMEOUT = new PythonFloat(60);
const MAX_PAUSE_MS = 5_000;

export class PublicClient {
  readonly #options: PublicClientOptions;
  readonly #agent: Agent;

  constructor(options: PublicClientOptions) {
    this.#options = options;
    this.#agent = new Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(options.ca !== undefined && { connect: { ca: options.ca } }),
    });
  }

  /** Cuts every connection. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }

  /** Asks for a route until there is one. `requestIdx` asks again for the same request. */
  async route(options: CallOptions & { readonly requestIdx?: number } = {}): Promise<AuthData> {
    const { signal, deadlineMs = 15_000, cost = 100 } = options;
    const { autoscalerUrl, apiKey } = this.#options;
    const endpoint = this.#options.endpoint ?? 'my-endpoint';
    const until = performance.now() + deadlineMs;
    let idx = options.requestIdx ?? 0;
    for (let poll = 0; ; poll++) {
      const body = { endpoint, api_key: apiKey, cost, request_idx: idx, replay_timeout: REPLAY_TIMEOUT };
      const answer = await read(await this.#post(`${autoscalerUrl}/route/`, body, signal));
      const told = toRoute(answer);
      if (told.authData !== undefined) return told.authData;
      idx = told.requestIdx ?? idx;
      const isFinal = told.requestIdx === undefined && !isRetryable(answer.status);
      const pauseMs = isFinal ? undefined : this.#pauseMs(poll, until);
      if (pauseMs === undefined) throw new PublicClientError('the autoscaler', answer);
      await sleep(pauseMs, undefined, signal && { signal });
    }
  }

  /** One request through a route: the worker's last answer, whatever its status. */
  async request(path: string, payload: unknown, options: CallOptions = {}): Promise<PublicAnswer> {
    return read(await this.open(path, payload, options));
  }

  /**
   * The chunks of an answer as they come. To leave the loop is to go away from the worker.
   *
   * @throws {PublicClientError} when the status is not 2xx
   */
  async *stream(path: string, payload: unknown, options: CallOptions = {}): AsyncGenerator<Buffer, void> {
    const answer = await this.open(path, payload, options);
    if (answer.status < 200 || answer.status > 299) {
      throw new PublicClientError('the worker', await read(answer));
    }
    yield* answer.body;
  }

  /** Like `request`, with the body still to come. Who does not read it has to destroy it. */
  async open(path: string, payload: unknown, options: CallOptions = {}): Promise<OpenAnswer> {
    const { session } = options;
    return this.#tryUntil(options, async (requestIdx, deadlineMs) => {
      const authData = session?.authData ?? (await this.route({ ...options, requestIdx, deadlineMs }));
      const body = { auth_data: inOrder(authData), payload, session_id: session?.id ?? null };
      const answer = this.#post(authData.url + path, body, options.signal);
      return { answer, requestIdx: authData.request_idx };
    });
  }

  /** `payload`: `lifetime` in seconds, and what is to be posted to the model at the end. */
  async createSession(
    payload: { lifetime?: number; on_close_route?: string; on_close_payload?: unknown } = {},
    options: CallOptions = {},
  ): Promise<Session> {
    const authData = await this.route(options);
    const body = { auth_data: inOrder(authData), payload: { lifetime: 60, ...payload } };
    const answer = await read(await this.#post(`${authData.url}/session/create`, body, options.signal));
    const id = memberOf(answer.body, 'session_id');
    if (answer.status !== 201 || typeof id !== 'string') throw new PublicClientError('the worker', answer);
    return { id, authData };
  }

  /** `/session/get`, `/session/health` and `/session/end`: the answer, whatever its status. */
  async sessionCall(
    call: 'get' | 'health' | 'end',
    { id, authData }: Session,
    options: Pick<CallOptions, 'signal'> = {},
  ): Promise<PublicAnswer> {
    const body = { session_id: id, session_auth: inOrder(authData) };
    return read(await this.#post(`${authData.url}/session/${call}`, body, options.signal));
  }

  async #post(url: string, body: unknown, signal: AbortSignal | undefined): Promise<OpenAnswer> {
    const { apiKey } = this.#options;
    const answer = await request(`${url}?api_key=${encodeURIComponent(apiKey)}`, {
      dispatcher: this.#agent,
      method: 'POST',
      headers: {
        accept: '*/*',
        'accept-encoding': 'gzip, deflate',
        'user-agent': 'Python/3.12 aiohttp/3.13',
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
      },
      body: pythonJson(body),
      ...(signal && { signal }),
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  }

  async #tryUntil(
    { signal, retry = true, deadlineMs = 15_000 }: CallOptions,
    attempt: (
      requestIdx: number,
      leftMs: number,
    ) => Promise<{ answer: Promise<OpenAnswer>; requestIdx: number }>,
  ): Promise<OpenAnswer> {
    const until = performance.now() + deadlineMs;
    let idx = 0;
    for (let tries = 0; ; tries++) {
      const { answer, requestIdx } = await attempt(idx, until - performance.now());
      idx = requestIdx;
      const outcome = await answer.catch((error: unknown) => ({ error }));
      const isFinal = !retry || signal?.aborted || ('status' in outcome && !isRetryable(outcome.status));
      const pauseMs = isFinal ? undefined : this.#pauseMs(tries, until);
      if (pauseMs === undefined) {
        if ('error' in outcome) throw outcome.error;
        return outcome;
      }
      if ('body' in outcome) await discard(outcome.body);
      await sleep(pauseMs, undefined, signal && { signal });
    }
  }

  /** How long to wait before the next try; `undefined`: there is no time for one. */
  #pauseMs(tries: number, until: number): number | undefined {
    const pauseMs = Math.min((this.#options.pauseMs ?? 50) * 2 ** tries, MAX_PAUSE_MS);
    return performance.now() + pauseMs < until ? pauseMs : undefined;
  }
}

function isRetryable(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status < 600);
}

/** Python keeps the order in which it got them; the wire's is the alphabet's. */
function inOrder({ cost, endpoint, reqnum, request_idx, signature, url }: AuthData): AuthData {
  return { cost, endpoint, reqnum, request_idx, signature, url };
}

function toRoute({ status, body }: PublicAnswer): { authData?: AuthData; requestIdx?: number } {
  const requestIdx = memberOf(body, 'request_idx');
  if (status !== 200 || typeof requestIdx !== 'number') return {};
  const [cost, endpoint] = [memberOf(body, 'cost'), memberOf(body, 'endpoint')];
  const [reqnum, url] = [memberOf(body, 'reqnum'), memberOf(body, 'url')];
  const signature = memberOf(body, 'signature');
  const isWhole = typeof cost === 'number' && typeof endpoint === 'string' && typeof reqnum === 'number';
  if (!isWhole || typeof signature !== 'string' || typeof url !== 'string') return { requestIdx };
  return { requestIdx, authData: { cost, endpoint, reqnum, request_idx: requestIdx, signature, url } };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

async function read({ status, headers, body }: OpenAnswer): Promise<PublicAnswer> {
  const text = decompress(await buffer(body), headers['content-encoding']).toString('utf8');
  const isJson = headers['content-type']?.startsWith('application/json') ?? false;
  return { status, headers, body: isJson && text !== '' ? JSON.parse(text) : text };
}

function decompress(bytes: Buffer, encoding: string | undefined): Buffer {
  if (encoding === 'gzip') return gunzipSync(bytes);
  return encoding === 'deflate' ? inflateSync(bytes) : bytes;
}

async function discard(body: Readable): Promise<void> {
  if (body.destroyed) return;
  const closed = once(body, 'close').catch(() => {});
  body.on('error', () => {});
  body.destroy();
  await closed;
}
