import { believed } from '../../machines/belief.js';
import type { WorkerPhase } from '../../machines/scaling.js';
import type { DecisionRecord } from './decision-log.js';
import type { Scaler } from './scaler.js';
import { wireSettings } from './scaling-options.js';

/** A worker that this autoscaler starts and stops. */
export interface ScaledWorkerView {
  readonly id: number;
  readonly phase: WorkerPhase;
  /** In the words of the production console. */
  readonly status: string;
  /** Units/s, as it measured; 0: it has not. */
  readonly maxPerf: number;
  /** Units/s that it is believed to do. */
  readonly perf: number;
  /** How often its process was started. */
  readonly starts: number;
  /** In a row. */
  readonly failures: number;
  /** Of which it failed; empty where it has not. */
  readonly reason: string;
}

/** How the fleet is scaled. */
export interface ScalingView {
  /** Names of the wire; times in seconds. */
  readonly settings: ReturnType<typeof wireSettings>;
  /** What the last look saw, and aimed at. Units/s; `waiting` in units, which have waited for so long on average. */
  readonly expectedPerSecond: number;
  readonly waiting: number;
  readonly waitedMs: number;
  readonly quietMs: number;
  readonly wanted: { readonly workers: number; readonly capacity: number; readonly coldCapacity: number };
  /** Starts of workers that have failed in a row, and for how long none is made; null: they are made as wanted. */
  readonly starts: { readonly failed: number; readonly heldForMs: number | null };
  /** Of those that are ready, as far as they are believed, in units/s. */
  readonly capacity: number;
  readonly workers: readonly ScaledWorkerView[];
  /** Workers that a rolling update has still to start anew. */
  readonly toUpdate: readonly number[];
}

/** The answer of `GET /api/decisions`. */
export interface DecisionsView {
  readonly about: string;
  /** Null: this autoscaler starts no workers. */
  readonly scaling: ScalingView | null;
  /** Latest first. */
  readonly decisions: readonly DecisionRecord[];
}

const ABOUT =
  'This local autoscaler is for development, tests and single machines. In production the hosted autoscaler starts and stops workers, or an orchestrator that scales on their metrics.';

export function viewDecisions(scaler: Scaler | undefined, limit?: number): DecisionsView {
  if (scaler === undefined) return { about: ABOUT, scaling: null, decisions: [] };
  return { about: ABOUT, scaling: viewScaling(scaler), decisions: scaler.decisions.latest(limit) };
}

function viewScaling(scaler: Scaler): ScalingView {
  const { atMs, expectedPerSecond, waiting, waitedMs, quietMs, launches } = scaler.facts();
  const { failures: failed, heldUntilMs } = launches;
  const { belief } = scaler;
  const workers = [...scaler.members.values()].flatMap((member) => {
    const { id, phase, status, starts, failures, reason } = member;
    if (phase === null) return [];
    const maxPerf = scaler.perfOf(id);
    return [{ id, phase, status, maxPerf, perf: believed(belief, maxPerf), starts, failures, reason }];
  });
  return {
    settings: wireSettings(scaler.settings),
    expectedPerSecond,
    waiting,
    waitedMs,
    quietMs,
    wanted: scaler.wanted,
    starts: { failed, heldForMs: heldUntilMs === null ? null : Math.max(0, heldUntilMs - atMs) },
    capacity: scaler.capacity,
    workers,
    toUpdate: scaler.update.due,
  };
}
