import { expect } from 'vitest';
import { type Opened, openAt } from '../conformance/rig.js';
import type { Finished, Scribe } from '../conformance/scribe.js';
import { type Answer, post } from './client.js';
import { type StormModel, unitsOf, type Wish } from './storm-model.js';
import type { Step, StepKind } from './storm-plan.js';
import { next, type RunningWorker } from './worker.js';

const FOR_EVER = '24h';

/** Units of a request that stays for the whole storm: a tenth of a second of work. */
export const BALLAST = 1_000_000;
export const MAX_PERF = 10_000_000;

/**
 * Each route stands for one fate. While the ballast is in the worker, whoever wants no more than 50 ms of wait is
 * refused at the door; in a lane that the ballast holds one waits until the time is over, or until one leaves.
 */
export const STORM_ROUTES = {
  '/parallel': { parallel: true, workload: unitsOf, maxQueueTime: FOR_EVER },
  '/in-turn': { parallel: false, workload: unitsOf, maxQueueTime: FOR_EVER },
  '/impatient': { parallel: true, workload: unitsOf, maxQueueTime: '50ms' },
  '/held/short': { parallel: 1, workload: unitsOf, maxQueueTime: '400ms' },
  '/held/long': { parallel: 1, workload: unitsOf, maxQueueTime: FOR_EVER },
} as const;

export type StormRoute = keyof typeof STORM_ROUTES;

/** What a client knows of its request: what it cost, how it ended, and whether it counts as one. */
export interface Fate {
  readonly units: number;
  readonly is: Finished['status'];
  /** Null: it is part of a session, which counts for it. */
  readonly requestIdx: number | null;
}

/** Clients of one worker, who know what must have become of each of their requests. */
export class Storm {
  readonly fates: Fate[] = [];
  readonly #worker: RunningWorker;
  readonly #autoscaler: Scribe;
  readonly #model: StormModel;

  constructor(worker: RunningWorker, autoscaler: Scribe, model: StormModel) {
    this.#worker = worker;
    this.#autoscaler = autoscaler;
    this.#model = model;
  }

  /** So many clients, each of which takes the next step when it is done with one. */
  async rage(steps: readonly Step[], clients: number): Promise<void> {
    const left = steps.values();
    const client = async () => {
      for (const step of left) await this.#take(step);
    };
    await Promise.all(Array.from({ length: clients }, client));
  }

  /** A request that stays until the model lets go of it. Resolves when the model has it; `ended` when it was answered. */
  async stay(route: StormRoute, units: number): Promise<{ ended: Promise<void> }> {
    const ended = this.#whole(route, { ask: 'held', units }, { requestIdx: 1, reqnum: 1 });
    await Promise.race([this.#model.untilReached(units), ended]);
    return { ended };
  }

  /** Refused since the worker drains. */
  async comesTooLate(units: number): Promise<void> {
    const { status } = await this.#ask('/parallel', { ask: 'whole', units }, { requestIdx: 2, reqnum: 1 });
    this.#expect(503, status);
    this.#note(units, 'Rejected', 2);
  }

  /** Work enough to absorb whatever was given up. */
  async absorb(units: number): Promise<void> {
    await this.#whole('/parallel', { ask: 'whole', units }, { requestIdx: 1, reqnum: 1 });
  }

  async #take(step: Step): Promise<void> {
    await this.#steps[step.kind](step);
  }

  readonly #steps: Readonly<Record<StepKind, (step: Step) => Promise<void>>> = {
    'is answered': (step) => this.#whole('/parallel', { ask: 'whole', ...step }, step),
    'is streamed': (step) => this.#whole('/parallel', { ask: 'stream', ...step }, step),
    'waits for its turn': (step) =>
      this.#whole('/in-turn', { ask: 'whole', ...step, ms: step.ms / 20 }, step),
    'leaves before the first byte': (step) => this.#leaves('/parallel', { ask: 'held', ...step }, step),
    'leaves half-way': (step) => this.#leaves('/parallel', { ask: 'stall', ...step }, step),
    'leaves while it waits': (step) => this.#leaves('/held/long', { ask: 'whole', ...step }, step),
    'is refused at the door': (step) => this.#refused('/impatient', step),
    'waits for too long': (step) => this.#refused('/held/short', step),
    'is an error of the model': (step) => this.#fails(step),
    'is cut by the model': (step) => this.#cut(step),
    'is a session': (step) => this.#session(step),
    'is forged': async (step) => {
      const signature = 'A'.repeat(344);
      this.#expect(
        401,
        (await this.#ask('/parallel', { ask: 'whole', ...step }, { ...step, signature })).status,
      );
    },
    'names no session': async (step) => {
      const session = 'nobody';
      this.#expect(
        410,
        (await this.#ask('/parallel', { ask: 'whole', ...step }, { ...step, session })).status,
      );
    },
    'is malformed': async () => {
      this.#expect(422, (await post(this.#worker.port, '/parallel', { payload: {} })).status);
    },
  };

