import { Pool } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { type Scribe, sumsOf } from '../conformance/scribe.js';
import { startBeforeModel } from '../support/faults-model.js';
import type { WorkerProcess } from '../support/process.js';

const CLIENTS = 100;
const SEED = 20_261_128;
const MOST_TOKENS = 40;

/** What became of the requests, by `request_idx`. Lost ones never had an answer. */
interface Fates {
  readonly whole: number[];
  readonly refused: number[];
  readonly lost: number[];
  readonly wrong: string[];
}

/** A hundred clients who ask without a pause, half of them for streams, until nobody listens any more. */
class Crowd {
  readonly fates: Fates = { whole: [], refused: [], lost: [], wrong: [] };
  readonly #autoscaler: Scribe;
  readonly #worker: WorkerProcess;
  readonly #pool: Pool;
  readonly #enough: () => void;
  readonly #count: number;
  #lastIdx = 0;

  /** `enough` is called when so many answers have come. */
  constructor(autoscaler: Scribe, worker: WorkerProcess, count: number, enough: () => void) {
    this.#autoscaler = autoscaler;
    this.#worker = worker;
    this.#pool = new Pool(worker.url, { connections: CLIENTS, keepAliveTimeout: 1_000 });
    onTestFinished(() => this.#pool.destroy());
    this.#count = count;
    this.#enough = enough;
  }

  async asks(): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#asksWhileSomebodyListens()));
  }

  async #asksWhileSomebodyListens(): Promise<void> {
    while (!this.#worker.program.hasExited) {
      const request_idx = ++this.#lastIdx;
      const tokens = 1 + (request_idx % MOST_TOKENS);
      const fate = await this.#ask(request_idx, tokens, request_idx % 2 === 0);
      if (typeof fate === 'string') this.fates.wrong.push(`${request_idx}: ${fate}`);
      else fate.push(request_idx);
      if (this.fates.whole.length === this.#count) this.#enough();
    }
  }

  async #ask(request_idx: number, max_tokens: number, stream: boolean): Promise<number[] | string> {
    const { whole, refused, lost } = this.fates;
    let begun = false;
    try {
      const { statusCode, headers, body } = await this.#pool.request({
        method: 'POST',
        path: '/v1/completions',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          auth_data: this.#autoscaler.authFor(this.#worker.url, { request_idx, cost: max_tokens }),
          payload: { model: 'm', prompt: 'p', max_tokens, stream },
        }),
      });
      begun = true;
      const text = await body.text();
      if (statusCode === 503 && headers.connection === 'close') return refused;
      const isWhole =
        text.match(/tok\d+/g)?.length === max_tokens && (!stream || text.endsWith('[DONE]\n\n'));
      return statusCode === 200 && isWhole ? whole : `${statusCode} ${headers.connection} ${text}`;
    } catch (error) {
      return begun ? `broken off: ${error}` : lost;
    }
  }
}

/** The drain begins when so many answers have come. */
const ROUNDS = Array.from(
  { length: 20 },
  (_, round) => [round + 1, 50 + ((SEED * (round + 1)) % 307)] as const,
);

it.each(ROUNDS)(
  `SIGTERM under the load of ${CLIENTS} clients (%i), after %i answers: not one accepted request fails`,
  async (_round, answers) => {
    const { autoscaler, worker } = await startBeforeModel({
      model: { behaviour: { tokensPerSecond: 200 } },
      env: { TSWORKER_DRAIN_TIMEOUT: '30s' },
    });
    await worker.reaches('serving');
    const crowd = new Crowd(autoscaler, worker, answers, () => worker.kill('SIGTERM'));
    await crowd.asks();
    expect(await worker.exited).toEqual({ code: 0, signal: null });

    const { whole, refused, lost, wrong } = crowd.fates;
    expect(wrong).toEqual([]);
    expect(whole.length).toBeGreaterThanOrEqual(answers);
    // Who had no answer was not let in: the autoscaler has heard of just the others.
    const told = (status: string) =>
      autoscaler.finished
        .filter((each) => each.status === status)
        .map(({ request_idx }) => request_idx)
        .toSorted((one, other) => one - other);
    const inOrder = (ids: readonly number[]) => ids.toSorted((one, other) => one - other);
    expect(told('Success')).toEqual(inOrder(whole));
    expect(told('Rejected')).toEqual(inOrder(refused));
    expect(told('Error')).toEqual([]);
    expect(told('Cancelled')).toEqual([]);
    const work = (ids: readonly number[]) => ids.reduce((sum, id) => sum + 1 + (id % MOST_TOKENS), 0);
    expect(sumsOf(autoscaler.statuses)).toEqual({
      new_load: work(whole),
      rej_load: work(refused),
      cur_perf: work(whole),
    });
    expect(worker.told('left.unreported')).toEqual([]);
    console.info(JSON.stringify({ whole: whole.length, refused: refused.length, lost: lost.length }));
  },
);
