import { describe, expect, it } from 'vitest';
import { decide } from '../../machines/policy.js';
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
  const nothing = {
    expectedPerSecond: 0,
    waiting: 0,
    waitedMs: 0,
    quietMs: 1_000,
    launches: NO_LAUNCH_FAILED,
  };
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

const LONG_AGO = -600_000;

const inactive = (id: number, maxPerf = 10) => worker(id, { phase: 'inactive', maxPerf });
const stopping = (id: number) => worker(id, { phase: 'stopping' });

/** All of the capacity may be taken, and none but active ones are kept. */
const EXACT = { targetUtil: 1, coldMult: 0, maxWorkers: 12 };

const TWELVE = Array.from({ length: 12 }, (_, index) => worker(index + 1));

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
      { waiting: 1_000, workers: [worker(1, { maxPerf: 0 }), inactive(2, 0)] },
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
      { expectedPerSecond: 15, workers: [worker(1), inactive(2)] },
      ['activate 2'],
    ],
    [
      'the quicker of two inactive ones is enough',
      {},
      {
        expectedPerSecond: 25,
        workers: [worker(1), inactive(2), inactive(3, 30)],
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
    [
      'one too many, for almost long enough',
      {},
      { expectedPerSecond: 5, workers: [worker(1), worker(2)] },
      [],
      -29_999,
    ],
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
      -30_000,
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
      { quietMs: 1e9, workers: [inactive(1)] },
      [],
      -599_999,
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
      { quietMs: 1e9, workers: [inactive(1)] },
      ['destroy 1'],
      LONG_AGO,
    ],
    [
      'an inactive one that is kept',
      { coldWorkers: 1 },
      { quietMs: 1e9, workers: [inactive(1)] },
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
    ['a cold load is kept', { minColdLoad: 18 }, { quietMs: 1e9, workers: [inactive(1)] }, ['create']],
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
    [
      'one stays always, and it starts quickly',
      { inactivityTimeoutMs: 'never' },
      { workers: [inactive(1)] },
      ['activate 1'],
    ],
    [
      'the load of two, and starts are held back',
      {},
      { expectedPerSecond: 15, workers: [worker(1)], launches: { failures: 3, holds: 1, heldUntilMs: 1 } },
      [],
    ],
    [
      'load that is provided for, and as much that comes',
      { minLoad: 9 },
      { expectedPerSecond: 9, workers: [worker(1)] },
      [],
    ],
    [
      'much waits, and is to be worked off within a minute',
      {},
      { waiting: 1_800, workers: [worker(1)] },
      ['create', 'create'],
    ],
    [
      'much waits that came in a minute, and is to be worked off within another',
      {},
      { waiting: 1_800, waitedMs: 30_000, workers: [worker(1)] },
      ['create', 'create'],
    ],
    [
      'much waits that came in half an hour, and may take as long',
      { maxWorkers: 12 },
      { waiting: 54_000, waitedMs: 900_000, workers: [worker(1)] },
      ['create', 'create'],
    ],
    [
      'one too many, but what is in each takes too long, and help is on the way',
      {},
      {
        expectedPerSecond: 5,
        workers: [worker(1, { pending: 101 }), worker(2, { pending: 101 }), worker(3, { phase: 'loading' })],
      },
      [],
      LONG_AGO,
    ],
    [
      'one too many, but too much waits, and help is on the way',
      {},
      {
        expectedPerSecond: 5,
        waiting: 301,
        waitedMs: 900_000,
        workers: [worker(1), worker(2), worker(3, { phase: 'loading' })],
      },
      [],
      LONG_AGO,
    ],
    [
      'what is in each takes too long, and help is on the way',
      {},
      { expectedPerSecond: 5, workers: [worker(1, { pending: 150 }), worker(2, { phase: 'loading' })] },
      [],
    ],
    [
      'what is in one takes too long, and another is free',
      {},
      { expectedPerSecond: 5, workers: [worker(1, { pending: 150 }), worker(2)] },
      [],
    ],
    [
      'one that has failed does not stand in for one that works',
      {},
      { expectedPerSecond: 15, workers: [worker(1), worker(2, { phase: 'failed' })] },
      ['create'],
    ],
    [
      'nothing has come until the time is over, and a request still waits',
      { minLoad: 15 },
      { quietMs: 90_000, waiting: 1, workers: [worker(1)] },
      ['create'],
    ],
    [
      'one too many, and new ones are made beside it',
      { minWorkers: 3 },
      { expectedPerSecond: 5, workers: [worker(1), worker(2)] },
      ['create'],
      LONG_AGO,
    ],
    [
      'of a capacity of 10 just less than a tenth is spare',
      EXACT,
      { expectedPerSecond: 9.2, workers: [worker(1), worker(2)] },
      [],
      LONG_AGO,
    ],
    [
      'of a capacity of 10 just more than a tenth is spare',
      EXACT,
      { expectedPerSecond: 9.05, workers: [worker(1), worker(2)] },
      ['deactivate 2'],
      LONG_AGO,
    ],
    [
      'of a capacity of 110 just less than half a worker is spare',
      EXACT,
      { expectedPerSecond: 106, workers: TWELVE },
      [],
      LONG_AGO,
    ],
    [
      'of a capacity of 110 just more than half a worker is spare',
      EXACT,
      { expectedPerSecond: 104, workers: TWELVE },
      ['deactivate 12'],
      LONG_AGO,
    ],
    [
      'the slower of two that are both enough goes',
      {},
      { expectedPerSecond: 5, workers: [worker(1), worker(2, { maxPerf: 30 })] },
      ['deactivate 1'],
      LONG_AGO,
    ],
    [
      'of three that work one is too many, whoever loads beside them',
      {},
      { expectedPerSecond: 15, workers: [worker(1), worker(2), worker(3), worker(4, { phase: 'loading' })] },
      ['deactivate 3'],
      LONG_AGO,
    ],
    [
      'nothing comes, and the time is not over, for two',
      {},
      { workers: [worker(1), worker(2)] },
      ['deactivate 2'],
      LONG_AGO,
    ],
    [
      'nothing comes, there is no such time, and a request waits',
      { inactivityTimeoutMs: 'off' },
      { waiting: 1, workers: [worker(1)] },
      [],
      LONG_AGO,
    ],
    [
      'thrice the load is kept, of which nobody knows how many do it',
      { coldMult: 3 },
      { expectedPerSecond: 5, workers: [worker(1, { phase: 'loading', maxPerf: 0 })] },
      [],
    ],
    [
      'a cold load is kept, and may take as much of its capacity as any',
      { minColdLoad: 9.5 },
      { quietMs: 1e9, workers: [inactive(1)] },
      ['create'],
    ],
    [
      'so many are to be there, and are about to be inactive',
      { minWorkers: 3 },
      { quietMs: 1e9, workers: [stopping(1), stopping(2), stopping(3)] },
      [],
    ],
    [
      'a cold one is kept, and it is about to be inactive',
      { coldWorkers: 1, coldMult: 0 },
      { expectedPerSecond: 5, workers: [worker(1), stopping(2)] },
      [],
    ],
    [
      'a cold load is kept by one that is about to be inactive',
      { minColdLoad: 9 },
      { quietMs: 1e9, workers: [stopping(1)] },
      [],
    ],
    [
      'one is inactive, and another that is about to be is enough',
      { coldWorkers: 1, coldMult: 0 },
      { quietMs: 1e9, workers: [inactive(1), stopping(2)] },
      ['destroy 1'],
      LONG_AGO,
    ],
    [
      'one too many counts as a cold one',
      { coldWorkers: 1, coldMult: 0 },
      { expectedPerSecond: 5, workers: [worker(1), worker(2)] },
      [],
    ],
    [
      'a cold one is kept beside those that the load is about to want',
      { coldWorkers: 1, coldMult: 0 },
      { expectedPerSecond: 15, workers: [worker(1)] },
      ['create', 'create'],
    ],
    [
      'one stays always, and a cold one beside it',
      { coldWorkers: 1, inactivityTimeoutMs: 'never' },
      { workers: [worker(1)] },
      ['create'],
    ],
    [
      'of three inactive ones one is kept',
      { coldWorkers: 1 },
      { quietMs: 1e9, workers: [inactive(1), inactive(2), inactive(3)] },
      ['destroy 3', 'destroy 2'],
      LONG_AGO,
    ],
    [
      'of three inactive ones two are kept for a cold load of little more than one',
      { minColdLoad: 9 },
      { quietMs: 1e9, workers: [inactive(1), inactive(2), inactive(3)] },
      ['destroy 3'],
      LONG_AGO,
    ],
    [
      'of inactive ones the slowest goes',
      { coldWorkers: 1 },
      { quietMs: 1e9, workers: [inactive(1, 5), inactive(2)] },
      ['destroy 1'],
      LONG_AGO,
    ],
    [
      'of three inactive ones one starts, and none is given up meanwhile',
      {},
      { expectedPerSecond: 5, workers: [inactive(1), inactive(2), inactive(3)] },
      ['activate 1'],
      LONG_AGO,
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
    expect(reasonsOf({ waiting: 200, waitedMs: 12_340, workers: [worker(1)] })[0]).toBe(
      'a capacity of 10 units/s is wanted (0 units/s are always provided for, and may take 90 % of it; 200 units wait, for 12.3 s on average), and 10 is there or on the way',
    );
    expect(reasonsOf({ expectedPerSecond: 5, workers: [worker(1), worker(2)] }, LONG_AGO)).toEqual([
      '10 units/s are left without it, and 5.56 are wanted (5 units/s are expected, and may take 90 % of it)',
    ]);
    expect(
      reasonsOf({
        expectedPerSecond: 35,
        workers: [worker(1), worker(2, { phase: 'loading', maxPerf: 0 })],
      })[0],
    ).toMatch(/and 20 are there or on the way$/);
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

describe('what has been spare', () => {
  /** What is done at the second of two looks, so much later. */
  const laterOn = (
    settings: Partial<ScalingSettings>,
    afterMs: number,
    first: Partial<FleetFacts>,
    second: Partial<FleetFacts>,
  ) => {
    const [all, atMs] = [{ ...SCALING, ...settings }, 1_000_000];
    const { memory } = decide(all, facts({ atMs, ...first }), NOTHING_REMEMBERED);
    return decide(all, facts({ atMs: atMs + afterMs, ...second }), memory).decisions.map((each) => each.do);
  };

  const two = [worker(1), worker(2)];

  it('is counted from the first look that found it spare', () => {
    const spare = { expectedPerSecond: 5, workers: two };
    expect(laterOn({}, 29_999, spare, spare)).toEqual([]);
    expect(laterOn({}, 30_000, spare, spare)).toEqual(['deactivate']);
  });

  it.each<[string, Partial<ScalingSettings>, Partial<FleetFacts>, workersLater?: readonly WorkerFacts[]]>([
    ['while the last one had to stay', {}, { workers: [worker(1)] }],
    ['while the load wanted all', {}, { expectedPerSecond: 15, workers: two }],
    [
      'while another only loaded',
      {},
      { expectedPerSecond: 15, workers: [...two, worker(3, { phase: 'loading' })] },
    ],
    [
      'while more were made',
      { minWorkers: 3 },
      { expectedPerSecond: 5, workers: two },
      [...two, inactive(3)],
    ],
  ])('is no active one %s', (_name, settings, first, workers = two) => {
    const later = { expectedPerSecond: 5, workers };
    expect(laterOn(settings, 30_000, first, later)).toEqual([]);
    expect(laterOn(settings, 30_000, later, later)).toEqual(['deactivate']);
  });

  it.each<[string, Partial<ScalingSettings>, Partial<FleetFacts>]>([
    [
      'while so many were to be there',
      { coldWorkers: 1, coldMult: 0 },
      { expectedPerSecond: 15, workers: [...two, inactive(3)] },
    ],
    [
      'while the cold load wanted it',
      { coldWorkers: 1, coldMult: 2 },
      { expectedPerSecond: 13, workers: [worker(1, { maxPerf: 15 }), inactive(2, 15), inactive(3, 5)] },
    ],
  ])('is no inactive one %s', (_name, settings, first) => {
    const later = { expectedPerSecond: 1, workers: [worker(1), inactive(2), inactive(3)] };
    expect(laterOn(settings, 600_000, first, later)).toEqual([]);
    expect(laterOn(settings, 600_000, later, later)).toEqual(['destroy']);
  });

  it.each([
    [
      'an inactive one that starts',
      { expectedPerSecond: 15, workers: [worker(1), inactive(2), inactive(3), inactive(4)] },
      ['destroy'],
    ],
    [
      'one that is made',
      { expectedPerSecond: 45, workers: [worker(1), inactive(2), inactive(3), inactive(4)] },
      [],
    ],
  ])('is still counted as inactive beside %s: %#', (_name, between, done) => {
    const spare = { expectedPerSecond: 5, workers: [worker(1), inactive(2), inactive(3), inactive(4)] };
    const first = decide(SCALING, facts({ atMs: 0, ...spare }), NOTHING_REMEMBERED);
    const second = decide(SCALING, facts({ atMs: 300_000, ...between }), first.memory);
    const third = decide(SCALING, facts({ atMs: 600_000, ...spare }), second.memory);
    expect([...new Set(third.decisions.map((each) => each.do))]).toEqual(done);
  });

  it('is no inactive one while somebody is not believed', () => {
    const inTen = (maxPerf: number) =>
      doneIn(
        {},
        { expectedPerSecond: 5, workers: [worker(1, { maxPerf }), inactive(2), inactive(3)] },
        LONG_AGO,
      );
    expect(inTen(10)).toEqual(['destroy 3', 'destroy 2']);
    expect(inTen(51)).toEqual([]);
  });
});

describe('how many are wanted', () => {
  it.each<[number, string, Partial<ScalingSettings>, Partial<FleetFacts>]>([
    [0, 'nobody is there, and nothing comes', {}, {}],
    [1, 'nobody is there, and something waits', {}, { waiting: 1 }],
    [1, 'nobody has been measured', {}, { expectedPerSecond: 100 }],
    [1, 'the last one stays until the time is over', {}, { workers: [worker(1)] }],
    [0, 'the time is over', {}, { quietMs: 60_000, workers: [worker(1)] }],
    [1, 'one stays always', { inactivityTimeoutMs: 'never' }, { workers: [worker(1), worker(2)] }],
    [2, 'the load of two, and one is there', {}, { expectedPerSecond: 15, workers: [worker(1)] }],
    [
      2,
      'the load of two, and three are there',
      {},
      { expectedPerSecond: 15, workers: [worker(1), worker(2), worker(3)] },
    ],
    [4, 'more than there may be', {}, { expectedPerSecond: 100, workers: [worker(1)] }],
  ])('%d where %s', (workers, _name, settings, given) => {
    expect(decide({ ...SCALING, ...settings }, facts(given), NOTHING_REMEMBERED).wanted.workers).toBe(
      workers,
    );
  });
});
