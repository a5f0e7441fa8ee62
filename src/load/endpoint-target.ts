import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent, type Dispatcher } from 'undici';
import { type Endpoint, Serverless, ServerlessError } from '../client/index.js';
import { failureText } from './failure-text.js';
import { fetchThrough } from './fetch-through.js';
import type { Outcome, Sample } from './sample.js';
import type { Clock, Payload, Target } from './target.js';

export interface EndpointTargetOptions {
  readonly endpoint: string;
  readonly autoscalerUrl: string;
  readonly apiKey: string;
  readonly route: string;
  /** How long one request may take, with its search for a worker and all retries. */
  readonly timeoutMs: number;
  /** Left out: as time allows. */
  readonly maxRetries?: number;
  readonly now: Clock;
  /** Aborted when the user has seen enough: the endpoint is looked up no more. */
  readonly signal: AbortSignal;
  /** Told in a word why the look-up of the endpoint came to nothing, at each attempt after which there is another. */
  readonly onLookupFailed?: (what: string) => void;
}

/**
 * An endpoint, called as its users call it. What the client tells of a request, and the first byte of its answer, are
 * noted in the sample of the request in whose asynchronous context they happen.
 *
 * @throws {ServerlessError} when there is no such endpoint
 */
export async function endpointTarget(options: EndpointTargetOptions): Promise<Target> {
  const { autoscalerUrl, apiKey, route, timeoutMs: timeout, maxRetries, now, signal } = options;
  const current = new AsyncLocalStorage<Sample>();
  // The one limit is the time-out of a request.
  const agent = new Agent({ connections: null, headersTimeout: 0, bodyTimeout: 0 });
  const dispatcher = agent.compose((dispatch) => (request, handler) => {
    const sample = current.getStore();
    const isAnswer = sample !== undefined && request.path === route;
    return dispatch(request, isAnswer ? watched(handler, sample, now) : handler);
  });
  const client = new Serverless({ apiKey, autoscalerUrl, timeout, fetch: fetchThrough(dispatcher) });
  client.on('waiting', ({ status }) =>
    note(current, (sample) => {
      sample.waits += 1;
      sample.noWorkerStatus = status;
    }),
  );
  client.on('routed', ({ worker }) =>
    note(current, (sample) => {
      sample.worker = worker;
      sample.routedMs ??= now();
    }),
  );
  client.on('retry', ({ error }) => {
    if (current.getStore() === undefined) options.onLookupFailed?.(failureText(error));
    note(current, (sample) => {
      sample.retries += 1;
      // What came of it was not the answer.
      [sample.firstByteMs, sample.bytes, sample.events] = [null, 0, 0];
    });
  });
  try {
    const endpoint = await client.endpoint(options.endpoint, { signal });
    const limits = { timeout, ...(maxRetries !== undefined && { maxRetries }) };
    const underWay = new Set<AbortController>();
    return {
      send: async (payload, sample) => {
        const leaving = new AbortController();
        underWay.add(leaving);
        const { signal } = leaving;
        const ended = current.run(sample, () => ask(endpoint, route, payload, sample, { ...limits, signal }));
        return ended.finally(() => underWay.delete(leaving));
      },
      cut: () => {
        for (const leaving of underWay) leaving.abort();
      },
      close: () => agent.destroy(),
    };
  } catch (error) {
    await agent.destroy();
    throw error;
  }
}

interface Limits {
  readonly timeout: number;
  readonly maxRetries?: number;
  readonly signal: AbortSignal;
}

async function ask(
  endpoint: Endpoint,
  route: string,
  { value, cost }: Payload,
  sample: Sample,
  limits: Limits,
): Promise<Outcome> {
  sample.cost = cost;
  try {
    if (wantsStream(value)) {
      for await (const _event of endpoint.stream(route, value, { ...limits, cost })) sample.events += 1;
    } else {
      await endpoint.request(route, value, { ...limits, cost });
    }
    return { kind: 'succeeded' };
  } catch (error) {
    if (limits.signal.aborted) return { kind: 'cut' };
    return { kind: 'failed', name: nameOf(error) };
  }
}

/** As those who speak OpenAI's API ask for a stream. */
function wantsStream(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'stream' in payload && payload.stream === true;
}

function nameOf(error: unknown): string {
  if (!(error instanceof ServerlessError)) return 'client failed';
  return failureText(error);
}

function note(current: AsyncLocalStorage<Sample>, change: (sample: Sample) => void): void {
  const sample = current.getStore();
  if (sample !== undefined) change(sample);
}

/** The same, with the first byte and the size of a good answer noted. */
function watched(
  handler: Dispatcher.DispatchHandler,
  sample: Sample,
  now: Clock,
): Dispatcher.DispatchHandler {
  let isGood = false;
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
    onResponseStart: (controller, status, headers, message) => {
      isGood = status >= 200 && status <= 299;
      handler.onResponseStart?.(controller, status, headers, message);
    },
    onResponseData: (controller, chunk) => {
      if (isGood) {
        sample.firstByteMs ??= now();
        sample.bytes += chunk.length;
      }
      handler.onResponseData?.(controller, chunk);
    },
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
    onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
  };
}
