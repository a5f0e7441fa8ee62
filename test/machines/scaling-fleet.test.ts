import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIVE } from '../../machines/look.js';
import { COLD_SPARE_FOR_MS } from '../../machines/policy.js';
import { exponential, randomFrom } from '../../machines/random.js';
import type { ScalingSettings } from '../../machines/scaling.js';
import { SCALING } from '../support/machines/scaling-settings.js';
import {
  SimulatedFleet,
  type SimulatedOptions,
  type SimulatedWorker,
} from '../support/machines/simulated-fleet.js';

function fleetOf(options: Omit<SimulatedOptions, 'settings'>, settings: Partial<ScalingSettings> = {}) {
  return new SimulatedFleet({ ...options, settings: { ...SCALING, ...settings } });
}

/** More workers than any load here wants. */
const ENOUGH = 1_000;

/** What docs/autoscaler.md promises, in seconds, of workers that load for so long. */
const followsWithin = (loadSeconds: number) => 4 * loadSeconds + 120;

const TROUBLES: Record<string, (fleet: SimulatedFleet, victim: SimulatedWorker) => void> = {
  'is gone': (fleet, victim) => fleet.remove(victim),
  dies: (fleet, victim) => fleet.fail(victim),
  hangs: (fleet, victim) => fleet.harm(victim, 'hangs'),
  'is slow': (fleet, victim) => fleet.harm(victim, 'slow'),
  'says far too much': (_, victim) => {
    victim.said = 1e9;
  },
  'says far too little': (_, victim) => {
    victim.said = 0.001;
  },
  'says nothing of its speed': (_, victim) => {
    victim.said = 0;
  },
  'says the same load for ever': (fleet, victim) => fleet.harm(victim, 'stuck'),
};

/** How many workers of this speed the load wants. */
const idealFor = (load: number, perf: number) => Math.ceil(load / SCALING.targetUtil / perf - 1e-9);

/** Units of requests that come by chance, so many a second on average, by the second. */
function poisson(rate: number, units: number, seed: number): (second: number) => number {
  const random = randomFrom(seed);
  let nextAt = exponential(random, 1 / rate);
  return (second) => {
    let count = 0;
    for (; nextAt < second + 1; nextAt += exponential(random, 1 / rate)) count += 1;
    return count * units;
  };
}

