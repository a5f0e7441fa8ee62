import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ListedArrivals, RandomArrivals, secondBySecond } from '../../src/simulate/arrivals.js';
import { setupOf, type Turned } from '../../src/simulate/setup.js';
import { SHAPES } from '../../src/simulate/shapes.js';
import { type SimulationResult, simulate } from '../../src/simulate/simulate.js';
import { PHASES } from '../../src/simulate/tally.js';

const ONE: Turned = {
  'min-workers': '1',
  'max-workers': '1',
  'cold-mult': '0',
  'inactivity-timeout': 'never',
  'create-time': '10s',
  'load-time': '20s',
};

/** Requests at so many seconds, each with its units, of workers that do ten a second. */
function runOf(turned: Turned, requests: readonly (readonly [at: number, units: number])[], seconds = 60) {
  const times = new Float64Array(requests.map(([at]) => at * 1_000));
  const units = new Float64Array(requests.map(([, each]) => each));
  const durationMs = seconds * 1_000;
  const arrivals = new ListedArrivals(times, units, durationMs);
  return simulate({ setup: setupOf(turned), arrivals, perfs: [10], durationMs, seed: 1, stretches: 4 });
}

describe('one worker', () => {
  it('is made, loads, and takes one request after the other', () => {
    const { totals, decisions, workersMade } = runOf(ONE, [
      [5, 100],
      [32, 50],
      [50, 200],
    ]);
    expect(decisions).toEqual({ create: 1, activate: 0, deactivate: 0, destroy: 0 });
    expect(workersMade).toBe(1);
    expect(totals).toEqual({
      requests: { arrived: 3, served: 2, refused: 0, waiting: 0, underWay: 1 },
      units: { arrived: 350, served: 150 },
      // 25 s until the worker was there, 8 s behind the first, and none.
      queueMs: {
        mean: 11_000,
        p50: expect.closeTo(8_000, -3),
        p90: expect.closeTo(25_000, -3),
        p99: expect.closeTo(25_000, -3),
        max: 25_000,
      },
      workerSeconds: {
        creating: 10,
        loading: 20,
        ready: 30,
        stopping: 0,
        inactive: 0,
        updating: 0,
        failed: 0,
      },
      busySeconds: 25,
      mostWorkers: 1,
    });
  });

  it('takes no more than it may have to do, and who waits too long for it gives up', () => {
    const { totals } = runOf({ ...ONE, 'max-queue-time': '10s', 'client-timeout': '20s' }, [
      [31, 150],
      [31, 50],
      [31, 50],
      [32, 400],
    ]);
    // The first until 46 s; at 36 s there is room for the second and then, at 41 s, for the third; the last gets none.
    expect(totals.requests).toEqual({ arrived: 4, served: 3, refused: 0, waiting: 0, underWay: 1 });
    expect(totals.queueMs.max).toBe(24_000);
    const { totals: later } = runOf({ ...ONE, 'max-queue-time': '10s', 'client-timeout': '20s' }, [
      [31, 400],
      [32, 10],
    ]);
    expect(later.requests).toEqual({ arrived: 2, served: 0, refused: 1, waiting: 0, underWay: 1 });
  });

  it('becomes inactive when nothing comes, and works again when something does', () => {
    const turned = { ...ONE, 'min-load': '0', 'inactivity-timeout': '20s', 'start-time': '5s' };
    const { totals, decisions } = runOf(
      turned,
      [
        [40, 10],
        [100, 10],
      ],
      120,
    );
    // Asleep as soon as it is there, from 30 s on, and from 60 s on; awake for the requests at 40 s and at 100 s.
    expect(decisions).toEqual({ create: 1, activate: 2, deactivate: 2, destroy: 0 });
    const nowhere = { stopping: 0, updating: 0, failed: 0 };
    expect(totals.workerSeconds).toEqual({ ...nowhere, creating: 10, loading: 30, ready: 30, inactive: 50 });
    expect(totals.requests).toEqual({ arrived: 2, served: 2, refused: 0, waiting: 0, underWay: 0 });
    expect(totals.queueMs.max).toBe(5_000);
  });
});

