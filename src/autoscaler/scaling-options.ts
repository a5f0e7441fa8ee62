import type { FleetWorkerInput } from '../../machines/fleet-worker-setup.js';
import type { ScalingSettings } from '../../machines/scaling.js';
import type { Launcher } from './launcher.js';

/** What an endpoint wants of its fleet. */
export interface EndpointSettings extends ScalingSettings {
  /** A worker that has more to do than this is full: it gets no more. Infinity: none ever is. */
  readonly maxQueueTimeMs: number;
}

/** How long is waited for what a worker should do. */
export interface Patience extends Omit<FleetWorkerInput, 'id'> {
  /** How long no worker is started when several starts in a row have failed; twice as long after each further one. */
  readonly hold: { readonly baseMs: number; readonly capMs: number };
}

export interface ScalingOptions {
  readonly settings: EndpointSettings;
  /** How workers are started and ended. */
  readonly launcher: Launcher;
  readonly patience?: Partial<Patience>;
}

/** @param reportIntervalMs three of them without a report are silence */
export function patienceOf(given: Partial<Patience>, reportIntervalMs: number): Patience {
  return {
    firstWordWithinMs: 60_000,
    silentAfterMs: 3 * reportIntervalMs,
    failingForMs: 60_000,
    arrivalMs: 2_000,
    drainWithinMs: 75_000,
    answerWithinMs: 10_000,
    stableAfterMs: 600_000,
    pause: { baseMs: 5_000, capMs: 300_000 },
    hold: { baseMs: 5_000, capMs: 300_000 },
    ...given,
  };
}

/** The settings as the wire names them, in seconds. */
export function wireSettings(settings: EndpointSettings) {
  const { inactivityTimeoutMs, maxQueueTimeMs } = settings;
  return {
    min_load: settings.minLoad,
    target_util: settings.targetUtil,
    cold_mult: settings.coldMult,
    min_cold_load: settings.minColdLoad,
    cold_workers: settings.coldWorkers,
    min_workers: settings.minWorkers,
    max_workers: settings.maxWorkers,
    inactivity_timeout: inactivityOnTheWire(inactivityTimeoutMs),
    max_queue_time: Number.isFinite(maxQueueTimeMs) ? maxQueueTimeMs / 1_000 : null,
    target_queue_time: settings.targetQueueTimeMs / 1_000,
  };
}

/** 0: off; below: never to zero. */
function inactivityOnTheWire(timeoutMs: EndpointSettings['inactivityTimeoutMs']): number {
  if (timeoutMs === 'never') return -1;
  return timeoutMs === 'off' ? 0 : timeoutMs / 1_000;
}
