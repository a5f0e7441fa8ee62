import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { LocalAutoscaler, LocalAutoscalerOptions } from '../../src/autoscaler/index.js';
import {
  type ClientEventName,
  type ClientEvents,
  type Endpoint,
  Serverless,
  ServerlessError,
  type ServerlessOptions,
} from '../../src/client/index.js';
import { close, listen } from '../../src/net/server.js';
import type { FakeModel, FakeModelOptions } from '../../src/testing/models/index.js';
import { status } from '../autoscaler/bodies.js';
import { report, startAutoscaler } from '../autoscaler/harness.js';
import { backendFor, type Definition, startModel } from '../conformance/rig.js';
import { type Env, type RunningWorker, serve } from '../support/worker.js';

export const KEY = 'k3y-of-the-endpoint';

export interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Script = (received: Received, response: ServerResponse, nth: number) => void;

export interface Scripted {
  /** What came in, oldest first. */
  readonly received: readonly Received[];
  readonly url: string;
  /** Cuts every connection and listens no more. */
  readonly close: () => Promise<void>;
}

/** A server that answers each request as told, and remembers it. */
export async function startScripted(script: Script): Promise<Scripted> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then(
      (body) => {
        const { method, url, headers } = request;
        const nth = received.push({ method, url, headers, body });
        script({ method, url, headers, body }, response, nth);
      },
      () => {},
    );
  });
  const port = await listen(server, 0, '127.0.0.1');
  let closing: Promise<void> | undefined;
  const closeOnce = () => {
    closing ??= close(server);
    return closing;
  };
  onTestFinished(closeOnce);
  return { received, url: `http://127.0.0.1:${port}`, close: closeOnce };
}

export function json(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

type Told = { [N in ClientEventName]: { name: N } & ClientEvents[N] }[ClientEventName];

export interface Place {
  readonly autoscaler: LocalAutoscaler;
  readonly client: Serverless;
  readonly endpoint: Endpoint;
  /** What the client has told so far. */
  readonly told: Told[];
}

const NAMES = ['waiting', 'routed', 'retry', 'ended', 'sessionEnded'] as const;

/** A client whose pauses are short, and what it tells. */
export function startClient(autoscalerUrl: string, options: Partial<ServerlessOptions> = {}) {
  const backOff = { base: 2, cap: 40 };
  const client = new Serverless({ apiKey: KEY, autoscalerUrl, backOff, timeout: 15_000, ...options });
  const told: Told[] = [];
  const listen = <N extends ClientEventName>(name: N) =>
    client.on(name, (event) => void told.push({ name, ...event } as Told));
  for (const name of NAMES) listen(name);
  return { client, told };
}

/** A local autoscaler and a client, and no worker yet. */
export async function startPlace(
  options: Partial<ServerlessOptions> = {},
  autoscalerOptions: LocalAutoscalerOptions = {},
): Promise<Place> {
  const autoscaler = await startAutoscaler({ apiKey: KEY, ...autoscalerOptions });
  const { client, told } = startClient(autoscaler.url, options);
  return { autoscaler, client, told, endpoint: await client.endpoint('my-endpoint') };
}

/** The same with one worker that answers as told. */
export async function startWith(script: Script, options: Partial<ServerlessOptions> = {}) {
  const place = await startPlace(options);
  const worker = await startScripted(script);
  await report(place.autoscaler, status(1, { url: worker.url }));
  return { ...place, worker };
}

const ENV: Env = {
  PUBLIC_IPADDR: '127.0.0.1',
  TSWORKER_REPORT_INTERVAL: '50ms',
  TSWORKER_DRAIN_TIMEOUT: '1s',
};

export interface Grounds {
  readonly autoscaler?: LocalAutoscalerOptions;
  readonly client?: Partial<ServerlessOptions>;
  readonly model?: FakeModelOptions;
  readonly backend?: Definition;
  readonly env?: Env;
}

/** The same with a real worker in front of a model server that pretends. */
export async function startWhole(
  grounds: Grounds = {},
): Promise<Place & RunningWorker & { readonly model: FakeModel; readonly workerUrl: string }> {
  const place = await startPlace(grounds.client, { reportIntervalMs: 1_000, ...grounds.autoscaler });
  const model = await startModel({ behaviour: { tokens: 3 }, ...grounds.model });
  const backend = backendFor(model, grounds.backend);
  const worker = await serve(backend, { ...ENV, REPORT_ADDR: place.autoscaler.url, ...grounds.env });
  await place.autoscaler.waitForMessage(({ kind, body }) => kind === 'status' && loadtimeOf(body) > 0);
  return { ...place, ...worker, model, workerUrl: `http://127.0.0.1:${worker.port}` };
}

function loadtimeOf(body: unknown): number {
  return (body as { loadtime: number }).loadtime;
}

/** The error that a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<ServerlessError> {
  const thrown = await call.then(
    (value) => new Error(`it succeeded with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (thrown instanceof ServerlessError) return thrown;
  throw thrown;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}
