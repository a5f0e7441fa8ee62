import { createServer, type ServerResponse } from 'node:http';
import { Agent, request } from 'undici';
import { onTestFinished } from 'vitest';
import { startAutoscaler } from './faults-load.js';
import { startWorker, type WorkerProcess, type WorkerSetup } from './process.js';

/** Where the puppet backend asks what to do: paths that are held wait until they are released. */
export class Upstream {
  readonly #held = new Map<string, ServerResponse[]>();
  readonly #watchers = new Set<() => void>();
  readonly #server = createServer((incoming, response) => {
    const waiting = this.#held.get(incoming.url ?? '');
    if (waiting === undefined) {
      response.end('at once');
      return;
    }
    waiting.push(response);
    response.once('close', () => this.#changed());
    this.#changed();
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      this.#server.close();
      this.#server.closeAllConnections();
    });
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not a TCP address');
    return `http://127.0.0.1:${address.port}`;
  }

  hold(path: string): void {
    this.#held.set(path, []);
  }

  /** Answers those who wait, and from then on everybody at once. */
  release(path: string): void {
    const waiting = this.#held.get(path) ?? [];
    this.#held.delete(path);
    for (const response of waiting) response.end('after a while');
  }

  /** Resolves when exactly so many wait. Who has gone does not. */
  waiting(path: string, count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        const waiting = (this.#held.get(path) ?? []).filter((response) => !response.destroyed);
        if (waiting.length !== count) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

export interface Answer {
  readonly status: number;
  readonly connection: string | undefined;
  readonly body: string;
}

export type Answered = Answer | { readonly lost: string };

/** One client a request: it has a connection of its own, which it would keep. */
export async function post(worker: WorkerProcess, path: string): Promise<Answered> {
  const agent = new Agent({ connections: 1 });
  onTestFinished(() => agent.destroy());
  try {
    const { statusCode, headers, body } = await request(`${worker.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      dispatcher: agent,
    });
    const connection = headers.connection;
    return {
      status: statusCode,
      connection: Array.isArray(connection) ? connection.join() : connection,
      body: await body.text(),
    };
  } catch (error) {
    return { lost: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}

export interface Puppet {
  readonly upstream: Upstream;
  readonly worker: WorkerProcess;
  /** Requests that wait for `/answer` upstream. */
  readonly begin: (count: number) => Promise<readonly Promise<Answered>[]>;
}

export interface PuppetSetup extends WorkerSetup {
  /** Hold these from the start. */
  readonly hold?: readonly string[];
}

/** A worker with the puppet backend, and the hand that holds its strings. */
export async function startPuppet({ hold = ['/answer'], env, ...setup }: PuppetSetup): Promise<Puppet> {
  const upstream = new Upstream();
  await upstream.start();
  for (const path of hold) upstream.hold(path);
  const worker = await startWorker({
    ...setup,
    backend: 'test/fault/backends/puppet.ts',
    env: { UPSTREAM: upstream.url, ...env },
  });
  const begin = async (count: number) => {
    const answers = Array.from({ length: count }, () => post(worker, '/ask'));
    await upstream.waiting('/answer', count);
    return answers;
  };
  return { upstream, worker, begin };
}

/** An autoscaler and a puppet that serves and reports to it. */
export async function startServingPuppet(setup: Omit<PuppetSetup, 'reportTo'> = {}) {
  const autoscaler = await startAutoscaler();
  const puppet = await startPuppet({ ...setup, reportTo: autoscaler.url });
  await puppet.worker.reaches('serving');
  return { autoscaler, ...puppet };
}
