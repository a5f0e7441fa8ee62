/**
 * How many workers there are to be, and which of them work: the scaling policy of the local autoscaler, as a function
 * of what is known. It starts as many as the load wants at once, and lets them go only when they have been spare for a
 * while, so that a load that is steady moves nothing.
 *
 * - A worker that works is **active**; one whose model server is stopped, but that would start quickly, is **inactive**.
 * - The load wants a capacity: work that is expected per second ÷ `targetUtil`; more where work waits longer for a
 *   worker than `targetQueueTimeMs`, to be done with it in as long as it took to come, and one worker more where each
 *   has more to do than that.
 * - Of inactive ones as many are kept as a multiple of that load (`coldMult`) would want.
 * - Where starts fail, one after the other, they are made more rarely and one at a time (`launches.ts`).
 */

/** What an endpoint wants, in the terms of its parameters on the wire. Work in units, per second where it is a rate. */
export interface ScalingSettings {
  /** Capacity is kept for this much, whatever comes. Units/s. */
  readonly minLoad: number;
  /** How much of the capacity the load may take, over 0 and up to 1. */
  readonly targetUtil: number;
  /** Active and inactive workers together can take so many times the load. */
  readonly coldMult: number;
  /** Active and inactive workers together can take this much at least. Units/s. */
  readonly minColdLoad: number;
  /** So many are inactive beside those that the load wants. */
  readonly coldWorkers: number;
  /** So many there are at least, and at most, active and inactive together. */
  readonly minWorkers: number;
  readonly maxWorkers: number;
  /**
   * After so long without a request all are let go, whatever `minLoad` says, until the next. `off`: only where there
   * is no load to provide for; `never`: one stays.
   */
  readonly inactivityTimeoutMs: number | 'off' | 'never';
  /** More are started when what waits would take longer than this. */
  readonly targetQueueTimeMs: number;
}

/** Where a worker is on its way. `failed` ones take up a place until they are replaced. */
export type WorkerPhase = 'creating' | 'loading' | 'ready' | 'stopping' | 'inactive' | 'updating' | 'failed';

export interface WorkerFacts {
  readonly id: number;
  readonly phase: WorkerPhase;
  /** Units of work per second, as it measured; 0: it has not. */
  readonly maxPerf: number;
  /** Units of work that are in it. */
  readonly pending: number;
}

export interface FleetFacts {
  readonly atMs: number;
  readonly workers: readonly WorkerFacts[];
  /** Units of work per second that are expected. */
  readonly expectedPerSecond: number;
  /** Units of work that wait for a worker. */
  readonly waiting: number;
  /** How long that has waited so far, on average of its units. */
  readonly waitedMs: number;
  /** How long ago the last request came, or how long it has been looked at where none has. */
  readonly quietMs: number;
  readonly launches: Launches;
}

/** How the last starts of workers went. */
export interface Launches {
  /** Starts that have failed since the last one that did not. */
  readonly failures: number;
  /** How often starts were held back since. */
  readonly holds: number;
  /** Until then nobody is started, and after it one at a time; null: as many as are wanted may be. */
  readonly heldUntilMs: number | null;
}

export const NO_LAUNCH_FAILED: Launches = { failures: 0, holds: 0, heldUntilMs: null };

/** What the policy remembers from one look to the next. */
export interface ScalingMemory {
  /** Since when active workers, and inactive ones, have been more than are wanted; null: they are not. */
  readonly spareSinceMs: number | null;
  readonly coldSpareSinceMs: number | null;
}

export const NOTHING_REMEMBERED: ScalingMemory = { spareSinceMs: null, coldSpareSinceMs: null };

export type Action =
  /** A new worker, which loads and then works. */
  | { readonly do: 'create' }
  /** An inactive one starts. */
  | { readonly do: 'activate'; readonly worker: number }
  /** An active one finishes what it has, and becomes inactive. */
  | { readonly do: 'deactivate'; readonly worker: number }
  /** An inactive one is given up. */
  | { readonly do: 'destroy'; readonly worker: number };

/** `reason`: one sentence, with the figures that led to it. */
export type Decision = Action & { readonly reason: string };

export interface Verdict {
  readonly decisions: readonly Decision[];
  readonly memory: ScalingMemory;
  /** What was aimed at, for people to see: how many are to work, and how much those that are there are to do. */
  readonly wanted: { readonly workers: number; readonly capacity: number; readonly coldCapacity: number };
}
