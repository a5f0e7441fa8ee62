import { describe, expect, it } from 'vitest';
import {
  type EndpointSettings,
  type Patience,
  patienceOf,
  wireSettings,
} from '../../src/autoscaler/scaling-options.js';

const SETTINGS: EndpointSettings = {
  minLoad: 1,
  targetUtil: 0.8,
  coldMult: 2.5,
  minColdLoad: 3,
  coldWorkers: 4,
  minWorkers: 5,
  maxWorkers: 6,
  inactivityTimeoutMs: 90_500,
  maxQueueTimeMs: 30_000,
  targetQueueTimeMs: 7_500,
};

describe('the settings of an endpoint, on the wire', () => {
  it('have the names of the wire, and times in seconds', () => {
    expect(wireSettings(SETTINGS)).toEqual({
      min_load: 1,
      target_util: 0.8,
      cold_mult: 2.5,
      min_cold_load: 3,
      cold_workers: 4,
      min_workers: 5,
      max_workers: 6,
      inactivity_timeout: 90.5,
      max_queue_time: 30,
      target_queue_time: 7.5,
    });
  });

  it.each<[EndpointSettings['inactivityTimeoutMs'], number]>([
    ['off', 0],
    ['never', -1],
    [1_500, 1.5],
  ])('tell an inactivity timeout that is %s as %d', (inactivityTimeoutMs, told) => {
    expect(wireSettings({ ...SETTINGS, inactivityTimeoutMs }).inactivity_timeout).toBe(told);
  });

  it('tell no limit as null, which JSON can hold', () => {
    const told = wireSettings({ ...SETTINGS, maxQueueTimeMs: Number.POSITIVE_INFINITY });
    expect(told.max_queue_time).toBeNull();
    expect(JSON.parse(JSON.stringify(told))).toEqual(told);
  });
});

describe('patience with workers', () => {
  const usual: Patience = {
    firstWordWithinMs: 60_000,
    silentAfterMs: 30_000,
    failingForMs: 60_000,
    arrivalMs: 2_000,
    drainWithinMs: 75_000,
    answerWithinMs: 10_000,
    stableAfterMs: 600_000,
    pause: { baseMs: 5_000, capMs: 300_000 },
    hold: { baseMs: 5_000, capMs: 300_000 },
  };

  it('is three reports long before a worker counts as silent', () => {
    expect(patienceOf({}, 10_000)).toEqual(usual);
    expect(patienceOf({}, 250)).toEqual({ ...usual, silentAfterMs: 750 });
  });

  it('is what was given, and the rest as it is', () => {
    const given = { arrivalMs: 1, silentAfterMs: 9, pause: { baseMs: 1, capMs: 2 } };
    expect(patienceOf(given, 10_000)).toEqual({ ...usual, ...given });
  });
});
