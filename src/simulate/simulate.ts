import { came, expectedPerSecond, type Forecast, movedOn, NO_WORK_YET } from '../../machines/forecast.js';
import { decide } from '../../machines/policy.js';
import { randomFrom } from '../../machines/random.js';
import {
  type Action,
  NO_LAUNCH_FAILED,
  NOTHING_REMEMBERED,
  type ScalingMemory,
} from '../../machines/scaling.js';
import type { Arrivals } from './arrivals.js';
import { SimulatedFleet } from './fleet.js';
import { Router } from './router.js';
import type { Setup } from './setup.js';
import { type Stretch, Tally, type Totals } from './tally.js';
import { VirtualTime } from './virtual-time.js';
import { WaitingLine } from './waiting-line.js';

export interface SimulationOptions {
  readonly setup: Setup;
  readonly arrivals: Arrivals;
  readonly perfs: readonly number[];
  readonly durationMs: number;
  readonly seed: number;
  /** Into how many stretches the figures are cut. */
  readonly stretches: number;
}

export interface SimulationResult {
  readonly totals: Totals;
  readonly stretches: readonly Stretch[];
  readonly decisions: Readonly<Record<Action['do'], number>>;
  readonly workersMade: number;
}

/** How often the policy looks. */
export const LOOK_EVERY_MS = 1_000;

/** One run, from no worker and no request to the end of the time. The same options come to the same result. */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #time = new VirtualTime();
  readonly #router = new Router();
  readonly #waiting = new WaitingLine();
  readonly #tally: Tally;
  readonly #fleet: SimulatedFleet;
  readonly #decisions = { create: 0, activate: 0, deactivate: 0, destroy: 0 };
  #forecast: Forecast = NO_WORK_YET;
  #memory: ScalingMemory = NOTHING_REMEMBERED;
  /** Units that came since the last look. */
  #fresh = 0;
  #nextLookMs = 0;

  constructor(options: SimulationOptions) {
    const { setup, perfs, seed, durationMs, stretches } = options;
    this.#options = options;
    this.#tally = new Tally(durationMs, stretches);
    this.#fleet = new SimulatedFleet({
      time: this.#time,
      router: this.#router,
      tally: this.#tally,
      setup,
      perfs,
      random: randomFrom(seed),
    });
  }

  run(): SimulationResult {
    const { durationMs, arrivals } = this.#options;
    for (let atMs = this.#nextMs(); atMs < durationMs; atMs = this.#nextMs()) {
      this.#tally.advanceTo(atMs);
      this.#time.advanceTo(atMs);
      this.#serveWaiting(atMs);
      if (arrivals.atMs === atMs) this.#take(atMs);
      if (this.#nextLookMs === atMs) this.#look(atMs);
    }
    this.#tally.advanceTo(durationMs);
    return {
      totals: this.#tally.totals(this.#waiting.size),
      stretches: this.#tally.stretches,
      decisions: this.#decisions,
      workersMade: this.#fleet.made,
    };
  }

  /** When something happens next. */
  #nextMs(): number {
    return Math.min(
      this.#options.arrivals.atMs,
      this.#nextLookMs,
      this.#time.nextMs,
      this.#waiting.size === 0 ? Number.POSITIVE_INFINITY : this.#nextServiceMs(),
    );
  }

  /** When somebody who waits is served, or gives up. */
  #nextServiceMs(): number {
    const { clientTimeoutMs } = this.#options.setup;
    const choiceMs = this.#router.nextChoiceMs(this.#longestWaitMs);
    return Math.max(this.#time.nowMs, Math.min(choiceMs, this.#waiting.firstAtMs + clientTimeoutMs));
  }

  /** Nobody waits in a worker for longer than for one. */
  get #longestWaitMs(): number {
    const { maxQueueTimeMs, clientTimeoutMs } = this.#options.setup;
    return Math.min(maxQueueTimeMs, clientTimeoutMs);
  }

  #take(nowMs: number): void {
    const { arrivals } = this.#options;
    const { units } = arrivals;
    arrivals.next();
    this.#tally.arrived(units);
    this.#fresh += units;
    if (this.#waiting.size > 0 || !this.#give(units, nowMs, nowMs)) this.#waiting.add(nowMs, units);
  }

  #serveWaiting(nowMs: number): void {
    const { clientTimeoutMs } = this.#options.setup;
    while (this.#waiting.size > 0) {
      const { firstAtMs, firstUnits } = this.#waiting;
      const isGivenUp = firstAtMs + clientTimeoutMs <= nowMs;
      if (isGivenUp) this.#tally.refused();
      else if (!this.#give(firstUnits, firstAtMs, nowMs)) return;
      this.#waiting.dropFirst();
    }
  }

  /** Whether there was a worker to give it to. */
  #give(units: number, cameAtMs: number, nowMs: number): boolean {
    const worker = this.#router.choose(nowMs, this.#longestWaitMs);
    if (worker === undefined) return false;
    const startMs = this.#router.give(worker, units, nowMs);
    this.#tally.given(units, cameAtMs, startMs, worker.busyUntilMs);
    return true;
  }

  #look(nowMs: number): void {
    this.#nextLookMs += LOOK_EVERY_MS;
    this.#forecast =
      this.#fresh > 0 ? came(this.#forecast, this.#fresh, nowMs) : movedOn(this.#forecast, nowMs);
    this.#fresh = 0;
    const { decisions, memory } = decide(
      this.#options.setup,
      {
        atMs: nowMs,
        workers: this.#fleet.facts(),
        expectedPerSecond: expectedPerSecond(this.#forecast, nowMs),
        waiting: this.#waiting.units,
        waitedMs: this.#waiting.waitedMs(nowMs),
        quietMs: nowMs - (this.#forecast.lastWorkAtMs ?? 0),
        launches: NO_LAUNCH_FAILED,
      },
      this.#memory,
    );
    this.#memory = memory;
    for (const decision of decisions) {
      this.#decisions[decision.do] += 1;
      this.#fleet.follow(decision);
    }
  }
}