describe('a fleet in virtual time', () => {
  it('goes from nobody to four and back to nobody with the load', () => {
    const fleet = fleetOf(
      { load: (second) => (second < 300 ? 35 : 0), loadSeconds: 5 },
      { inactivityTimeoutMs: 20_000 },
    );
    fleet.run(60);
    expect(fleet.in('ready')).toHaveLength(4);
    fleet.run(240);
    expect(fleet.decisionsSince(60)).toEqual([]);
    fleet.run(25);
    expect(fleet.in('ready')).toHaveLength(0);
    fleet.run(100);
    expect(fleet.in('inactive')).toHaveLength(4);
    fleet.run(COLD_SPARE_FOR_MS / 1_000);
    expect(fleet.workers).toEqual([]);
    expect(fleet.waiting).toBe(0);
  });

  it('follows a step of the load to within one worker within the stated time, up or down, and stays there', () => {
    const step = fc.record({
      before: fc.integer({ min: 0, max: 60 }),
      after: fc.integer({ min: 1, max: 100 }),
      perf: fc.integer({ min: 2, max: 20 }),
      loadSeconds: fc.integer({ min: 1, max: 120 }),
      startsQuickly: fc.boolean(),
    });
    fc.assert(
      fc.property(step, ({ before, after, perf, loadSeconds, startsQuickly }) => {
        const settled = followsWithin(loadSeconds);
        const fleet = fleetOf(
          {
            load: (second) => (second < settled ? before : after),
            perf: () => perf,
            loadSeconds,
            startSeconds: startsQuickly ? 1 : loadSeconds,
          },
          { maxWorkers: 1_000 },
        );
        fleet.run(2 * settled);
        const ideal = idealFor(after, perf);
        const ready = new Set<number>();
        fleet.run(120, () => ready.add(fleet.in('ready').length));
        expect([...ready].filter((count) => Math.abs(count - ideal) > 1)).toEqual([]);
        expect(fleet.waiting).toBe(0);
      }),
      // From nobody, each with a long load: one more is asked for while the queue of three loads is worked off.
      {
        numRuns: 40,
        examples: [[{ before: 0, after: 85, perf: 5, loadSeconds: 100, startsQuickly: false }]],
      },
    );
  });

  // What waits is worked off no more quickly than it came, beside the load: ideal + targetUtil × ideal. One more is asked
  // for when those have loaded and are not done, and another a load later, by when they are.
  it('goes to no more than twice the ideal and two when the load comes from nothing, however long a load takes', () => {
    const step = fc.record({
      load: fc.integer({ min: 1, max: 100 }),
      perf: fc.integer({ min: 4, max: 20 }),
      loadSeconds: fc.integer({ min: 5, max: 900 }),
      startsQuickly: fc.boolean(),
    });
    fc.assert(
      fc.property(step, ({ load, perf, loadSeconds, startsQuickly }) => {
        const startSeconds = startsQuickly ? 1 : loadSeconds;
        const fleet = fleetOf(
          { load: () => load, perf: () => perf, loadSeconds, startSeconds },
          { maxWorkers: ENOUGH },
        );
        let most = 0;
        fleet.run(followsWithin(loadSeconds), () => {
          most = Math.max(most, fleet.in(...ACTIVE).length);
        });
        expect(most).toBeLessThanOrEqual(2 * idealFor(load, perf) + 2);
        expect(fleet.waiting).toBe(0);
      }),
      { numRuns: 12, examples: [[{ load: 90, perf: 10, loadSeconds: 300, startsQuickly: false }]] },
    );
  });

  it('does not move while the load is steady', () => {
    const steady = fc.record({
      load: fc.double({ min: 0.1, max: 60, noNaN: true }),
      perf: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(steady, ({ load, perf }) => {
        const fleet = fleetOf({ load: () => load, perf: () => perf }, { maxWorkers: 1_000 });
        fleet.run(1_200);
        fleet.run(600);
        expect(fleet.decisionsSince(1_200)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  // As docs/autoscaler.md promises: ten decisions an hour, and one more for every four workers.
  it.each([
    [1, 1],
    [5, 2],
    [20, 3],
    [20, 4],
    [100, 5],
  ])('hardly moves while requests come by chance, %d a second (seed %d)', (rate, seed) => {
    const fleet = fleetOf(
      { load: poisson(rate, 10, seed), loadSeconds: 60, startSeconds: 10 },
      { maxWorkers: ENOUGH },
    );
    fleet.run(1_200);
    const ideal = idealFor(10 * rate, 10);
    let fewest = ENOUGH;
    fleet.run(3_600, () => {
      fewest = Math.min(fewest, fleet.in('ready').length);
    });
    expect(fleet.decisionsSince(1_200).length).toBeLessThanOrEqual(10 + ideal / 4);
    expect(fewest).toBeGreaterThanOrEqual(ideal - 2);
  });

  it('keeps its bounds and serves in any mix of trouble, and is as it should be within the stated time after it', () => {
    const troubled = fc.record({
      loadSeconds: fc.integer({ min: 1, max: 60 }),
      load: fc.integer({ min: 1, max: 100 }),
      maxWorkers: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(ENOUGH)),
      minWorkers: fc.integer({ min: 0, max: 12 }),
      coldWorkers: fc.integer({ min: 0, max: 3 }),
      startsQuickly: fc.boolean(),
      quietSeconds: fc.integer({ min: 0, max: 200 }),
      troubles: fc.array(fc.tuple(fc.constantFrom(...Object.keys(TROUBLES)), fc.nat(11)), {
        minLength: 20,
        maxLength: 120,
      }),
    });
    fc.assert(
      fc.property(troubled, ({ load, loadSeconds, startsQuickly, quietSeconds, troubles, ...bounds }) => {
        const { maxWorkers, minWorkers, coldWorkers } = bounds;
        const settings = { maxWorkers, minWorkers: Math.min(minWorkers, maxWorkers), coldWorkers };
        const trouble = (fleet: SimulatedFleet) => {
          const [what, nth] = troubles[fleet.second - quietSeconds] ?? ['nothing', 0];
          const victim = fleet.workers[nth % Math.max(1, fleet.workers.length)];
          if (victim?.phase === 'ready') TROUBLES[what]?.(fleet, victim);
        };
        const startSeconds = startsQuickly ? 1 : loadSeconds;
        const fleet = fleetOf({ load: () => load, trouble, loadSeconds, startSeconds }, settings);
        const broken: string[] = [];
        const hold = (isKept: boolean, what: string) => isKept || broken.push(`${what} at ${fleet.second} s`);
        const boundsHold = () => {
          const { workers, waiting } = fleet;
          hold(workers.length <= maxWorkers, 'more workers than there may be');
          hold(workers.length >= settings.minWorkers, 'fewer workers than there are to be');
          // Those that have failed are left alone for a while.
          const canHelp = workers.length < maxWorkers || fleet.in('inactive').length > 0;
          hold(waiting === 0 || !canHelp || fleet.in(...ACTIVE).length > 0, 'work waits, and nobody comes');
        };
        fleet.run(quietSeconds + troubles.length, boundsHold);
        fleet.mend();
        fleet.run(followsWithin(loadSeconds), boundsHold);
        const ideal = idealFor(load, 10);
        fleet.run(120, () => {
          boundsHold();
          const ready = fleet.in('ready').length;
          hold(ready >= Math.min(maxWorkers, ideal) - 1, `only ${ready} ready`);
          if (maxWorkers < ENOUGH) return;
          hold(ready <= ideal + 1, `${ready} ready`);
          hold(fleet.waiting === 0, 'work still waits');
        });
        expect(broken).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it.each(Object.keys(TROUBLES))(
    'serves all that comes while one of at least three is wrong for good: it %s',
    (what) => {
      const wrong = fc.record({
        loadSeconds: fc.integer({ min: 1, max: 60 }),
        load: fc.integer({ min: 19, max: 100 }),
        startsQuickly: fc.boolean(),
      });
      fc.assert(
        fc.property(wrong, ({ load, loadSeconds, startsQuickly }) => {
          const startSeconds = startsQuickly ? 1 : loadSeconds;
          const trouble = (fleet: SimulatedFleet) => {
            const victim = fleet.in('ready').find(({ id }) => id === 2);
            if (victim !== undefined && fleet.second >= 400) TROUBLES[what]?.(fleet, victim);
          };
          const fleet = fleetOf(
            { load: () => load, trouble, loadSeconds, startSeconds },
            { maxWorkers: ENOUGH },
          );
          fleet.run(400);
          // Where all are full for routing there is half a minute of work, and a rise takes a while.
          fleet.run(1_000, () => expect(fleet.backlog).toBeLessThanOrEqual(load * (60 + 2 * loadSeconds)));
        }),
        { numRuns: 5 },
      );
    },
  );

  it('finds out how many it needs where none of its workers says what it does', () => {
    const silent = fc.record({
      load: fc.integer({ min: 1, max: 15 }),
      loadSeconds: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(silent, ({ load, loadSeconds }) => {
        const fleet = fleetOf({ load: () => load, says: () => 0, loadSeconds }, { maxWorkers: ENOUGH });
        // Routing gives each a single unit at a time, so as many are needed, one load after the other, and as many
        // again for what has come meanwhile.
        fleet.run(2 * (load + 1) * (loadSeconds + 3));
        expect(fleet.waiting).toBe(0);
        const ready = fleet.in('ready').length;
        fleet.run(120);
        expect([fleet.waiting, fleet.in('ready').length]).toEqual([0, ready]);
      }),
      { numRuns: 20 },
    );
  });
});
