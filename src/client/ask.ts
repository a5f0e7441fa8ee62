import { type Answer, asFailure, type Peer, readBody, send, unexpected, type WorkerPeer } from './answers.js';
import type { Call, Visit } from './call.js';
import { reasonOf, ServerlessError } from './errors.js';
import type { Leash } from './leash.js';
import type { RequestOptions } from './options.js';
import type { Route } from './shapes.js';
import { bytesOf, eventsOf, type StreamEvent } from './stream.js';

/** What is sent to a worker, whichever it will be. */
export interface Ask {
  readonly fetch: typeof globalThis.fetch;
  readonly path: string;
  /** The text of the payload. */
  readonly payload: string;
  readonly sessionId: string | null;
}

type Parse<T> = RequestOptions<T>['parse'];

const STREAMS = 'text/event-stream, application/x-ndjson, application/json;q=0.9, */*;q=0.8';

/** One request through a call: the worker's whole answer. */
export function request<T>(call: Call, ask: Ask, parse: Parse<T>): Promise<Answer<T>> {
  const answer = call.withWorker(async (route, leash): Promise<Answer<T>> => {
    const peer = peerOf(route, ask.sessionId !== null);
    const response = await post(ask, route, peer, '*/*', leash);
    const body = parseBody(await readBody(response, leash, peer), parse, peer);
    leash.letGo();
    const { status, headers } = response;
    const { visits: attempts, durationMs } = call;
    return { status, headers, body, worker: route.url, requestIdx: route.request_idx, attempts, durationMs };
  });
  return call.telling(answer);
}

/** A stream through a call: events as they come. A connection that is lost before the first of them is tried again. */
export function stream<T>(
  call: Call,
  ask: Ask,
  parse: Parse<T>,
  idleTimeoutMs: number,
): AsyncGenerator<StreamEvent<T>, void> {
  const read: Read<StreamEvent<T>> = async function* (response, leash, peer) {
    for await (const event of eventsOf(response, leash, peer))
      yield { ...event, data: parseBody(event.data, parse, peer) };
  };
  return flow(call, (route, leash) => open(ask, route, STREAMS, leash, read), idleTimeoutMs);
}

/** The bytes of an answer through a call, as they come and within its time. Until the first one it is tried again. */
export function bytes(call: Call, ask: Ask): AsyncGenerator<Uint8Array, void> {
  return flow(call, (route, leash) => open(ask, route, '*/*', leash, bytesOf));
}

/** What is read of an answer, piece by piece. */
type Read<T> = (response: Response, leash: Leash, peer: Peer) => AsyncGenerator<T, void>;

/** An answer of which the first piece is here. */
interface Opened<T> {
  readonly pieces: AsyncGenerator<T, void>;
  readonly first: IteratorResult<T, void>;
  readonly leash: Leash;
  readonly peer: Peer;
}

/** @param idleTimeoutMs how long nothing may come between two pieces; left out: all of them have the time of the call */
async function* flow<T>(call: Call, open: Visit<Opened<T>>, idleTimeoutMs?: number): AsyncGenerator<T, void> {
  let held: Leash | undefined;
  let outcome: 'succeeded' | 'failed' | 'left' = 'left';
  let failure: ServerlessError | null = null;
  try {
    const { pieces, first, leash, peer } = await call.withWorker(open);
    held = leash;
    for (let next = first; !next.done; next = await follow(pieces, leash, peer)) {
      // While the piece is being used no idle time passes.
      if (idleTimeoutMs !== undefined) leash.pause();
      yield next.value;
      if (idleTimeoutMs !== undefined) leash.allow(idleTimeoutMs);
    }
    outcome = 'succeeded';
  } catch (thrown) {
    outcome = 'failed';
    failure = thrown instanceof ServerlessError ? thrown : null;
    throw thrown;
  } finally {
    held?.letGo();
    call.end(outcome, failure);
  }
}

async function open<T>(
  ask: Ask,
  route: Route,
  accept: string,
  leash: Leash,
  read: Read<T>,
): Promise<Opened<T>> {
  const peer = peerOf(route, ask.sessionId !== null);
  const pieces = read(await post(ask, route, peer, accept, leash), leash, peer);
  return { pieces, first: await take(pieces, leash), leash, peer };
}

/** The piece after the first one: what was told already can't be told again by another worker. */
async function follow<T>(pieces: AsyncGenerator<T, void>, leash: Leash, peer: Peer) {
  try {
    return await take(pieces, leash);
  } catch (thrown) {
    const error = asFailure(thrown, leash, peer);
    if (error.code !== 'worker_lost') throw error;
    const { cause, worker } = error;
    const what = `The stream of the worker at ${worker} was cut (${reasonOf(cause)}).`;
    throw new ServerlessError('stream_cut', what, { cause, worker });
  }
}

/** The next piece, unless the leash is over: an event that came with the one before it is there without a read that would fail. */
async function take<T>(pieces: AsyncGenerator<T, void>, leash: Leash): Promise<IteratorResult<T, void>> {
  const next = await pieces.next();
  leash.signal.throwIfAborted();
  return next;
}

/** The envelope of a request. The key is not in it, nor anywhere else on the way to a worker. */
function post(
  { fetch, path, payload, sessionId }: Ask,
  route: Route,
  peer: WorkerPeer,
  accept: string,
  leash: Leash,
): Promise<Response> {
  const auth = JSON.stringify(authDataOf(route));
  const body = `{"auth_data":${auth},"payload":${payload},"session_id":${JSON.stringify(sessionId)}}`;
  return postTo(fetch, peer, path, body, leash, accept);
}

/** Posts to a worker. */
export function postTo(
  fetch: typeof globalThis.fetch,
  peer: WorkerPeer,
  path: string,
  body: string,
  leash: Leash,
  accept = 'application/json',
): Promise<Response> {
  const init = { method: 'POST', headers: { accept, 'content-type': 'application/json' }, body };
  return send(fetch, peer.url + path, init, leash, peer);
}

/** The route as the worker wants it, with nothing beside it. */
export function authDataOf({ cost, endpoint, reqnum, request_idx, signature, url }: Route): Route {
  return { cost, endpoint, reqnum, request_idx, signature, url };
}

export function peerOf({ url }: Route, inSession: boolean): WorkerPeer {
  return { party: 'worker', url, inSession };
}

/** Without `parse` the caller vouches for the type. */
function parseBody<T>(body: unknown, parse: Parse<T>, peer: Peer): T {
  if (parse === undefined) return body as T;
  try {
    return parse(body);
  } catch (cause) {
    throw unexpected(peer, `what parse does not take (${reasonOf(cause)})`, { cause, body });
  }
}
