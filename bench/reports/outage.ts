import { randomFrom } from '../../machines/random.js';
import { VirtualTime } from '../../src/simulate/virtual-time.js';
import { type Away, SimulatedAutoscaler } from './autoscaler.js';
import { INTERVAL_MS, reportingWorkers, TIMEOUT_MS } from './reporting.js';

/**
 * - `idle`: nothing but heartbeats, each worker's at a moment of its own.
 * - `busy`: work changes, too, and is told a second later.
 * - `together`: nothing but heartbeats, of workers that were all started within the same second.
 */
export type Fleet = 'idle' | 'busy' | 'together';

export interface OutageOptions {
  readonly fleet: Fleet;
  readonly away: Away;
  readonly hasJitter: boolean;
  readonly workers: number;
  readonly outageMs: number;
  readonly perSecond: number;
  readonly seed: number;
}

export interface OutageFigures {
  /** Attempts per second before the outage, and in it. */
  readonly before: number;
  readonly during: number;
  readonly peaksBefore: Peaks;
  /** From the end of the outage on. */
  readonly peaksAfter: Peaks;
  /** Attempts that came to nothing after the end, since too many came at once. */
  readonly failedAfter: number;
  /** From the end of the outage until half of the workers have reported, 99 %, and all; null: they had not within the time. */
  readonly halfMs: number | null;
  readonly mostMs: number | null;
  readonly allMs: number | null;
}

const SETTLE_MS = 1_000;
/** Between two changes of the work of a busy worker, on average. */
const CHANGE_MS = 3_000;
const BEFORE_MS = 40_000;
const AFTER_MS = 40_000;
const ROUND_TRIP_MS = 20;
const TENTH_MS = 100;

/** Many workers report to one autoscaler, which goes away and comes back. */
export function outage(options: OutageOptions): OutageFigures {
  const time = new VirtualTime();
  const awayUntilMs = BEFORE_MS + options.outageMs;
  const away = { awayFromMs: BEFORE_MS, awayUntilMs, away: options.away };
  const limits = { perSecond: options.perSecond, timeoutMs: TIMEOUT_MS, roundTripMs: ROUND_TRIP_MS };
  const autoscaler = new SimulatedAutoscaler(time, { ...away, ...limits });
  const record = new Attempts(awayUntilMs + AFTER_MS);
  const backAtMs = new Map<number, number>();
  const workerOf = reportingWorkers({
    time,
    hasJitter: options.hasJitter,
    send: () => {
      const outcome = autoscaler.take();
      record.add(time.nowMs, 'error' in outcome && time.nowMs >= awayUntilMs);
      return outcome;
    },
    onDelivered: (worker) => {
      if (time.nowMs >= awayUntilMs && !backAtMs.has(worker)) backAtMs.set(worker, time.nowMs - awayUntilMs);
    },
  });
  const random = randomFrom(options.seed);
  for (let nth = 1; nth <= options.workers; nth++) {
    const worker = workerOf(nth);
    time.setTimeout(
      () => {
        worker.start();
        if (options.fleet === 'busy') tellWork(time, random, worker.workIsDue);
      },
      Math.floor(random() * (options.fleet === 'together' ? 1_000 : INTERVAL_MS)),
    );
  }
  time.advanceTo(awayUntilMs + AFTER_MS);
  const back = [...backAtMs.values()].toSorted((one, other) => one - other);
  return { ...record.figures(BEFORE_MS, awayUntilMs), ...returnOf(back, options.workers) };
}

function tellWork(time: VirtualTime, random: () => number, tell: () => void): void {
  const changeMs = Math.round(-Math.log(1 - random()) * CHANGE_MS);
  time.setTimeout(() => {
    tell();
    tellWork(time, random, tell);
  }, SETTLE_MS + changeMs);
}

function returnOf(back: readonly number[], workers: number) {
  const after = (share: number) => back[Math.ceil(share * workers) - 1] ?? null;
  return { halfMs: after(0.5), mostMs: after(0.99), allMs: after(1) };
}

/** How many there were in each tenth of a second. */
class Attempts {
  readonly #tenths: Uint32Array;
  #failedAfter = 0;

  constructor(durationMs: number) {
    this.#tenths = new Uint32Array(Math.ceil(durationMs / TENTH_MS) + 1);
  }

  add(atMs: number, hasFailedAfter: boolean): void {
    const tenth = Math.floor(atMs / TENTH_MS);
    this.#tenths[tenth] = (this.#tenths[tenth] ?? 0) + 1;
    if (hasFailedAfter) this.#failedAfter += 1;
  }

  figures(fromMs: number, untilMs: number) {
    const [from, until] = [fromMs / TENTH_MS, untilMs / TENTH_MS];
    // The first half of what was before is when the workers start.
    const before = this.#tenths.subarray(from / 2, from);
    const after = this.#tenths.subarray(until);
    return {
      before: sum(before) / (fromMs / 2_000),
      during: sum(this.#tenths.subarray(from, until)) / ((untilMs - fromMs) / 1_000),
      peaksBefore: peaksOf(before),
      peaksAfter: peaksOf(after),
      failedAfter: this.#failedAfter,
    };
  }
}

/** The most in any second, and in any tenth of one. */
export interface Peaks {
  readonly second: number;
  readonly tenth: number;
}

function peaksOf(tenths: Uint32Array): Peaks {
  const seconds = [...tenths].map((_count, index) => sum(tenths.subarray(index, index + 10)));
  return { second: Math.max(...seconds), tenth: Math.max(...tenths) };
}

function sum(counts: Uint32Array): number {
  return counts.reduce((total, each) => total + each, 0);
}
