import { onTestFinished } from 'vitest';
import helloworld from '../../backends/helloworld.js';
import type { RequestEvent } from '../../machines/events.js';
import type { LifecycleEmitted, WorkState } from '../../machines/life.js';
import { type Backend, type BackendDefinition, defineBackend } from '../../src/backend/index.js';
import type { BusEvents, Topic } from '../../src/bus.js';
import { type Config, readConfig } from '../../src/config/index.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import type { WorkerView } from '../../src/view.js';
import { Worker } from '../../src/worker.js';
import { send } from './client.js';

/** What a test changes of the environment in which its worker runs. */
export type Env = Readonly<Record<string, string>>;

/** Free ports on loopback, an autoscaler that nobody is, and nothing that takes long. */
const ENV: Env = {
  CONTAINER_ID: '7',
  MASTER_TOKEN: 'the-master-token',
  REPORT_ADDR: 'http://127.0.0.1:9',
  TSWORKER_HOST: '127.0.0.1',
  WORKER_PORT: '0',
  WORKER_HTTP_PORT: '0',
  TSWORKER_DRAIN_TIMEOUT: '200ms',
};

export function configOf(env: Env = {}): Config {
  const result = readConfig({ ...ENV, ...env });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

export interface RunningWorker {
  readonly worker: Worker;
  readonly log: RecordingLog;
  readonly port: number;
  readonly internalPort: number;
  /** Every request event so far. */
  readonly requests: readonly RequestEvent[];
  /** Every change of state so far. */
  readonly states: readonly LifecycleEmitted[];
}

/** A worker that is not yet started. By default it reports to nobody, so that it stops at once. */
export function makeWorker(backend: Backend = helloworld, env: Env = {}) {
  const log = new RecordingLog();
  const worker = new Worker(backend, configOf(env), { log });
  const requests: RequestEvent[] = [];
  const states: LifecycleEmitted[] = [];
  worker.bus.on('request', (event) => void requests.push(event));
  worker.bus.on('lifecycle', (event) => void states.push(event));
  return { worker, log, requests, states };
}

/** A worker that listens. */
export async function startWorker(backend?: Backend, env?: Env): Promise<RunningWorker> {
  const made = makeWorker(backend, env);
  const ports = await made.worker.start();
  onTestFinished(async () => void (await made.worker.stop('the test is over')));
  return { ...made, ...ports };
}

/** A worker that serves. */
export async function serve(backend?: Backend, env?: Env): Promise<RunningWorker> {
  const running = await startWorker(backend, env);
  await untilState(running.worker, 'serving');
  return running;
}

/** A backend that reports to nobody, for what is not about reports. */
export function quietBackend<State, Bodies extends Record<string, unknown>>(
  definition: Omit<BackendDefinition<State, Bodies>, 'name' | 'dialect'>,
): Backend {
  return defineBackend({ ...definition, name: 'quiet', dialect: 'none' });
}

/** The first event of a topic, from now on, that matches. */
export function next<T extends Topic>(
  { bus }: Pick<Worker, 'bus'>,
  topic: T,
  matches: (event: BusEvents[T]) => boolean = () => true,
): Promise<BusEvents[T]> {
  return new Promise((resolve) => {
    const off = bus.on(topic, (event) => {
      if (!matches(event)) return;
      off();
      resolve(event);
    });
  });
}

export async function untilState(worker: Worker, state: WorkState): Promise<void> {
  if (worker.view().state !== state) await next(worker, 'lifecycle', (event) => event.state === state);
}

/** What the operator sees, once it is as asked. */
export async function untilView(
  { internalPort }: RunningWorker,
  matches: (view: WorkerView) => boolean,
): Promise<WorkerView> {
  for (;;) {
    const { body } = await send(internalPort, '/status');
    if (matches(body as WorkerView)) return body as WorkerView;
  }
}

/** The types of the events, in the order in which they came. */
export function typesOf(events: readonly { type: string }[]): string[] {
  return events.map(({ type }) => type);
}

/** A promise and the functions that settle it. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
