import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import { expect, onTestFinished } from 'vitest';
import { contentsOf } from '../../src/journal/text.js';
import { Changes } from '../../src/testing/models/changes.js';
import { Scribe } from '../conformance/scribe.js';
import { freePorts } from './free-ports.js';
import { startWorker, type WorkerProcess } from './process.js';
import { temporaryFolder } from './worker-program.js';

/** An instance on which a worker may be started again and again, each going on from the one before. */
export async function anInstance(stateDir = join(temporaryFolder(), 'state')) {
  const autoscaler = await Scribe.start();
  const [port = 0] = await freePorts(1);
  const start = async (): Promise<WorkerProcess> => {
    const worker = await startWorker({
      backend: 'test/fault/backends/counted.ts',
      reportTo: autoscaler.url,
      env: {
        WORKER_PORT: String(port),
        [`VAST_TCP_PORT_${port}`]: String(port),
        PUBLIC_IPADDR: '127.0.0.1',
        UNSECURED: 'true',
        TSWORKER_STATE_DIR: stateDir,
      },
    });
    await worker.reaches('serving');
    return worker;
  };
  return { autoscaler, stateDir, journal: join(stateDir, `journal-7-${port}`), start };
}

/** The journal says that so many requests came, and that the autoscaler knows all of them. */
export async function untilNothingIsOwed(journal: string, requests: number): Promise<void> {
  const owed = () => {
    const { snapshot } = contentsOf(existsSync(journal) ? readFileSync(journal, 'utf8') : '');
    return [snapshot?.accounts.reported.requests, snapshot?.waiting.completions.length];
  };
  await expect.poll(owed, { timeout: 10_000 }).toEqual([requests, 0]);
}

const CLIENTS = 20;

/** Clients who ask and ask again until the worker is gone. Each request has an index of its own. */
export class Crowd {
  /** When each was sent, and when it was answered, by its index; in ms of this process. */
  readonly sentAtMs = new Map<number, number>();
  readonly answeredAtMs = new Map<number, number>();
  readonly #pool: Pool;
  readonly #changes = new Changes();

  readonly #firstIdx: number;

  constructor(worker: Pick<WorkerProcess, 'url'>, firstIdx = 1) {
    this.#firstIdx = firstIdx;
    this.#pool = new Pool(worker.url, { connections: CLIENTS });
    onTestFinished(() => this.#pool.destroy());
  }

  /** Resolves when nobody is answered any more. */
  async come(): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#askAndAsk()));
  }

  /** Resolves when so many were answered since. */
  async untilAnswered(count: number, sinceMs = 0): Promise<void> {
    await this.#changes.until(() => since(this.answeredAtMs, sinceMs).length >= count || undefined);
  }

  async #askAndAsk(): Promise<void> {
    while (await this.ask()) this.#changes.changed();
  }

  /** One who asks for what takes longer than any test. Resolves when the worker is gone, or rejects if it answers. */
  async stay(): Promise<void> {
    if (await this.ask({ stays: true })) throw new Error('who stays was answered');
  }

  /** Whether it was answered. */
  async ask(payload: { readonly stays?: boolean } = {}): Promise<boolean> {
    const idx = this.#firstIdx + this.sentAtMs.size;
    this.sentAtMs.set(idx, performance.now());
    try {
      const { statusCode, body } = await this.#pool.request({
        method: 'POST',
        path: '/run',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ auth_data: { request_idx: idx }, payload }),
      });
      await body.dump();
      if (statusCode !== 200) throw new Error(`answered with ${statusCode}`);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('answered')) throw error;
      return false;
    }
    this.answeredAtMs.set(idx, performance.now());
    return true;
  }
}

/** The indices of what happened at this time or later. */
export function since(times: ReadonlyMap<number, number>, atMs: number): number[] {
  return [...times].filter(([, timeMs]) => timeMs >= atMs).map(([idx]) => idx);
}

/** The indices of what happened before. */
export function before(times: ReadonlyMap<number, number>, atMs: number): number[] {
  return [...times].filter(([, timeMs]) => timeMs < atMs).map(([idx]) => idx);
}
