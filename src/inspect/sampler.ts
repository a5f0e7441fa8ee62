import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { RequestEvent } from '../../machines/events.js';
import { memoryUse } from '../memory-use.js';
import type { Sample } from './contract.js';
import { Quantiles } from './quantiles.js';

const PERIOD_MS = 1_000;
const LAG_RESOLUTION_MS = 20;
const MIB = 2 ** 20;

/** What there is in the worker at a moment. */
export interface Present {
  /** Units of work. */
  readonly load: number;
  /** Requests. */
  readonly queued: number;
  readonly inFlight: number;
}

export interface SamplerOptions {
  readonly present: () => Present;
  /** Unix time in ms. */
  readonly now: () => number;
  readonly onSample: (sample: Sample) => void;
}

/** Says each second how it goes. To be told of each request it costs a few additions. */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #latency = new Quantiles();
  readonly #firstByte = new Quantiles();
  #served = 0;
  /** When it could be read last. */
  #residentBytes = 0;
  #reportedAtMs: number | null = null;
  #lag: IntervalHistogram | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
    this.#lag.enable();
    this.#timer = setInterval(() => this.#options.onSample(this.take()), PERIOD_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#lag?.disable();
  }

  hear(event: RequestEvent): void {
    if (event.type === 'request.started' || event.type === 'request.rejected') return;
    if (event.type === 'request.succeeded') this.#served += event.workload;
    // How long a session lasts is up to its client.
    if (event.kind === 'session') return;
    this.#latency.add(event.atMs - event.enteredAtMs);
    if (event.firstByteAtMs !== null) this.#firstByte.add(event.firstByteAtMs - event.enteredAtMs);
  }

  /** The autoscaler has acknowledged a report. */
  reported(): void {
    this.#reportedAtMs = this.#options.now();
  }

  /** Of what was since the last one. */
  take(): Sample {
    const atMs = this.#options.now();
    const { residentBytes, heapBytes } = memoryUse();
    if (!Number.isNaN(residentBytes)) this.#residentBytes = residentBytes;
    const sample: Sample = {
      atMs,
      ...this.#options.present(),
      served: this.#served,
      latencyP50Ms: this.#latency.of(0.5),
      latencyP99Ms: this.#latency.of(0.99),
      firstByteP50Ms: this.#firstByte.of(0.5),
      reportLagMs: this.#reportedAtMs === null ? null : Math.max(atMs - this.#reportedAtMs, 0),
      rssMib: oneDecimal(this.#residentBytes / MIB),
      heapMib: oneDecimal(heapBytes / MIB),
      eventLoopLagMs: this.#takeLag(),
    };
    this.#served = 0;
    this.#latency.clear();
    this.#firstByte.clear();
    return sample;
  }

  #takeLag(): number {
    if (this.#lag === undefined || this.#lag.count === 0) return 0;
    const lateMs = this.#lag.max / 1e6 - LAG_RESOLUTION_MS;
    this.#lag.reset();
    return oneDecimal(Math.max(lateMs, 0));
  }
}

function oneDecimal(amount: number): number {
  return Math.round(amount * 10) / 10;
}
