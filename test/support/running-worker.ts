import { onTestFinished } from 'vitest';
import type { WorkState } from '../../machines/lifecycle.js';
import { LocalAutoscaler, type LocalAutoscalerOptions } from '../../src/autoscaler/index.js';
import { type Backend, type Log, readConfig, silentLog, Worker } from '../../src/index.js';

/** A worker in this process with real sockets, stopped when the test has ended. */
export interface RunningWorker {
  readonly worker: Worker;
  readonly url: string;
  readonly internalUrl: string;
  /** The states entered so far, in order. */
  readonly path: readonly WorkState[];
  reaches(state: WorkState): Promise<void>;
}

export async function runningWorker(
  backend: Backend,
  env: Record<string, string> = {},
  log: Log = silentLog,
): Promise<RunningWorker> {
  const settings = readConfig({
    CONTAINER_ID: '7',
    MASTER_TOKEN: 'a secret',
    REPORT_ADDR: 'http://127.0.0.1:9',
    TSWORKER_HOST: '127.0.0.1',
    WORKER_PORT: '0',
    // Nobody answers at the address above, so draining lasts as long as it may.
    TSWORKER_DRAIN_TIMEOUT: '50ms',
    ...env,
  });
  if (!settings.ok) throw new Error(settings.problems.join('\n'));
  const worker = new Worker(backend, settings.config, { log });
  const path: WorkState[] = [];
  const waiting = new Set<() => void>();
  worker.bus.on('lifecycle', ({ state }) => {
    path.push(state);
    for (const look of waiting) look();
  });
  const { port, internalPort } = await worker.start();
  onTestFinished(async () => {
    await worker.stop('the test has ended');
  });
  return {
    worker,
    url: `http://127.0.0.1:${port}`,
    internalUrl: `http://127.0.0.1:${internalPort}`,
    path,
    reaches: (state) =>
      new Promise((resolve) => {
        const look = () => {
          if (!path.includes(state)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** A local autoscaler on a free port, stopped when the test has ended. */
export async function runningAutoscaler(options: LocalAutoscalerOptions = {}): Promise<LocalAutoscaler> {
  const autoscaler = new LocalAutoscaler({ port: 0, ...options });
  await autoscaler.start();
  onTestFinished(() => autoscaler.stop());
  return autoscaler;
}

export function postJson(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

/** A promise with its own handle. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
