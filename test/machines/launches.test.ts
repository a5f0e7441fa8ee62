import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURES_BEFORE_HOLD, launchFailed, startsAllowed } from '../../machines/launches.js';
import {
  type Decision,
  type FleetFacts,
  type Launches,
  NO_LAUNCH_FAILED,
  type ScalingSettings,
  type WorkerPhase,
} from '../../machines/scaling.js';
import { SCALING } from '../support/machines/scaling-settings.js';
import { HOLD, SimulatedFleet } from '../support/machines/simulated-fleet.js';

const PAUSE = { baseMs: 1_000, capMs: 5_000 };

/** After starts that failed at these times. */
const failedAt = (...atMs: readonly number[]) =>
  atMs.reduce<Launches>((launches, each) => launchFailed(launches, PAUSE, each), NO_LAUNCH_FAILED);

describe('starts that fail', () => {
  it.each<[string, readonly number[], Launches]>([
    ['two may', [0, 10], { failures: 2, holds: 0, heldUntilMs: null }],
    ['with the third none is made for a while', [0, 10, 20], { failures: 3, holds: 1, heldUntilMs: 1_020 }],
    [
      'those that were under way then do not make it longer',
      [0, 10, 20, 500, 1_019],
      { failures: 5, holds: 1, heldUntilMs: 1_020 },
    ],
    ['the next one doubles it', [0, 10, 20, 1_020], { failures: 4, holds: 2, heldUntilMs: 3_020 }],
    [
      'there is a longest',
      [0, 10, 20, 2_000, 5_000, 10_000, 20_000],
      { failures: 7, holds: 5, heldUntilMs: 25_000 },
    ],
  ])('%s', (_name, atMs, launches) => {
    expect(failedAt(...atMs)).toEqual(launches);
  });
});

describe('the starts that may be made', () => {
  const starts: readonly Decision[] = [
    { do: 'activate', worker: 7, reason: 'it is wanted' },
    { do: 'create', reason: 'it is wanted too' },
  ];
  const allowed = (launches: Launches, atMs: number, ...phases: readonly WorkerPhase[]) =>
    startsAllowed(starts, {
      launches,
      atMs,
      workers: phases.map((phase) => ({ phase })),
    } as unknown as FleetFacts);

  it('are all where it was not held back', () => {
    expect(allowed(failedAt(0, 10), 20, 'loading')).toEqual(starts);
  });

  it('are none for a while, and then one alone, which says so', () => {
    const held = failedAt(0, 10, 20);
    expect(allowed(held, 1_019)).toEqual([]);
    expect(allowed(held, 1_020, 'ready', 'failed', 'updating')).toEqual([
      {
        do: 'activate',
        worker: 7,
        reason: 'it is wanted; it alone, since the last 3 starts have failed',
      },
    ]);
  });

  it.each<WorkerPhase>(['creating', 'loading'])('are none while one is %s', (phase) => {
    expect(allowed(failedAt(0, 10, 20), 9_000, phase)).toEqual([]);
  });
});

const SETTINGS: ScalingSettings = { ...SCALING, inactivityTimeoutMs: 'never' };

describe('a fleet of a broken backend', () => {
  const broken = fc.record({
    maxWorkers: fc.integer({ min: 1, max: 30 }),
    minWorkers: fc.integer({ min: 0, max: 30 }),
    coldWorkers: fc.integer({ min: 0, max: 5 }),
    load: fc.integer({ min: 0, max: 200 }),
    loadSeconds: fc.integer({ min: 1, max: 40 }),
    mendedAfter: fc.integer({ min: 10, max: 1_500 }),
  });

  it('is started more and more rarely, one worker at a time, and comes up when it is mended', () => {
    fc.assert(
      fc.property(broken, ({ maxWorkers, minWorkers, coldWorkers, load, loadSeconds, mendedAfter }) => {
        const fleet = new SimulatedFleet({
          settings: { ...SETTINGS, maxWorkers, minWorkers: Math.min(minWorkers, maxWorkers), coldWorkers },
          load: () => load,
          loadSeconds,
          startSeconds: loadSeconds,
          isBroken: (second) => second < mendedAfter,
        });
        let most = 0;
        fleet.run(mendedAfter, ({ workers }) => {
          most = Math.max(most, workers.length);
        });
        expect(most).toBeLessThanOrEqual(maxWorkers);
        const starts = fleet.decisions
          .filter((each) => each.do === 'create' || each.do === 'activate')
          .map(({ second }) => second);
        // Those before it is held back are as many as are wanted at once, twice if a single one was tried first.
        const first = starts.filter((second) => second < (FAILURES_BEFORE_HOLD + 1) * (loadSeconds + 6));
        expect(first.length).toBeLessThanOrEqual(FAILURES_BEFORE_HOLD + 2 * maxWorkers);
        const later = starts.slice(first.length);
        later.forEach((second, index) => {
          const gap = second - (later[index - 1] ?? Number.NEGATIVE_INFINITY);
          expect(gap).toBeGreaterThanOrEqual(
            Math.min(HOLD.capMs, HOLD.baseMs * 2 ** index) / 1_000 + loadSeconds,
          );
        });

        fleet.run(HOLD.capMs / 1_000 + 4 * loadSeconds + 400);
        const ideal = Math.max(1, Math.ceil(load / SETTINGS.targetUtil / 10 - 1e-9));
        expect(fleet.in('ready').length).toBeGreaterThanOrEqual(Math.min(maxWorkers, ideal));
        expect(fleet.workers.length).toBeGreaterThanOrEqual(Math.min(minWorkers, maxWorkers));
      }),
      {
        numRuns: 40,
        // So long that inactive ones are given up as well.
        examples: [
          [{ maxWorkers: 3, minWorkers: 0, coldWorkers: 0, load: 0, loadSeconds: 2, mendedAfter: 638 }],
        ],
      },
    );
  });

  it('is never held back while starts fail but now and then', () => {
    const fleet = new SimulatedFleet({
      settings: { ...SETTINGS, maxWorkers: 40 },
      load: () => 300,
      loadSeconds: 3,
      // The first two fail, which is not enough.
      isBroken: (second) => second < 7,
    });
    fleet.run(60);
    expect(fleet.in('ready').length).toBeGreaterThanOrEqual(34);
    expect(fleet.decisions.filter(({ reason }) => reason.includes('alone'))).toEqual([]);
  });
});
