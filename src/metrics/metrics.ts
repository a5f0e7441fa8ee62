import { Registry } from 'prom-client';
import type { RequestEnded } from '../../machines/events.js';
import type { Bus } from '../bus.js';
import type { ErrorCode } from '../errors.js';
import { ModelTally, ReportTally } from './heard.js';
import { LoopLag } from './loop-lag.js';
import { readProcess } from './process.js';
import { type Facts, readingsOf } from './readings.js';
import { registerHistogram, registerReadings } from './register.js';
import { RequestTally } from './tally.js';

export interface MetricsOptions {
  readonly bus: Bus;
  /** The routes whose requests count, as the backend declares them. */
  readonly routes: readonly string[];
  readonly names: Facts['names'];
  /** What the operator sees of the worker. */
  readonly view: () => Facts['view'];
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** When the worker began, in ms of `now`. */
  readonly startedAtMs: number;
}

/** The metrics of one worker, for Prometheus: a registry of its own, fed by the bus. */
export class Metrics {
  readonly requests: RequestTally;
  readonly #options: MetricsOptions;
  readonly #registry = new Registry();
  readonly #reports: ReportTally;
  readonly #model = new ModelTally();
  readonly #told = new Map<ErrorCode, number>();
  readonly #lag = new LoopLag();
  readonly #set;
  readonly #queue;
  readonly #firstByte;
  readonly #duration;

  constructor(options: MetricsOptions) {
    const { bus, routes, now, startedAtMs } = options;
    this.#options = options;
    this.#reports = new ReportTally(startedAtMs);
    this.requests = new RequestTally(routes, (event) => this.#observe(event));
    this.#set = registerReadings(this.#registry);
    this.#queue = registerHistogram('queueSeconds', routes, this.#registry);
    this.#firstByte = registerHistogram('firstByteSeconds', routes, this.#registry);
    this.#duration = registerHistogram('durationSeconds', routes, this.#registry);
    bus.on('request', (event) => this.requests.hear(event));
    bus.on('report', (event) => this.#reports.hear(event, now()));
    bus.on('model', (event) => this.#model.hear(event));
    bus.on('lifecycle', ({ state }) => state !== 'stopped' && this.#lag.start());
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** A client was told an error. */
  told(code: ErrorCode): void {
    this.#told.set(code, (this.#told.get(code) ?? 0) + 1);
  }

  /** Everything as it is now, in the text format of Prometheus. */
  async scrape(): Promise<string> {
    const { names, view, now } = this.#options;
    const process = await readProcess();
    this.#set(
      readingsOf({
        names,
        view: view(),
        requests: this.requests,
        reports: this.#reports,
        model: this.#model,
        told: this.#told,
        lag: this.#lag.last,
        process,
        nowMs: now(),
      }),
    );
    return this.#registry.metrics();
  }

  /** Looks at the event loop no more. */
  stop(): void {
    this.#lag.stop();
  }

  /** What a session takes is up to its client, so that it would say nothing of the worker. */
  #observe({ type, kind, route, atMs, enteredAtMs, workStartedAtMs, firstByteAtMs }: RequestEnded): void {
    if (kind === 'session') return;
    // A request that was refused for its form never waited.
    const hasWaited = workStartedAtMs !== null || type !== 'request.errored';
    if (hasWaited) this.#queue.get(route)?.observe(seconds(enteredAtMs, workStartedAtMs ?? atMs));
    if (firstByteAtMs !== null) this.#firstByte.get(route)?.observe(seconds(enteredAtMs, firstByteAtMs));
    if (workStartedAtMs !== null) this.#duration.get(route)?.observe(seconds(enteredAtMs, atMs));
  }
}

function seconds(fromMs: number, toMs: number): number {
  return Math.max(toMs - fromMs, 0) / 1000;
}
