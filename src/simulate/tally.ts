import type { WorkerPhase } from '../../machines/scaling.js';
import { Distribution } from './distribution.js';

export const PHASES = [
  'creating',
  'loading',
  'ready',
  'stopping',
  'inactive',
  'updating',
  'failed',
] as const satisfies readonly WorkerPhase[];

export type ByPhase<T> = Readonly<Record<WorkerPhase, T>>;

/** Figures of one stretch of the time that was simulated, each over all of the stretch. */
export interface Stretch {
  readonly fromMs: number;
  /** How many workers there were on average. */
  readonly workers: ByPhase<number>;
  /** Units of work per second: that came, and that the workers which were ready could do. */
  readonly load: number;
  readonly capacity: number;
  /** How long the requests that got a worker waited for their turn, in ms. */
  readonly queueP50Ms: number;
  readonly queueP99Ms: number;
  readonly arrived: number;
  readonly refused: number;
}

export interface Totals {
  readonly requests: {
    readonly arrived: number;
    readonly served: number;
    readonly refused: number;
    /** At the end: for a worker, and in one. */
    readonly waiting: number;
    readonly underWay: number;
  };
  readonly units: { readonly arrived: number; readonly served: number };
  readonly queueMs: {
    readonly mean: number;
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
  readonly workerSeconds: ByPhase<number>;
  /** Of those in which a worker was ready or stopping, how many it was at work. */
  readonly busySeconds: number;
  /** The most workers at one time. */
  readonly mostWorkers: number;
}

/** Counts what happens in a simulation: over all of it, and by stretches, in a room that does not grow. */
export class Tally {
  readonly #endMs: number;
  readonly #count: number;
  readonly #stretches: Stretch[] = [];
  readonly #all = new Distribution();
  readonly #queue = new Distribution();
  readonly #counts = noWorkers();
  readonly #seconds = noWorkers();
  #nowMs = 0;
  #countedToMs = 0;
  #capacity = 0;
  #mostWorkers = 0;
  #busyMs = 0;
  #arrived = 0;
  #arrivedUnits = 0;
  #served = 0;
  #servedUnits = 0;
  #underWay = 0;
  #refused = 0;
  #stretch = openStretch(0);
  #stretchEndMs: number;

  constructor(durationMs: number, stretches: number) {
    this.#endMs = durationMs;
    this.#count = stretches;
    this.#stretchEndMs = durationMs / stretches;
  }

  arrived(units: number): void {
    this.#arrived += 1;
    this.#arrivedUnits += units;
    this.#stretch.arrived += 1;
    this.#stretch.units += units;
  }

  refused(): void {
    this.#refused += 1;
    this.#stretch.refused += 1;
  }

  /** A request that came then has got a worker, which begins with it and is done with it at these times. */
  given(units: number, cameAtMs: number, startMs: number, endMs: number): void {
    this.#all.add(startMs - cameAtMs);
    this.#queue.add(startMs - cameAtMs);
    this.#busyMs += Math.min(endMs, this.#endMs) - Math.min(startMs, this.#endMs);
    if (endMs > this.#endMs) {
      this.#underWay += 1;
      return;
    }
    this.#served += 1;
    this.#servedUnits += units;
  }

  /** A worker that does so much per second has gone from one phase to another; null: it was, or is, not there. */
  moved(from: WorkerPhase | null, to: WorkerPhase | null, perf: number): void {
    this.#countTo(this.#nowMs);
    if (from !== null) this.#counts[from] -= 1;
    if (to !== null) this.#counts[to] += 1;
    if (from === 'ready') this.#capacity -= perf;
    if (to === 'ready') this.#capacity += perf;
    if (this.#counts.ready === 0) this.#capacity = 0;
    if (from === null) this.#mostWorkers = Math.max(this.#mostWorkers, sum(this.#counts));
  }

  /** Time goes on: to be told before anything that happens then. */
  advanceTo(atMs: number): void {
    while (this.#stretchEndMs <= atMs) this.#close(this.#stretchEndMs);
    this.#nowMs = atMs;
  }

  get stretches(): readonly Stretch[] {
    return this.#stretches;
  }

  totals(waiting: number): Totals {
    const queue = this.#all;
    return {
      requests: {
        arrived: this.#arrived,
        served: this.#served,
        refused: this.#refused,
        waiting,
        underWay: this.#underWay,
      },
      units: { arrived: this.#arrivedUnits, served: this.#servedUnits },
      queueMs: {
        mean: queue.mean,
        p50: queue.at(0.5),
        p90: queue.at(0.9),
        p99: queue.at(0.99),
        max: queue.max,
      },
      workerSeconds: { ...this.#seconds },
      busySeconds: this.#busyMs / 1_000,
      mostWorkers: this.#mostWorkers,
    };
  }

  #countTo(atMs: number): void {
    const seconds = (atMs - this.#countedToMs) / 1_000;
    if (seconds <= 0) return;
    for (const phase of PHASES) {
      const passed = this.#counts[phase] * seconds;
      this.#seconds[phase] += passed;
      this.#stretch.seconds[phase] += passed;
    }
    this.#stretch.capacity += this.#capacity * seconds;
    this.#countedToMs = atMs;
  }

  #close(endMs: number): void {
    this.#countTo(endMs);
    const { fromMs, seconds, units, capacity, arrived, refused } = this.#stretch;
    const passed = (endMs - fromMs) / 1_000;
    const workers = noWorkers();
    for (const phase of PHASES) workers[phase] = seconds[phase] / passed;
    this.#stretches.push({
      fromMs,
      workers,
      load: units / passed,
      capacity: capacity / passed,
      queueP50Ms: this.#queue.at(0.5),
      queueP99Ms: this.#queue.at(0.99),
      arrived,
      refused,
    });
    this.#queue.clear();
    this.#stretch = openStretch(endMs);
    const next = this.#stretches.length + 1;
    this.#stretchEndMs = next > this.#count ? Number.POSITIVE_INFINITY : (next / this.#count) * this.#endMs;
  }
}

function openStretch(fromMs: number) {
  return { fromMs, seconds: noWorkers(), units: 0, capacity: 0, arrived: 0, refused: 0 };
}

function noWorkers(): Record<WorkerPhase, number> {
  return { creating: 0, loading: 0, ready: 0, stopping: 0, inactive: 0, updating: 0, failed: 0 };
}

function sum(counts: ByPhase<number>): number {
  return PHASES.reduce((total, phase) => total + counts[phase], 0);
}
