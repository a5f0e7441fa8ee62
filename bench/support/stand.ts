import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { BUILT } from './build.js';
import { type Listening, Programs } from './programs.js';
import { API_KEY, type Leg, type Measured } from './work.js';

export const TARGETS = ['upstream', 'bare', 'unsecured', 'secured'] as const;

/** The upstream alone, the bare relay, the worker with its door open, and the worker that checks signatures. */
export type Target = (typeof TARGETS)[number];

/** Every process of the benchmark, all listening. */
export interface Stand {
  readonly servers: Readonly<Record<Target, Listening>>;
  /** Requests with a route to the worker that checks signatures, each signed by the autoscaler. */
  readonly bodies: readonly string[];
  /** @throws when a connection breaks, or an answer is not 200 */
  measure(leg: Leg): Promise<Measured>;
  close(): Promise<void>;
}

/** What the load generator sends back. */
interface LoadAnswer {
  readonly measured?: Measured;
  readonly problem?: string;
}

/** How long a worker may take until it serves. */
const START_MS = 30_000;

/** How many requests differ: more than a client's pool of connections, few enough to be made quickly. */
const ROUTES = 64;

/** A prompt as people send them, about a kilobyte. */
const PAYLOAD = {
  model: 'bench',
  max_tokens: 200,
  prompt: 'Once upon a time there was a worker. '.repeat(27),
};

/**
 * Starts everything, and waits until the workers serve and routes to them are given.
 *
 * @param nodeOptions what Node is given for the worker that checks signatures
 */
export async function openStand(nodeOptions: readonly string[] = []): Promise<Stand> {
  const programs = new Programs();
  const start = (args: readonly string[], extra?: NodeJS.ProcessEnv) => programs.start(args, extra);
  const load = fork(join(BUILT, 'bench/load.js'), {
    stdio: 'inherit',
    execArgv: [],
    serialization: 'advanced',
  });
  programs.add(load);
  try {
    const upstream = await start(['bench/upstream.js']);
    const autoscaler = await start(['bench/autoscaler.js']);
    const upstreamUrl = `http://127.0.0.1:${upstream.port}`;
    const autoscalerUrl = `http://127.0.0.1:${autoscaler.port}`;
    const worker = (id: number, extra: NodeJS.ProcessEnv, options: readonly string[] = []) =>
      start([...options, 'src/cli/main.js', 'start', 'bench/backend.js'], {
        CONTAINER_ID: String(id),
        MASTER_TOKEN: 'bench',
        MODEL_SERVER_URL: upstreamUrl,
        PUBLIC_IPADDR: '127.0.0.1',
        REPORT_ADDR: autoscalerUrl,
        TSWORKER_HOST: '127.0.0.1',
        TSWORKER_MAX_PERF: '1000000000',
        // One that can't start ends, and so does the benchmark.
        TSWORKER_BEACON: 'false',
        WORKER_HTTP_PORT: '0',
        WORKER_PORT: '0',
        ...extra,
      });
    // The only worker that is there: the routes that are asked for now lead to it.
    const secured = await worker(1, {}, nodeOptions);
    const bodies = await routedBodies(autoscalerUrl);
    const bare = await start(['bench/bare-relay.js', upstreamUrl]);
    const unsecured = await worker(2, { UNSECURED: 'true' });
    const servers = { upstream, bare, unsecured, secured };
    await Promise.all(Object.values(servers).map((server) => untilAnswered(server, bodies)));
    return { servers, bodies, measure: (leg) => measure(load, leg), close: () => programs.end() };
  } catch (error) {
    await programs.end();
    throw error;
  }
}

async function routedBodies(autoscalerUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  const deadline = AbortSignal.timeout(START_MS);
  while (bodies.length < ROUTES) {
    deadline.throwIfAborted();
    const response = await fetch(`${autoscalerUrl}/route/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ endpoint: 'my-endpoint', cost: 100 }),
    });
    const route: unknown = await response.json();
    if (!response.ok) throw new Error(`no route: ${JSON.stringify(route)}`);
    // Without a signature the worker is not ready yet.
    if (isSigned(route)) bodies.push(JSON.stringify({ auth_data: route, payload: PAYLOAD }));
    else await pause();
  }
  return bodies;
}

function isSigned(route: unknown): boolean {
  return typeof route === 'object' && route !== null && 'signature' in route;
}

/** A worker listens before it serves. */
async function untilAnswered({ port }: Listening, [body = '']: readonly string[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const deadline = AbortSignal.timeout(START_MS);
  for (;;) {
    deadline.throwIfAborted();
    const response = await fetch(`http://127.0.0.1:${port}/json`, { method: 'POST', headers, body });
    const text = await response.text();
    if (response.ok) return;
    if (response.status !== 503) throw new Error(`it answers ${response.status}: ${text}`);
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

async function measure(load: ChildProcess, leg: Leg): Promise<Measured> {
  const answered = answerOf(load);
  load.send(leg);
  const { measured, problem } = await answered;
  if (measured === undefined) throw new Error(`${leg.path}, ${leg.connections} connections: ${problem}`);
  return measured;
}

function answerOf(load: ChildProcess): Promise<LoadAnswer> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error('the load generator has ended'));
    load.once('exit', onExit);
    load.once('message', (answer: LoadAnswer) => {
      load.off('exit', onExit);
      resolve(answer);
    });
  });
}
