import { Pool } from 'undici';
import { onTestFinished } from 'vitest';
import { Scribe } from '../conformance/scribe.js';
import { serveModel } from './model-server.js';
import { startWorker, type WorkerProcess } from './process.js';

/** A worker process in front of a model server that answers each prompt with itself. */
export async function startBeforeEcho(env: Readonly<Record<string, string>> = {}) {
  const autoscaler = await Scribe.start();
  const model = await serveModel((request, response) => {
    if (request.method === 'GET') response.end('{}');
    else void readJson(request).then((body) => response.end(String(body.prompt)));
  });
  const worker = await startWorker({
    backend: 'openai',
    reportTo: autoscaler.url,
    measureHeap: true,
    env: {
      MODEL_SERVER_URL: model.url,
      TSWORKER_READINESS: 'health',
      TSWORKER_HEALTH_INTERVAL: '50ms',
      TSWORKER_MAX_PERF: '1000000',
      PUBLIC_IPADDR: '127.0.0.1',
      ...env,
    },
  });
  await worker.reaches('serving');
  return { autoscaler, model, worker };
}

async function readJson(request: AsyncIterable<Buffer>): Promise<{ readonly prompt?: unknown }> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString()) as { prompt?: unknown };
}

const REGULARS = 10;

/**
 * Clients who behave: each keeps its connection, and each of their requests is signed, bears a mark of its own, and
 * must be answered with it.
 */
export class Regulars {
  /** What was not answered as it should be. */
  readonly wrong: string[] = [];
  served = 0;
  /** How many reports of the worker went by during the request that took longest: the worker's own clock. */
  mostReports = 0;
  readonly #pool: Pool;
  readonly #autoscaler: Scribe;
  readonly #auth: ReturnType<Scribe['authFor']>;

  constructor({ autoscaler, worker }: { autoscaler: Scribe; worker: WorkerProcess }) {
    this.#pool = new Pool(worker.url, { connections: REGULARS });
    onTestFinished(() => this.#pool.destroy());
    this.#autoscaler = autoscaler;
    this.#auth = autoscaler.authFor(worker.url);
  }

  /** Each of them asks so many times. */
  async ask(times: number): Promise<void> {
    await this.#each(async () => {
      for (let time = 0; time < times; time++) await this.#one();
    });
  }

  /** Each of them asks again and again, until that is settled. */
  async askUntil<T>(settled: Promise<T>): Promise<T> {
    let isSettled = false;
    const noted = settled.finally(() => {
      isSettled = true;
    });
    await this.#each(async () => {
      while (!isSettled) await this.#one();
    });
    return noted;
  }

  async #each(act: () => Promise<void>): Promise<void> {
    await Promise.all(Array.from({ length: REGULARS }, act));
  }

  async #one(): Promise<void> {
    const request_idx = this.served + this.wrong.length;
    const mark = `mark ${Math.random()}`;
    const reports = this.#autoscaler.statuses.length;
    const told = await this.#send(mark, request_idx).catch(String);
    this.mostReports = Math.max(this.mostReports, this.#autoscaler.statuses.length - reports);
    if (told === `200 ${mark}`) this.served += 1;
    else this.wrong.push(told);
  }

  async #send(prompt: string, request_idx: number): Promise<string> {
    const payload = { model: 'm', prompt, max_tokens: 1 };
    const { statusCode, body } = await this.#pool.request({
      method: 'POST',
      path: '/v1/completions',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth_data: { ...this.#auth, request_idx }, payload }),
    });
    return `${statusCode} ${await body.text()}`;
  }
}
