import { describe, expect, it } from 'vitest';
import { COLD_SPARE_FOR_MS, decide, SPARE_FOR_MS } from '../../machines/policy.js';
import {
  type FleetFacts,
  NO_LAUNCH_FAILED,
  NOTHING_REMEMBERED,
  type ScalingSettings,
  type WorkerFacts,
} from '../../machines/scaling.js';
import { SCALING } from '../support/machines/scaling-settings.js';

function worker(id: number, given: Partial<WorkerFacts> = {}): WorkerFacts {
  return { id, phase: 'ready', maxPerf: 10, pending: 0, ...given };
}

function facts(given: Partial<FleetFacts> = {}): FleetFacts {
  const nothing = { expectedPerSecond: 0, waiting: 0, quietMs: 1_000, launches: NO_LAUNCH_FAILED };
  return { atMs: 0, workers: [], ...nothing, ...given };
}

/** What is done, with the worker that it is done to. */
function doneIn(
  settings: Partial<ScalingSettings>,
  given: Partial<FleetFacts>,
  spareSinceMs: number | null = null,
) {
  const memory = { ...NOTHING_REMEMBERED, spareSinceMs, coldSpareSinceMs: spareSinceMs };
  return decide({ ...SCALING, ...settings }, facts(given), memory).decisions.map((each) =>
    each.do === 'create' ? 'create' : `${each.do} ${each.worker}`,
  );
}

const LONG_AGO = -COLD_SPARE_FOR_MS;

