import type { Request, Response } from 'express';
import type { RequestEvent, RequestOutcome } from '../../machines/events.js';
import { type CompiledRoute, workloadOf } from '../backend/index.js';
import type { BackendContext } from '../backend/types.js';
import { WorkerError } from '../errors.js';
import { answer } from './answer.js';
import { parseJson, readBody } from './body.js';
import { ClientGone, type Gate } from './gate.js';

export interface ExchangeOptions {
  readonly gate: Gate;
  readonly bodyLimitBytes: number;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly emit: (event: RequestEvent) => void;
  /** What the backend's `init` returned. */
  readonly state: () => unknown;
  readonly context: Omit<BackendContext, 'signal'>;
  readonly onWorkloadProblem: (route: CompiledRoute, problem: string) => void;
}

/** Makes the function that takes one request of a route from its socket to the backend and back. */
export function createExchange(options: ExchangeOptions) {
  const { gate, bodyLimitBytes, now, emit, state, context, onWorkloadProblem } = options;
  let lastId = 0;

  return async (route: CompiledRoute, request: Request, response: Response): Promise<void> => {
    if (request.method !== route.method) {
      throw new WorkerError('method_not_allowed', `${route.path} takes ${route.method} only.`, {
        headers: { Allow: route.method },
      });
    }
    const { signal, ended } = gate.enter(response);
    try {
      await take(route, request, response, signal);
    } finally {
      ended();
    }
  };

  async function take(
    route: CompiledRoute,
    request: Request,
    response: Response,
    signal: AbortSignal,
  ): Promise<void> {
    const bytes = bringsBody(route, request) ? await readBody(request, bodyLimitBytes) : undefined;

    // From here on the request counts, whatever becomes of it.
    const id = ++lastId;
    const abandoned = abandonedBy(signal);
    const parsed = await settle(async () =>
      Promise.race([route.parse(bytes === undefined ? undefined : parseJson(request, bytes)), abandoned]),
    );
    const workload = parsed.failed
      ? workloadOfRefused(route)
      : workloadOf(route, parsed.value, (problem) => onWorkloadProblem(route, problem));
    emit({ type: 'request.started', id, workload, atMs: now() });
    let outcome: RequestOutcome = 'errored';
    try {
      if (parsed.failed) throw parsed.error;
      signal.throwIfAborted();
      const query = queryOf(request);
      const handled = route.handle({ ...context, signal, state: state(), body: parsed.value, query });
      const result = await Promise.race([handled, abandoned]);
      await answer(response, result, signal);
      outcome = 'succeeded';
    } catch (error) {
      if (signal.reason instanceof ClientGone) outcome = 'cancelled';
      // Nobody is left to be told: the client has gone, or its connection is about to be cut.
      if (!signal.aborted) throw error;
      response.destroy();
    } finally {
      emit({ type: `request.${outcome}`, id, workload, atMs: now() });
    }
  }
}

/** The body of a GET is not looked at, a DELETE may have one, and the others must. */
function bringsBody({ method }: CompiledRoute, { headers }: Request): boolean {
  if (method !== 'DELETE') return method !== 'GET';
  return 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
}

/** A request that was refused for its body is work only where all requests of the route are alike. */
function workloadOfRefused({ workload }: CompiledRoute): number {
  return typeof workload === 'number' ? workload : 0;
}

type Settled = { failed: false; value: unknown } | { failed: true; value: undefined; error: unknown };

async function settle(work: () => Promise<unknown>): Promise<Settled> {
  try {
    return { failed: false, value: await work() };
  } catch (error) {
    return { failed: true, value: undefined, error };
  }
}

/** The query, without what the public client adds for the autoscaler. */
function queryOf(request: Request): URLSearchParams {
  const start = request.url.indexOf('?');
  const query = new URLSearchParams(start < 0 ? '' : request.url.slice(start));
  query.delete('api_key');
  return query;
}

/** Rejects when the signal is aborted, so that code which does not heed it can't keep a request under way. */
function abandonedBy(signal: AbortSignal): Promise<never> {
  const abandoned = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Whoever waits for it hears of it; at other times there is nobody to hear.
  abandoned.catch(() => {});
  return abandoned;
}
