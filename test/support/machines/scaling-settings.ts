import type { ScalingSettings } from '../../../machines/scaling.js';

/** A fleet of four at most, which goes to sleep after a minute. */
export const SCALING: ScalingSettings = {
  minLoad: 0,
  targetUtil: 0.9,
  coldMult: 1,
  minColdLoad: 0,
  coldWorkers: 0,
  minWorkers: 0,
  maxWorkers: 4,
  inactivityTimeoutMs: 60_000,
  targetQueueTimeMs: 10_000,
};