  async #whole(route: StormRoute, wish: Wish, as: Partial<Step>): Promise<void> {
    this.#expect(200, (await this.#ask(route, wish, as)).status);
    this.#note(wish.units, 'Success', as.requestIdx ?? null);
  }

  async #refused(route: StormRoute, step: Step): Promise<void> {
    const { status, headers } = await this.#ask(route, { ask: 'whole', ...step }, step);
    this.#expect(429, status);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(this.#model.has(step.units)).toBe(false);
    this.#note(step.units, 'Rejected', step.requestIdx);
  }

  async #fails(step: Step): Promise<void> {
    const status = step.ms % 2 === 0 ? 500 : 400;
    this.#expect(status, (await this.#ask('/parallel', { ask: 'error', ...step, status }, step)).status);
    this.#note(step.units, 'Error', step.requestIdx);
  }

  async #cut(step: Step): Promise<void> {
    const wish: Wish = { ask: 'death', ...step };
    await expect(this.#ask('/parallel', wish, step)).rejects.toThrow();
    this.#note(step.units, 'Error', step.requestIdx);
  }

  /** Goes once the worker has taken it in, and the model has it or its first bytes are here. */
  async #leaves(route: StormRoute, wish: Wish, step: Step): Promise<void> {
    const started = next(
      this.#worker.worker,
      'request',
      ({ type, workload }) => type === 'request.started' && workload === step.units,
    );
    const client = this.#open(route, wish, step);
    await started;
    if (wish.ask === 'stall') await firstBytes(client);
    else if (route === '/parallel') await this.#model.untilReached(step.units);
    client.leave();
    this.#note(step.units, 'Cancelled', step.requestIdx);
  }

  /** One that is held while two requests are sent in it, one of which is not waited for. */
  async #session(step: Step): Promise<void> {
    const auth = this.#authOf(step);
    const created = await post(this.#worker.port, '/session/create', { auth_data: auth, payload: {} });
    this.#expect(201, created.status);
    const session = String(Reflect.get(Object(created.body), 'session_id'));
    const inside = { reqnum: step.reqnum, session };
    await this.#whole('/parallel', { ask: 'stream', ms: step.ms, units: step.units + 100_000 }, inside);
    await this.#whole('/in-turn', { ask: 'whole', units: step.units + 200_000 }, inside);
    const end = { session_id: session, session_auth: auth };
    this.#expect(200, (await post(this.#worker.port, '/session/end', end)).status);
    this.#note(step.units, 'Success', step.requestIdx);
  }

  #authOf({ units = 0, requestIdx = 1, reqnum = 1 }: Partial<Step>) {
    const url = `http://127.0.0.1:${this.#worker.port}`;
    return this.#autoscaler.authFor(url, { cost: units, request_idx: requestIdx, reqnum });
  }

  #bodyOf(wish: Wish, { signature, session = null, ...step }: Ask): string {
    const auth = this.#authOf(step);
    return JSON.stringify({
      auth_data: { ...auth, signature: signature ?? auth.signature },
      payload: wish,
      session_id: session,
    });
  }

  #open(route: StormRoute, wish: Wish, ask: Ask): Opened {
    return openAt(this.#worker.port, route, this.#bodyOf(wish, ask));
  }

  /** To the end of its answer. Rejects when that is cut. */
  async #ask(route: StormRoute, wish: Wish, ask: Ask): Promise<Pick<Answer, 'status' | 'headers'>> {
    const response = await this.#open(route, wish, ask).response;
    for await (const _ of response);
    return { status: response.statusCode ?? 0, headers: response.headers };
  }

  #note(units: number, is: Fate['is'], requestIdx: number | null): void {
    this.fates.push({ units, is, requestIdx });
  }

  #expect(expected: number, status: number): void {
    expect(status).toBe(expected);
  }
}

type Ask = Partial<Step> & { readonly signature?: string; readonly session?: string | null };

async function firstBytes({ response }: Opened): Promise<void> {
  const answer = await response;
  answer.on('error', () => {});
  await new Promise((resolve) => answer.once('data', resolve));
}