describe('a load from nothing', () => {
  it('makes no more than twice the workers that it wants and two, however long it has waited for the first', () => {
    const turned: Turned = {
      'min-load': '0',
      'min-workers': '0',
      'max-workers': '200',
      'cold-mult': '0',
      'load-time': '5m',
      'client-timeout': '1h',
    };
    const requests = Array.from({ length: 3_600 }, (_, nth) => [nth / 2, 45] as const);
    const { totals } = runOf(turned, requests, 1_800);
    // 90 units/s come, and a tenth of the capacity is to be spare.
    expect(totals.mostWorkers).toBeGreaterThan(10);
    expect(totals.mostWorkers).toBeLessThanOrEqual(22);
    expect(totals.requests).toMatchObject({ arrived: 3_600, refused: 0, waiting: 0 });
  });
});

const experiments = fc.record({
  shape: fc.constantFrom('constant', 'bursty'),
  rate: fc.double({ min: 0.05, max: 8, noNaN: true }),
  least: fc.integer({ min: 1, max: 100 }),
  factor: fc.integer({ min: 1, max: 10 }),
  perfs: fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 3 }),
  minWorkers: fc.integer({ min: 0, max: 3 }),
  maxWorkers: fc.integer({ min: 3, max: 12 }),
  maxQueueTime: fc.constantFrom('none', '1s', '20s'),
  clientTimeout: fc.constantFrom('5s', '60s'),
  loadTime: fc.constantFrom('1s', '30s', '150s'),
  inactivity: fc.constantFrom('off', 'never', '40s'),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

const DURATION_MS = 900_000;
const STRETCHES = 9;

function resultOf(tried: typeof experiments extends fc.Arbitrary<infer T> ? T : never): SimulationResult {
  const setup = setupOf({
    'min-workers': String(tried.minWorkers),
    'max-workers': String(tried.maxWorkers),
    'max-queue-time': tried.maxQueueTime,
    'client-timeout': tried.clientTimeout,
    'load-time': tried.loadTime,
    'inactivity-timeout': tried.inactivity,
  });
  const { seed, perfs, rate, least, factor } = tried;
  const rateAt = tried.shape === 'bursty' ? SHAPES.bursty.of(rate, seed) : SHAPES.constant.of(rate);
  const arrivals = new RandomArrivals(
    secondBySecond(rateAt),
    { least, most: least * factor },
    DURATION_MS,
    seed,
  );
  return simulate({ setup, arrivals, perfs, durationMs: DURATION_MS, seed, stretches: STRETCHES });
}

describe('whatever is simulated', () => {
  it('each request has come to one end, no second of a worker is counted twice, and no bound is broken', () => {
    fc.assert(
      fc.property(experiments, (tried) => {
        const { totals, stretches, decisions, workersMade } = resultOf(tried);
        const { arrived, served, refused, waiting, underWay } = totals.requests;
        expect(served + refused + waiting + underWay).toBe(arrived);
        expect(stretches.reduce((sum, each) => sum + each.arrived, 0)).toBe(arrived);
        expect(stretches.reduce((sum, each) => sum + each.refused, 0)).toBe(refused);
        for (const phase of PHASES) {
          const inStretches = stretches.reduce((sum, { workers }) => sum + workers[phase], 0);
          expect((inStretches * DURATION_MS) / 1_000 / STRETCHES).toBeCloseTo(totals.workerSeconds[phase], 3);
        }
        const seconds = PHASES.reduce((sum, phase) => sum + totals.workerSeconds[phase], 0);
        expect(seconds).toBeLessThanOrEqual((totals.mostWorkers * DURATION_MS) / 1_000 + 1e-3);
        expect(totals.busySeconds).toBeLessThanOrEqual(
          totals.workerSeconds.ready + totals.workerSeconds.stopping + 1e-3,
        );
        expect(totals.mostWorkers).toBeLessThanOrEqual(tried.maxWorkers);
        expect(workersMade).toBe(decisions.create);
        const patience = tried.clientTimeout === '5s' ? 5_000 : 60_000;
        expect(totals.queueMs.max).toBeLessThanOrEqual(2 * patience);
      }),
      { numRuns: 25 },
    );
  });

  it('comes to the same with the same seed, and hardly with another', () => {
    fc.assert(
      fc.property(experiments, (tried) => {
        expect(resultOf(tried)).toEqual(resultOf(tried));
      }),
      { numRuns: 4 },
    );
    const of = (seed: number) =>
      resultOf({
        shape: 'constant',
        rate: 5,
        least: 10,
        factor: 5,
        perfs: [20],
        minWorkers: 1,
        maxWorkers: 9,
        maxQueueTime: '20s',
        clientTimeout: '60s',
        loadTime: '30s',
        inactivity: 'off',
        seed,
      });
    expect(of(1)).not.toEqual(of(2));
  });
});