describe('what is done', () => {
  it.each<[string, Partial<ScalingSettings>, Partial<FleetFacts>, string[], (number | null)?]>([
    ['nobody, and no load that is provided for', {}, { quietMs: 0 }, []],
    ['nobody, and a load that is provided for', { minLoad: 1 }, { quietMs: 0 }, ['create']],
    ['nobody, and who never goes to zero', { inactivityTimeoutMs: 'never' }, { quietMs: 0 }, ['create']],
    ['nobody, and so many are to be there', { minWorkers: 3 }, {}, ['create', 'create', 'create']],
    ['the first request waits', {}, { waiting: 1, quietMs: 0 }, ['create']],
    ['much waits, and nobody has been measured', {}, { waiting: 1_000 }, ['create']],
    [
      'much waits, and the first loads',
      {},
      { waiting: 1_000, workers: [worker(1, { phase: 'loading', maxPerf: 0 })] },
      [],
    ],
    [
      'much waits, and the first has measured nothing',
      {},
      { waiting: 1_000, workers: [worker(1, { maxPerf: 0, pending: 1 })] },
      ['create'],
    ],
    [
      'much waits, the first has measured nothing, and one starts quickly',
      {},
      { waiting: 1_000, workers: [worker(1, { maxPerf: 0 }), worker(2, { phase: 'inactive', maxPerf: 0 })] },
      ['activate 2'],
    ],
    [
      'much waits, the first has measured nothing, and the second loads',
      {},
      { waiting: 1_000, workers: [worker(1, { maxPerf: 0 }), worker(2, { phase: 'loading', maxPerf: 0 })] },
      [],
    ],
    [
      'much comes, nothing waits, and the first has measured nothing',
      {},
      { expectedPerSecond: 35, workers: [worker(1, { maxPerf: 0 })] },
      [],
    ],
    [
      'one of three says that it does a thousand times as much',
      {},
      { expectedPerSecond: 70, workers: [worker(1), worker(2), worker(3, { maxPerf: 10_000 })] },
      ['create'],
    ],
    [
      'the load of four, and one works',
      {},
      { expectedPerSecond: 35, workers: [worker(1)] },
      ['create', 'create', 'create'],
    ],
    [
      'the load of ten, and four may be there',
      {},
      { expectedPerSecond: 90, workers: [worker(1)] },
      ['create', 'create', 'create'],
    ],
    [
      'the load of two, of which one starts quickly',
      {},
      { expectedPerSecond: 15, workers: [worker(1), worker(2, { phase: 'inactive' })] },
      ['activate 2'],
    ],
    [
      'the quicker of two inactive ones is enough',
      {},
      {
        expectedPerSecond: 25,
        workers: [worker(1), worker(2, { phase: 'inactive' }), worker(3, { phase: 'inactive', maxPerf: 30 })],
      },
      ['activate 3'],
    ],
    ['the load of one that is used to the full', {}, { expectedPerSecond: 9, workers: [worker(1)] }, []],
    [
      'what waits takes too long',
      {},
      { expectedPerSecond: 5, workers: [worker(1, { pending: 150 })] },
      ['create'],
    ],
    ['what waits is done in time', {}, { expectedPerSecond: 5, workers: [worker(1, { pending: 99 })] }, []],
    ['one too many, for a short time', {}, { expectedPerSecond: 5, workers: [worker(1), worker(2)] }, []],
    [
      'one too many, for long',
      {},
      { expectedPerSecond: 5, workers: [worker(1), worker(2)] },
      ['deactivate 2'],
      LONG_AGO,
    ],
    [
      'of two too many the one that has less to do goes',
      {},
      { expectedPerSecond: 5, workers: [worker(1), worker(2, { pending: 3 })] },
      ['deactivate 1'],
      LONG_AGO,
    ],
    [
      'one too many, for just long enough',
      {},
      { expectedPerSecond: 5, workers: [worker(1), worker(2)] },
      ['deactivate 2'],
      -SPARE_FOR_MS,
    ],
    [
      'those that load do not stand in for those that work',
      {},
      {
        expectedPerSecond: 15,
        workers: [worker(1), worker(2), worker(3, { phase: 'loading', maxPerf: 0 })],
      },
      [],
      LONG_AGO,
    ],
    [
      'an inactive one that is not wanted, for a while',
      {},
      { quietMs: 1e9, workers: [worker(1, { phase: 'inactive' })] },
      [],
      1 - COLD_SPARE_FOR_MS,
    ],
    ['nothing comes, and the time is not over', {}, { workers: [worker(1)] }, [], LONG_AGO],
    [
      'nothing has come until the time is over',
      { minLoad: 50 },
      { quietMs: 60_000, workers: [worker(1), worker(2)] },
      ['deactivate 2', 'deactivate 1'],
    ],
    [
      'nothing comes, but a request is still worked on',
      {},
      { quietMs: 90_000, workers: [worker(1, { pending: 1 })] },
      [],
      LONG_AGO,
    ],
    [
      'nothing comes, and there is no such time',
      { inactivityTimeoutMs: 'off' },
      { quietMs: 1e9, workers: [worker(1)] },
      ['deactivate 1'],
      LONG_AGO,
    ],
    [
      'nothing comes, and one stays always',
      { inactivityTimeoutMs: 'never' },
      { quietMs: 1e9, workers: [worker(1)] },
      [],
      LONG_AGO,
    ],
    [
      'an inactive one that nobody wants',
      {},
      { quietMs: 1e9, workers: [worker(1, { phase: 'inactive' })] },
      ['destroy 1'],
      LONG_AGO,
    ],
    [
      'an inactive one that is kept',
      { coldWorkers: 1 },
      { quietMs: 1e9, workers: [worker(1, { phase: 'inactive' })] },
      [],
      LONG_AGO,
    ],
    [
      'an inactive one is kept beside an active one',
      { coldWorkers: 1 },
      { expectedPerSecond: 5, workers: [worker(1)] },
      ['create'],
    ],
    [
      'thrice the load is kept',
      { coldMult: 3 },
      { expectedPerSecond: 9, workers: [worker(1)] },
      ['create', 'create'],
    ],
    [
      'a cold load is kept',
      { minColdLoad: 18 },
      { quietMs: 1e9, workers: [worker(1, { phase: 'inactive' })] },
      ['create'],
    ],
    [
      'one that has failed takes up its place',
      { maxWorkers: 2 },
      { expectedPerSecond: 30, workers: [worker(1), worker(2, { phase: 'failed' })] },
      [],
    ],
    [
      'one that is being updated comes back',
      {},
      { expectedPerSecond: 15, workers: [worker(1), worker(2, { phase: 'updating' })] },
      [],
    ],
  ])('%s', (_name, settings, given, done, spareSinceMs = null) => {
    expect(doneIn(settings, given, spareSinceMs)).toEqual(done);
  });

  it('is explained with the figures that led to it', () => {
    const reasonsOf = (given: Partial<FleetFacts>, spareSinceMs: number | null = null) =>
      decide(SCALING, facts(given), { ...NOTHING_REMEMBERED, spareSinceMs }).decisions.map(
        ({ reason }) => reason,
      );
    expect(reasonsOf({ expectedPerSecond: 15, workers: [worker(1)] })).toEqual([
      'a capacity of 16.7 units/s is wanted (15 units/s are expected, and may take 90 % of it), and 10 is there or on the way',
    ]);
    expect(reasonsOf({ waiting: 200, workers: [worker(1)] })[0]).toBe(
      'a capacity of 10 units/s is wanted (0 units/s are always provided for, and may take 90 % of it; 200 units wait), and 10 is there or on the way',
    );
    expect(reasonsOf({ expectedPerSecond: 5, workers: [worker(1), worker(2)] }, LONG_AGO)).toEqual([
      '10 units/s are left without it, and 5.56 are wanted (5 units/s are expected, and may take 90 % of it)',
    ]);
    const liars = [worker(2, { maxPerf: 1e9 }), worker(3, { maxPerf: 51 })];
    expect(
      reasonsOf({ expectedPerSecond: 70, workers: [worker(1), ...liars.slice(0, 1), worker(4)] }),
    ).toEqual([
      'a capacity of 77.8 units/s is wanted (70 units/s are expected, and may take 90 % of it), and 70 are there or on the way; worker 2 says more than 50 units/s, which nobody is believed to do',
    ]);
    const honest = [1, 4, 5].map((id) => worker(id));
    expect(reasonsOf({ waiting: 1, quietMs: 1e9, workers: [...honest, ...liars] }, LONG_AGO)[0]).toMatch(
      /; 2 workers say more than 50 units\/s, which nobody is believed to do$/,
    );
    expect(reasonsOf({ quietMs: 60_000, workers: [worker(1)] })).toEqual([
      'no request has come for the whole of the inactivity timeout',
    ]);
  });
});
