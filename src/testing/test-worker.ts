import { AssertionError } from 'node:assert';
import { setTimeout as pause } from 'node:timers/promises';
import type { SimulatedClock } from 'xstate';
import type { RequestEvent } from '../../machines/events.js';
import type { Outcome, WorkState } from '../../machines/life.js';
import type { RoutedAnswer } from '../autoscaler/index.js';
import type { Backend } from '../backend/index.js';
import { STATE_NAMES } from '../operations/states.js';
import type { WorkerView } from '../view.js';
import type { Worker } from '../worker.js';
import type { RecordingLog } from './recording-log.js';
import type { TestAutoscaler } from './test-autoscaler.js';

export interface CallOptions {
  /** Workload that the autoscaler is told. Default 100. */
  readonly cost?: number;
  /** The id of a session that the request belongs to. */
  readonly session?: string;
  readonly signal?: AbortSignal;
}

export interface TestWorkerParts {
  readonly backend: Backend;
  readonly worker: Worker;
  readonly autoscaler: TestAutoscaler | null;
  readonly clock: SimulatedClock | undefined;
  readonly log: RecordingLog;
  readonly letGo: () => Promise<void>;
}

/** How time goes for a worker that is let go of, where a test has held it: by longer and longer steps. */
const LETTING_GO = { firstStepMs: 100, everyMs: 10 };

/** How long a state may take to come. */
const REACH_MS = 10_000;

export class TestWorker {
  /** The worker itself, for what is not here. */
  readonly worker: Worker;
  readonly autoscaler: TestAutoscaler | null;
  readonly log: RecordingLog;
  /** What happened to its requests, in order. */
  readonly requests: RequestEvent[] = [];
  /** Where clients find it. */
  readonly url: string;
  /** Where its operator finds it. */
  readonly internalUrl: string;

  readonly #parts: TestWorkerParts;
  readonly #entered: WorkState[];
  readonly #listeners = new Set<() => void>();
  #isGone: Promise<void> | undefined;
  /** The place in the path of the state that was reached last. */
  #reached = 0;

  /** For `startTestWorker`. */
  static async start(parts: TestWorkerParts): Promise<TestWorker> {
    const entered: WorkState[] = [];
    const off = parts.worker.bus.on('lifecycle', ({ state }) => void entered.push(state));
    const { port, internalPort } = await parts.worker.start().catch((error: unknown) => {
      off();
      throw error;
    });
    return new TestWorker(parts, entered, port, internalPort);
  }

  private constructor(parts: TestWorkerParts, entered: WorkState[], port: number, internalPort: number) {
    this.#parts = parts;
    this.#entered = entered;
    this.worker = parts.worker;
    this.autoscaler = parts.autoscaler;
    this.log = parts.log;
    this.url = `http://127.0.0.1:${port}`;
    this.internalUrl = `http://127.0.0.1:${internalPort}`;
    this.worker.bus.on('request', (event) => void this.requests.push(event));
    this.worker.bus.on('lifecycle', () => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** The states that it has entered, in order. */
  path(): readonly WorkState[] {
    return [...this.#entered];
  }

  /** What its operator sees of it. */
  view(): WorkerView {
    return this.worker.view();
  }

  /**
   * Resolves when it enters this state. Each call goes on along the path from where the one before ended, so
   * a state that lasted for a moment is not missed.
   *
   * @throws {AssertionError} that says where it is, and why, when it does not within `timeoutMs` (10 s), or has stopped
   */
  async reaches(
    state: WorkState,
    { timeoutMs = REACH_MS }: { readonly timeoutMs?: number } = {},
  ): Promise<void> {
    if (!STATE_NAMES.includes(state))
      throw new TypeError(`A worker is never "${state}"; its states are ${STATE_NAMES.join(', ')}.`);
    const at = () => this.#entered.indexOf(state, this.#reached);
    await this.#until(() => at() >= 0, timeoutMs);
    if (at() < 0) throw this.#astray(state, timeoutMs);
    this.#reached = at();
  }

  /** A request as a client sends it: routed and signed by the autoscaler, in the form of the backend's dialect. */
  async call(path: string, payload: unknown = {}, options: CallOptions = {}): Promise<Response> {
    const { cost = 100, session = null, signal } = options;
    const { dialect } = this.#parts.backend;
    const envelope = async () => ({ auth_data: await this.#route(cost), payload, session_id: session });
    const body = dialect === 'current' ? await envelope() : payload;
    return this.fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  }

  /** A request as it is given, on a connection of its own. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('connection', 'close');
    return fetch(this.url + path, { ...init, headers });
  }

  /**
   * Drains and stops it, and resolves when everything is let go of. Calling it again changes nothing. Where it has
   * a clock that is what its draining may take, so that time may have to be moved meanwhile.
   */
  async stop(reason = 'the test is over'): Promise<Outcome> {
    const outcome = await this.worker.stop(reason);
    await this.#letGo();
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock } = this.#parts;
    const stopped = this.stop();
    if (clock !== undefined) await passTime(clock, stopped);
    await stopped;
  }

  async #route(cost: number): Promise<RoutedAnswer | null> {
    if (this.autoscaler === null) return null;
    const route = await this.autoscaler.route(cost, { worker: this.view().id });
    if ('url' in route) return route;
    throw new AssertionError({
      message: `The autoscaler does not send the request to this worker: ${route.status}. ${this.#whereabouts()}`,
      stackStartFn: this.call,
    });
  }

  #until(holds: () => boolean, timeoutMs: number): Promise<void> {
    const isOver = () => holds() || this.view().state === 'stopped';
    if (isOver()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve();
      };
      const look = () => {
        if (isOver()) end();
      };
      const timer = setTimeout(end, timeoutMs);
      this.#listeners.add(look);
    });
  }

  #astray(state: WorkState, timeoutMs: number): AssertionError {
    const within = this.view().state === 'stopped' ? '' : ` within ${timeoutMs / 1_000} s`;
    return new AssertionError({
      message:
        `The worker has not reached ${state}${within}. ${this.#whereabouts()} ` +
        `Its path is ${this.#entered.join(' → ')}.`,
      stackStartFn: this.reaches,
    });
  }

  #whereabouts(): string {
    const { state, reason } = this.view();
    return `It is ${state}: ${reason}.`;
  }

  #letGo(): Promise<void> {
    this.#isGone ??= this.#parts.letGo();
    return this.#isGone;
  }
}

/** Lets time pass until something is over. */
async function passTime(clock: SimulatedClock, over: Promise<unknown>): Promise<void> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  over.then(end, end);
  for (let stepMs = LETTING_GO.firstStepMs; !isOver; stepMs *= 2) {
    clock.increment(stepMs);
    await pause(LETTING_GO.everyMs);
  }
}
