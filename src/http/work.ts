import type { Request, Response } from 'express';
import type { RequestOutcome } from '../../machines/events.js';
import type { BackendContext, CompiledRoute, RouteRequest } from '../backend/index.js';
import type { Cancellation } from '../cancellation.js';
import type { Envelope } from '../dialects/envelope.js';
import { WorkerError } from '../errors.js';
import { inTurn, relayHead } from '../net/relay-head.js';
import type { Upstream, UpstreamCall } from '../upstream.js';
import { answer } from './answer.js';
import { headersFor, sinkOf, taken } from './relay.js';
import type { Sent } from './sent.js';
import { unlessAborted } from './unless-aborted.js';

export interface WorkOptions {
  /** The way to the model server; null: there is none. */
  readonly upstream: Upstream | null;
  /** The way for the routes that need no signature. */
  readonly publicUpstream: Upstream | null;
  /** What the backend's `init` returned. */
  readonly state: () => unknown;
  readonly context: Omit<BackendContext, 'signal'>;
}

/** A request that was let in, and what there is to answer it with. */
export interface Work {
  readonly route: CompiledRoute;
  readonly request: Request;
  readonly response: Response;
  /** What the model server gets. */
  readonly text: string;
  /** What `parseRequest` returned; without it the parsed JSON. */
  readonly body: unknown;
  readonly signal: Cancellation;
  readonly sent: Sent;
  /** Hears when the whole answer is made, though its client may still have to take it. It may hear more than once. */
  readonly onMade: () => void;
}

/** Makes the function that answers a request whose turn it is: here, or by the model server. */
export function createWork({ upstream, publicUpstream, state, context }: WorkOptions) {
  return async (work: Work): Promise<RequestOutcome> => {
    const { route, response, signal, sent, onMade } = work;
    signal.throwIfAborted();
    if (route.handle !== null) {
      const result = await unlessAborted(route.handle(routeRequest(work)), signal);
      await answer(response, result, signal.native, sent, onMade);
      return 'succeeded';
    }
    const model = route.public ? publicUpstream : upstream;
    if (model === null) throw new Error(`${route.path} has no model server.`);
    if (route.transformResponse !== null) return transform(work, model);
    if (work.request.method === 'HEAD') return relayHeadOnly(work, model);
    const status = await model.stream(upstreamCall(work), sinkOf(response, sent));
    onMade();
    await taken(response);
    return outcomeOf(status);
  };

  /** The head of what a GET is answered with: not every model server knows HEAD. */
  async function relayHeadOnly(work: Work, model: Upstream): Promise<RequestOutcome> {
    const { response, onMade } = work;
    const { status, headers, discard } = await model.request(upstreamCall(work));
    discard();
    relayHead(response, status, inTurn(headers));
    response.end();
    onMade();
    await taken(response);
    return outcomeOf(status);
  }

  async function transform(work: Work, model: Upstream): Promise<RequestOutcome> {
    const { route, response, signal, sent, onMade } = work;
    const { discard, ...answered } = await model.request(upstreamCall(work));
    try {
      const result = await unlessAborted(route.transformResponse?.(answered, routeRequest(work)), signal);
      await answer(response, result, signal.native, sent, () => {
        // The author need not have read all of it.
        discard();
        onMade();
      });
      return outcomeOf(answered.status);
    } finally {
      discard();
    }
  }

  function routeRequest({ request, body, signal }: Work): RouteRequest<unknown, unknown> {
    return { ...context, signal: signal.native, state: state(), body, query: queryOf(request) };
  }
}

/** A model server that answers an error has failed, and so has the request. */
function outcomeOf(status: number): RequestOutcome {
  return status < 400 ? 'succeeded' : 'errored';
}

/**
 * The text that the model server gets: what the client wrote, unless the route rewrites or has parsed it.
 *
 * @throws {WorkerError} `invalid_request` when it can't be written
 */
export function textFor(
  { handle, parse, rewrite }: CompiledRoute,
  { payload }: Envelope,
  body: unknown,
): string {
  if (handle !== null) return '';
  if (rewrite !== null) return rewrite(payload);
  if (parse === null || payload === '') return payload;
  try {
    return JSON.stringify(body);
  } catch (cause) {
    // What was parsed can be nested more deeply than it can be written.
    throw new WorkerError('invalid_request', 'The body is nested too deeply.', { cause });
  }
}

function upstreamCall({ route, request, text, signal }: Work): UpstreamCall {
  const { method, upstreamPath: path, timeouts } = route;
  const hasBody = method !== 'GET' && text !== '';
  // Clients need not say that a body is JSON, but many model servers read none without it.
  const headers = headersFor(request);
  if (hasBody) headers['content-type'] ??= 'application/json';
  return { method, path, headers, body: hasBody ? text : null, signal, timeouts };
}

/** The query, without what the public client adds for the autoscaler. */
function queryOf(request: Request): URLSearchParams {
  const start = request.url.indexOf('?');
  const query = new URLSearchParams(start < 0 ? '' : request.url.slice(start));
  query.delete('api_key');
  return query;
}
