import { Pool } from 'undici';
import { expect, onTestFinished } from 'vitest';
import type { WorkerProcess } from './process.js';

/** Clients of a hello-autoscaler worker that keep their connections, and count what they have sent. */
export class Clients {
  readonly #pool: Pool;
  #sent = 0;

  constructor(worker: WorkerProcess, connections = 25) {
    this.#pool = new Pool(worker.url, { connections });
    onTestFinished(() => this.#pool.destroy());
  }

  /** Requests that were answered, each of them one unit of work. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends requests side by side. Each of them must be answered as on any good day. */
  async increment(count: number): Promise<void> {
    const answers = await Promise.all(Array.from({ length: count }, () => this.#increment()));
    this.#sent += count;
    expect(tally(answers)).toEqual({ '200 Incremented': count });
  }

  async #increment(): Promise<string> {
    const { statusCode, body } = await this.#pool.request({
      method: 'POST',
      path: '/increment',
      headers: { 'content-type': 'application/json' },
      body: '{"amount":1}',
    });
    return `${statusCode} ${await body.text()}`;
  }
}

function tally(answers: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}
