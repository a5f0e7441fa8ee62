import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { type Fault, LocalAutoscaler } from '../../src/autoscaler/index.js';
import type { WorkerView } from '../../src/view.js';
import { BUILT } from '../support/build.js';
import type { Books } from './books.js';
import { type Inside, type Sample, sampleOf } from './sample.js';

export const TOKEN = 'the-token-of-the-soak';

const START_MS = 60_000;
const MOST_LINES = 40;

/** The worker, as a process of its own that runs its model server, and the autoscaler that it reports to. */
export class Stage {
  readonly autoscaler: LocalAutoscaler;
  /** How often each event was logged. */
  readonly events: Record<string, number> = {};
  /** How often the model server was started again, by why it had ended. */
  readonly restarts: Record<string, number> = {};
  /** The last lines of warnings and errors. */
  readonly problems: string[] = [];
  readonly exited: Promise<unknown[]>;
  readonly modelPort: number;
  readonly #worker: ChildProcess;
  readonly #folder: string;
  readonly #startedAtMs = performance.now();
  /** Why the model server ended last. */
  #ending = 'it was not said';
  #ports: { port: number; internalPort: number } | undefined;
  /** Hears what the worker tells of its inside when it is asked. */
  #onInside: (inside: Inside) => void = () => {};

  private constructor(autoscaler: LocalAutoscaler, modelPort: number) {
    this.autoscaler = autoscaler;
    this.modelPort = modelPort;
    this.#folder = mkdtempSync(join(tmpdir(), 'tsworker-soak-'));
    const inside = ['--disable-warning=ExperimentalWarning', '--import', './bench/soak/inside.js'];
    this.#worker = spawn(execPath, [...inside, 'src/cli/main.js', 'start', 'bench/soak/backend.js'], {
      cwd: BUILT,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: this.#env(),
    });
    this.exited = once(this.#worker, 'exit');
    if (this.#worker.stdout !== null)
      createInterface(this.#worker.stdout).on('line', (line) => this.#hear(line));
  }

  /** Resolves when the worker serves. */
  static async open(books: Books, fault: () => Fault | undefined): Promise<Stage> {
    const autoscaler = new LocalAutoscaler({ port: 0, reportIntervalMs: 1_000, fault });
    autoscaler.on('message', ({ acknowledged, kind, body }) => {
      if (acknowledged && kind !== 'completions') books.report(toldIn(Object(body)));
    });
    autoscaler.on('completion', ({ request_idx, status, duplicate }) =>
      books.tell(request_idx, status, duplicate),
    );
    await autoscaler.start();
    const stage = new Stage(autoscaler, await freePort());
    await stage.until((view) => view.state === 'serving', START_MS);
    return stage;
  }

  get ageSeconds(): number {
    return Math.round((performance.now() - this.#startedAtMs) / 1_000);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#ports?.port}`;
  }

  /** What a signature proves is the url alone, so that one does for all requests. */
  async signed() {
    for (;;) {
      const route = await this.autoscaler.route(1);
      if ('signature' in route)
        return { endpoint: route.endpoint, signature: route.signature, url: route.url };
      await sleep(100);
    }
  }

  /** Waits until the worker is as it should be. @throws when that takes too long, or it has ended */
  async until(holds: (view: WorkerView) => boolean, withinMs: number): Promise<void> {
    const deadline = AbortSignal.timeout(withinMs);
    for (;;) {
      const view = this.#ports === undefined ? undefined : await this.view().catch(() => undefined);
      if (view !== undefined && holds(view)) return;
      if (this.#worker.exitCode !== null)
        throw new Error(`the worker has ended with ${this.#worker.exitCode}`);
      if (deadline.aborted) throw new Error(`not within ${withinMs} ms: ${JSON.stringify(view)}`);
      await sleep(50);
    }
  }

  async view(): Promise<WorkerView> {
    const { body } = await request(`${this.#internal}/status`, { reset: true });
    return (await body.json()) as WorkerView;
  }

  /** What the update call, or its withdrawal, was answered. */
  async update(method: 'POST' | 'DELETE'): Promise<number> {
    const { statusCode, body } = await request(
      `${method === 'POST' ? this.url : this.#internal}/pyworker/update`,
      { method, headers: { authorization: `Bearer ${TOKEN}` }, reset: true },
    );
    await body.dump();
    return statusCode;
  }

  /** Has the model server do something to itself. */
  async harm(how: 'crash' | 'hang'): Promise<void> {
    const harmed = request(`http://127.0.0.1:${this.modelPort}/${how}`, { reset: true, headersTimeout: 200 });
    await harmed.then(({ body }) => body.dump()).catch(() => {});
  }

  async sample(): Promise<Sample> {
    const inside = new Promise<Inside>((resolve) => {
      this.#onInside = resolve;
    });
    this.#worker.kill('SIGUSR2');
    const { body } = await request(`${this.#internal}/metrics`, { reset: true });
    const metrics = await body.text();
    return sampleOf(await inside, metrics);
  }

  /** Ends the worker as its launcher does. Resolves with its exit code, or the signal that ended it. */
  async stop(): Promise<unknown> {
    this.#worker.kill('SIGTERM');
    const [code, signal] = await this.exited;
    return code ?? signal;
  }

  async close(): Promise<void> {
    if (this.#worker.exitCode === null && this.#worker.signalCode === null) await this.stop();
    await this.autoscaler.stop();
    rmSync(this.#folder, { recursive: true });
  }

  get #internal(): string {
    return `http://127.0.0.1:${this.#ports?.internalPort}`;
  }

  #env(): NodeJS.ProcessEnv {
    return {
      PATH: env.PATH,
      HOME: this.#folder,
      NODE_ENV: 'production',
      CONTAINER_ID: '1',
      MASTER_TOKEN: TOKEN,
      MODEL_SERVER_URL: `http://127.0.0.1:${this.modelPort}`,
      PUBLIC_IPADDR: '127.0.0.1',
      REPORT_ADDR: this.autoscaler.url,
      SOAK_MODEL_COMMAND: `exec '${execPath}' bench/soak/model.js ${this.modelPort}`,
      TSWORKER_BEACON: 'false',
      TSWORKER_DRAIN_TIMEOUT: '20s',
      TSWORKER_HEALTH_INTERVAL: '500ms',
      TSWORKER_HEALTH_TIMEOUT: '2s',
      TSWORKER_HOST: '127.0.0.1',
      TSWORKER_MODEL_GRACE: '1s',
      TSWORKER_MODEL_MAX_BACKOFF: '500ms',
      TSWORKER_MODEL_MAX_CRASHES: '1000',
      TSWORKER_MODEL_STABLE_AFTER: '5s',
      TSWORKER_REPORT_INTERVAL: '1s',
      TSWORKER_REPORT_MAX_BACKOFF: '500ms',
      // An autoscaler that shares a busy machine may answer late: what it was told then, it is told again.
      TSWORKER_REPORT_TIMEOUT: '10s',
      TSWORKER_STATE_DIR: this.#folder,
      TSWORKER_UPDATE_FILE: join(this.#folder, 'force_update'),
      WORKER_HTTP_PORT: '0',
      WORKER_PORT: '0',
    };
  }

  #hear(line: string): void {
    const told = JSON.parse(line);
    const event = String(told.event ?? 'other');
    this.events[event] = (this.events[event] ?? 0) + 1;
    if (event === 'listening') this.#ports = told;
    if (event === 'inside') this.#onInside(told);
    if (event === 'model.died') this.#ending = String(told.reason);
    if (event === 'model.started' && told.restarts > 0) {
      this.restarts[this.#ending] = (this.restarts[this.#ending] ?? 0) + 1;
      this.#ending = 'it was not said';
    }
    if (told.level < 40) return;
    this.problems.push(line);
    if (this.problems.length > MOST_LINES) this.problems.shift();
  }
}

/** What one report told of work. */
function toldIn(body: Readonly<Record<string, unknown>>) {
  const of = (field: string) => Number(body[field] ?? 0);
  return {
    newLoad: of('new_load'),
    rejected: of('rej_load'),
    served: of('cur_perf'),
    received: of('num_requests_recieved'),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('not a TCP address');
  return address.port;
}
