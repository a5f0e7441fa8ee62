import { type ClientErrorCode, reasonOf, ServerlessError } from './errors.js';
import type { Leash } from './leash.js';
import { isFields } from './shapes.js';

/** Whom the client talks to. */
export type Peer = { readonly party: 'autoscaler' } | WorkerPeer;

export interface WorkerPeer {
  readonly party: 'worker';
  readonly url: string;
  /** Whether it is asked in a session, or about one. */
  readonly inSession: boolean;
}

/** The whole answer of a worker. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, text where it is text, else bytes; or what `parse` made of that. */
  readonly body: T;
  /** The address of the worker that answered. */
  readonly worker: string;
  readonly requestIdx: number;
  /** How often a worker was asked. */
  readonly attempts: number;
  readonly durationMs: number;
}

/**
 * One request, answered 2xx, with the body still to come.
 *
 * @throws {ServerlessError} for any other answer, and for none
 */
export async function send(
  fetch: typeof globalThis.fetch,
  url: string,
  init: RequestInit,
  leash: Leash,
  peer: Peer,
): Promise<Response> {
  let response: Response;
  try {
    // Who is redirected would send key or payload to somebody else.
    response = await fetch(url, { ...init, redirect: 'manual', signal: leash.signal });
  } catch (thrown) {
    throw asFailure(thrown, leash, peer);
  }
  leash.isAnswered = true;
  if (response.ok) return response;
  throw refusal(response, await readBody(response, leash, peer), peer);
}

/** The whole body: parsed where it is JSON, text where it is text, else bytes. */
export async function readBody(response: Response, leash: Leash, peer: Peer): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (!isJson(type) && !isText(type))
    return new Uint8Array(await read(() => response.arrayBuffer(), leash, peer));
  const text = await read(() => response.text(), leash, peer);
  if (!isJson(type)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    // An error that is not well told is still that error.
    if (!response.ok) return text;
    throw unexpected(peer, 'what is said to be JSON and is not', {
      cause,
      status: response.status,
      body: text,
    });
  }
}

export function isJson(contentType: string): boolean {
  return /^[^;]*[/+]json\s*(;|$)/i.test(contentType);
}

export function isText(contentType: string): boolean {
  return /^text\//i.test(contentType);
}

/** An answer that is none of those that the wire knows. */
export function unexpected(
  peer: Peer,
  what: string,
  facts: { cause?: unknown; status?: number; body?: unknown } = {},
): ServerlessError {
  return new ServerlessError('unexpected_answer', `${nameOf(peer)} answered ${what}.`, {
    ...facts,
    ...workerOf(peer),
  });
}

/** What a fetch, or the reading of its body, failed with. */
export function asFailure(thrown: unknown, leash: Leash, peer: Peer): ServerlessError {
  if (thrown instanceof ServerlessError) return thrown;
  const facts = { cause: thrown, ...workerOf(peer) };
  if (leash.isTimeOver || isTimeout(thrown)) return timedOut(peer, facts);
  if (leash.signal.aborted) return aborted(leash.signal);
  const code: ClientErrorCode = peer.party === 'worker' ? 'worker_lost' : 'autoscaler_lost';
  return new ServerlessError(code, `The connection to ${whom(peer)} was lost (${reasonOf(thrown)}).`, facts);
}

export function aborted(signal: AbortSignal): ServerlessError {
  return new ServerlessError('aborted', 'The call was aborted.', { cause: signal.reason });
}

/** An autoscaler that takes too long is asked again, a worker may be at work. */
function timedOut(peer: Peer, facts: { cause: unknown }): ServerlessError {
  return peer.party === 'worker'
    ? new ServerlessError('timeout', `${nameOf(peer)} did not answer in time.`, facts)
    : new ServerlessError('autoscaler_lost', 'The autoscaler did not answer in time.', facts);
}

/** Node's own fetch has time-outs, after which the worker may still be at work. */
function isTimeout(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return (
    cause instanceof Error &&
    'code' in cause &&
    (cause.code === 'UND_ERR_HEADERS_TIMEOUT' || cause.code === 'UND_ERR_BODY_TIMEOUT')
  );
}

async function read<T>(from: () => Promise<T>, leash: Leash, peer: Peer): Promise<T> {
  try {
    return await from();
  } catch (thrown) {
    throw asFailure(thrown, leash, peer);
  }
}

function refusal({ status, type, headers }: Response, body: unknown, peer: Peer): ServerlessError {
  const isRedirect = type === 'opaqueredirect' || (status >= 300 && status < 400);
  const told = isRedirect
    ? 'with a redirect, which is not followed'
    : [status, wordsOf(body)].join(' ').trimEnd();
  const facts = { status, body, headers, ...workerOf(peer) };
  return new ServerlessError(codeOf(status, body, peer), `${nameOf(peer)} answered ${told}.`, facts);
}

function codeOf(status: number, body: unknown, peer: Peer): ClientErrorCode {
  const isPassing = status === 408 || status === 429 || status >= 500;
  if (peer.party === 'worker') {
    if (isPassing) return 'worker_failed';
    const isUnknown = status === 400 && isFields(body) && body.error === 'no_such_session';
    return peer.inSession && (status === 410 || isUnknown) ? 'session_ended' : 'worker_refused';
  }
  if (isPassing) return 'autoscaler_failed';
  if (status === 401 || status === 403) return 'unauthorized';
  return status === 404 ? 'no_such_endpoint' : 'autoscaler_refused';
}

/** What an error's body says for itself: `{error, message}`, or fields and what is wrong with them. */
function wordsOf(body: unknown): string {
  if (!isFields(body)) return '';
  const { error, message } = body;
  if (typeof error === 'string' && typeof message === 'string') return `${error}: ${withoutStop(message)}`;
  const said = Object.entries(body).filter(([, value]) => typeof value === 'string');
  return withoutStop(said.map(([name, value]) => `${name}: ${value}`).join(', '));
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}

function workerOf(peer: Peer): { readonly worker?: string } {
  return peer.party === 'worker' ? { worker: peer.url } : {};
}

function nameOf(peer: Peer): string {
  return peer.party === 'worker' ? `The worker at ${peer.url}` : 'The autoscaler';
}

function whom(peer: Peer): string {
  return peer.party === 'worker' ? `the worker at ${peer.url}` : 'the autoscaler';
}
