import { setTimeout as delay } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import { messageOf, WorkerError } from '../../errors.js';
import { inTurn } from '../../net/relay-head.js';
import type { RoutingCandidate } from '../candidates.js';
import type { Clock } from '../clock.js';
import type { Routing, Suits } from '../routing.js';
import { envelopeOf, type Payload } from './payload.js';
import { type Refusal, refusalIn } from './refusal.js';

/** One call of a client. */
export interface Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `null`: it is a GET of what a worker tells everybody. */
  readonly payload: Payload | null;
  /** Aborted when the client goes. */
  readonly signal: AbortSignal;
}

/** What a worker said: an answer that has begun, one that is here in full, or its refusal. */
export type WorkerAnswer =
  | { readonly kind: 'stream'; readonly head: Head; readonly body: Dispatcher.ResponseData['body'] }
  | { readonly kind: 'whole'; readonly head: Head; readonly body: Uint8Array }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface Head {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

export interface WorkerCallsParts {
  readonly routing: Routing;
  readonly clock: Clock;
  /** How long a call may wait for a worker, in milliseconds. */
  readonly waitMs: number;
}

const POLL_MS = 100;

/** Longer than any pause between two polls, be the machine as busy as it may. */
const REPLAY_TIMEOUT_MS = 5_000;

const CONNECT_TIMEOUT_MS = 5_000;

/** What kills each worker that it is sent to must not go through the whole fleet. */
const MAX_ATTEMPTS = 4;

/** Of a client that has waited already. */
const RETRY_AFTER_SECONDS = 5;

/** A worker's own error is shorter. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Brings calls to workers: each waits until one is ready, and goes to another where one is gone. */
export class WorkerCalls {
  readonly #parts: WorkerCallsParts;
  /** Workers have time-outs of their own for each route, and a client that waits no more leaves. */
  readonly #agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  constructor(parts: WorkerCallsParts) {
    this.#parts = parts;
  }

  /**
   * What a worker answers.
   *
   * @throws {WorkerError} `no_worker`; or what the signal was aborted with
   */
  async call(call: Call): Promise<WorkerAnswer> {
    const { clock, routing, waitMs } = this.#parts;
    const untilMs = clock.now() + waitMs;
    /** Workers that were found gone or closed, and when. One that has told of itself since is asked again. */
    const shut = new Map<string, number>();
    let requestIdx = 0;
    let why = '';
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const place = await this.#place({ call, requestIdx, shut, untilMs, why });
      const askedAtMs = clock.now();
      const answer = await this.#ask(place, call);
      if (typeof answer !== 'string') return answer;
      shut.set(place.url, askedAtMs);
      why = `the worker at ${place.url} ${answer}`;
      requestIdx = place.requestIdx;
      routing.requests.giveBack(requestIdx, clock.now());
    }
    routing.requests.leave(requestIdx);
    throw noWorker(why);
  }

  /** Cuts every connection. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Waits for a worker, as a client that polls. */
  async #place({ call, shut, untilMs, why, ...wait }: Wait): Promise<Place> {
    const { routing, clock } = this.#parts;
    const suits = ({ dialect, url, toldAtMs }: RoutingCandidate) =>
      dialect === 'current' && toldAtMs > (shut.get(url ?? '') ?? Number.NEGATIVE_INFINITY);
    let { requestIdx } = wait;
    try {
      for (;;) {
        call.signal.throwIfAborted();
        const found = await this.#look(call.payload, requestIdx, suits);
        if ('url' in found) return found;
        requestIdx = found.requestIdx;
        const leftMs = untilMs - clock.now();
        if (leftMs <= 0) throw noWorker(why || found.status);
        await delay(Math.min(POLL_MS, leftMs), undefined, { signal: call.signal });
      }
    } finally {
      // Who waits no more asks for no capacity.
      routing.requests.leave(requestIdx);
    }
  }

  /** A worker for it at this moment. What everybody is told is no request of the endpoint's. */
  async #look(payload: Payload | null, requestIdx: number, suits: Suits): Promise<Place | Waiting> {
    const { routing } = this.#parts;
    if (payload === null) {
      const worker = routing.peek(suits);
      return worker
        ? { requestIdx, url: worker.url, body: null }
        : { requestIdx, status: 'no worker is ready' };
    }
    const ask = { cost: payload.cost, replayTimeoutMs: REPLAY_TIMEOUT_MS };
    const route = await routing.route(requestIdx, ask, suits);
    if ('url' in route) {
      return { requestIdx: route.request_idx, url: route.url, body: envelopeOf(route, payload) };
    }
    return { requestIdx: route.request_idx, status: route.status };
  }

  /** What it answers, or why the call has to go elsewhere. */
  async #ask({ url, body }: Place, { path, headers, signal }: Call): Promise<WorkerAnswer | string> {
    const { origin, pathname } = new URL(url);
    try {
      const answer = await this.#agent.request({
        origin,
        path: pathname.replace(/\/+$/, '') + path,
        method: body === null ? 'GET' : 'POST',
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        body,
        signal,
      });
      const read = await readAnswer(answer);
      // It drains, or is loading anew, and has done nothing.
      const isClosed = read.kind === 'refused' && read.refusal.code === 'not_accepting';
      return isClosed ? `said: ${read.refusal.message.replace(/\.$/, '')}` : read;
    } catch (error) {
      signal.throwIfAborted();
      return `could not be reached: ${messageOf(error)}`;
    }
  }
}

/** A call that waits for a worker. */
interface Wait {
  readonly call: Call;
  /** 0: it has none yet. */
  readonly requestIdx: number;
  readonly shut: ReadonlyMap<string, number>;
  readonly untilMs: number;
  /** What became of it where it was before. */
  readonly why: string;
}

interface Place {
  readonly requestIdx: number;
  readonly url: string;
  readonly body: Buffer | null;
}

interface Waiting {
  readonly requestIdx: number;
  /** Why it waits. */
  readonly status: string;
}

/** A worker's own refusal is short and JSON; whatever else it answers is handed on as it comes. */
async function readAnswer(answer: Dispatcher.ResponseData): Promise<WorkerAnswer> {
  const { statusCode: status, headers, body } = answer;
  const head = { status, headers: inTurn(headers) };
  const length = Number(headers['content-length'] ?? Number.NaN);
  const isJson = String(headers['content-type'] ?? '').startsWith('application/json');
  if (status < 400 || !isJson || !(length <= MAX_REFUSAL_BYTES)) {
    return { kind: 'stream', head, body };
  }
  const bytes = new Uint8Array(await body.arrayBuffer());
  const retryAfter = headers['retry-after'];
  const refusal = refusalIn(
    status,
    parseOrNull(bytes),
    typeof retryAfter === 'string' ? retryAfter : undefined,
  );
  return refusal === undefined ? { kind: 'whole', head, body: bytes } : { kind: 'refused', refusal };
}

function parseOrNull(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return null;
  }
}

function noWorker(why: string): WorkerError {
  return new WorkerError('no_worker', `No worker could take the request in time: ${why}.`, {
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}
