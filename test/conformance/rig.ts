import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { type Backend, type BackendDefinition, defineBackend } from '../../src/backend/index.js';
import { type FakeModel, type FakeModelOptions, startFakeModel } from '../../src/testing/models/index.js';
import { type Answer, post, type Sent, send } from '../support/client.js';
import { type Env, type RunningWorker, serve, startWorker } from '../support/worker.js';
import { type Auth, Scribe } from './scribe.js';

/** Units of work of a request for so many tokens. */
function tokensOf(body: unknown): number {
  return typeof body === 'object' && body !== null && 'max_tokens' in body ? Number(body.max_tokens) : 100;
}

/** Two routes that are served in parallel, two that are not, one with a limit to its queue, one for all. */
export const ROUTES = {
  '/v1/completions': { parallel: true, workload: tokensOf, maxQueueTime: '1h' },
  '/v1/chat/completions': { parallel: true, workload: tokensOf, maxQueueTime: '1h' },
  '/serial/one': { upstreamPath: '/v1/completions', workload: tokensOf, maxQueueTime: '1h' },
  '/serial/two': { upstreamPath: '/v1/chat/completions', workload: tokensOf, maxQueueTime: '1h' },
  '/impatient': { upstreamPath: '/v1/completions', workload: tokensOf, maxQueueTime: '100ms' },
  '/v1/models': { method: 'GET', public: true },
} as const;

export type Definition = Partial<BackendDefinition<undefined, Record<string, unknown>>>;

export interface RigOptions {
  readonly backend?: Definition;
  readonly env?: Env;
  readonly model?: FakeModelOptions;
  /** Do not wait until it serves. */
  readonly loading?: boolean;
}

export interface AskOptions {
  readonly auth?: Partial<Auth>;
  readonly session?: string | null;
  readonly headers?: Sent['headers'];
  readonly query?: string;
}

/** A real worker between a recording autoscaler and a model server that pretends. All end with the test. */
export interface Rig extends RunningWorker {
  readonly autoscaler: Scribe;
  readonly model: FakeModel;
  /** The worker's address, as the autoscaler signs it. */
  readonly url: string;
  readonly authFor: (given?: Partial<Auth>) => Auth;
  /** One signed request, to its end. */
  readonly ask: (path: string, payload: unknown, options?: AskOptions) => Promise<Answer>;
  /** One signed request, whose answer the caller reads, or leaves. */
  readonly open: (path: string, payload: unknown, options?: AskOptions) => Opened;
  /** A session that is held. */
  readonly hold: (payload?: object, auth?: Partial<Auth>) => Promise<{ id: string; auth: Auth }>;
}

/** An answer that is still to come. */
export interface Opened {
  readonly request: ClientRequest;
  readonly response: Promise<IncomingMessage>;
  /** Goes away. */
  leave(): void;
}

/** The backend of most tests: an engine of the OpenAI style, with a known speed. */
export function backendFor(model: Pick<FakeModel, 'url'>, given: Definition = {}): Backend {
  return defineBackend({
    name: 'conformance',
    model: { url: model.url, health: '/health' },
    maxPerf: 1_000,
    routes: ROUTES,
    ...given,
  });
}

/** Heartbeats are short, so that what has changed is told soon; and so is the end of a test that leaves work behind. */
const ENV: Env = {
  PUBLIC_IPADDR: '127.0.0.1',
  TSWORKER_REPORT_INTERVAL: '50ms',
  TSWORKER_DRAIN_TIMEOUT: '30ms',
};

export async function startModel(options: FakeModelOptions = {}): Promise<FakeModel> {
  const model = await startFakeModel(options);
  onTestFinished(() => model.close());
  return model;
}

export async function startRig({ backend, env, model: given, loading }: RigOptions = {}): Promise<Rig> {
  const [autoscaler, model] = [await Scribe.start(), await startModel(given)];
  return rigAround(autoscaler, model, backendFor(model, backend), env, loading);
}

/** The same around an autoscaler, a model server and a backend of the test's own. */
export async function rigAround(
  autoscaler: Scribe,
  model: FakeModel,
  backend: Backend,
  env: Env = {},
  loading = false,
): Promise<Rig> {
  const start = loading ? startWorker : serve;
  const worker = await start(backend, { ...ENV, REPORT_ADDR: autoscaler.url, ...env });
  const url = `http://127.0.0.1:${worker.port}`;
  const authFor = (auth: Partial<Auth> = {}) => autoscaler.authFor(url, auth);
  const bodyOf = (payload: unknown, { auth, session = null }: AskOptions) =>
    JSON.stringify({ auth_data: authFor(auth), payload, session_id: session });
  const headersOf = ({ headers = {} }: AskOptions) => ({ 'content-type': 'application/json', ...headers });
  return {
    ...worker,
    autoscaler,
    model,
    url,
    authFor,
    ask: (path, payload, options = {}) =>
      send(worker.port, path + (options.query ?? ''), {
        method: 'POST',
        headers: headersOf(options),
        body: bodyOf(payload, options),
      }),
    open: (path, payload, options = {}) =>
      openAt(worker.port, path + (options.query ?? ''), bodyOf(payload, options)),
    hold: async (payload = {}, given = {}) => {
      const auth = authFor(given);
      const { status, body } = await post(worker.port, '/session/create', { auth_data: auth, payload });
      if (status !== 201) throw new Error(`no session: ${status} ${JSON.stringify(body)}`);
      return { id: memberOf(body, 'session_id'), auth };
    },
  };
}

/** Posts a body, and leaves the answer to the caller. */
export function openAt(port: number, path: string, body: string): Opened {
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    agent: false,
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
  // Who leaves does not wait for an answer.
  response.catch(() => {});
  request.end(body);
  onTestFinished(() => void request.destroy());
  return { request, response, leave: () => void request.destroy() };
}

export function memberOf(value: unknown, name: string): string {
  if (typeof value !== 'object' || value === null) throw new Error(`no ${name} in ${JSON.stringify(value)}`);
  return String(Reflect.get(value, name));
}
