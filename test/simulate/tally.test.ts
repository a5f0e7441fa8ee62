import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerPhase } from '../../machines/scaling.js';
import { PHASES, Tally } from '../../src/simulate/tally.js';

const END_MS = 1_000;

/** A worker's life: when it is made, and then after how long it is where; it is gone after the last. */
const life = fc.record({
  fromMs: fc.integer({ min: 0, max: 900 }),
  stays: fc.array(fc.record({ phase: fc.constantFrom(...PHASES), ms: fc.integer({ min: 0, max: 400 }) }), {
    minLength: 1,
    maxLength: 6,
  }),
});

describe('the seconds of workers', () => {
  it('are each counted once, in all and in the stretches, whatever the workers do', () => {
    fc.assert(
      fc.property(fc.array(life, { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), (lives, stretches) => {
        const expected = new Map<WorkerPhase, number>(PHASES.map((phase) => [phase, 0]));
        const moves = lives.flatMap(({ fromMs, stays }) => {
          let [atMs, before]: [number, WorkerPhase | null] = [fromMs, null];
          const made: { atMs: number; from: WorkerPhase | null; to: WorkerPhase | null }[] = [];
          for (const { phase, ms } of stays) {
            made.push({ atMs, from: before, to: phase });
            const passed = Math.max(0, Math.min(atMs + ms, END_MS) - atMs);
            expected.set(phase, (expected.get(phase) ?? 0) + passed / 1_000);
            [atMs, before] = [atMs + ms, phase];
          }
          return [...made, { atMs, from: before, to: null }];
        });
        const tally = new Tally(END_MS, stretches);
        for (const { atMs, from, to } of moves.toSorted((one, other) => one.atMs - other.atMs)) {
          if (atMs >= END_MS) continue;
          tally.advanceTo(atMs);
          tally.moved(from, to, 10);
        }
        tally.advanceTo(END_MS);
        const { workerSeconds } = tally.totals(0);
        expect(tally.stretches).toHaveLength(stretches);
        for (const phase of PHASES) {
          expect(workerSeconds[phase]).toBeCloseTo(expected.get(phase) ?? 0, 6);
          const inStretches = tally.stretches.reduce((sum, { workers }) => sum + workers[phase], 0);
          expect((inStretches * END_MS) / 1_000 / stretches).toBeCloseTo(workerSeconds[phase], 6);
        }
      }),
    );
  });
});

describe('a stretch of the time', () => {
  it('tells what came, what could be done and how long was waited in it', () => {
    const tally = new Tally(4_000, 2);
    tally.advanceTo(0);
    tally.moved(null, 'ready', 10);
    tally.arrived(6);
    tally.given(6, 0, 100, 700);
    tally.advanceTo(1_000);
    tally.moved(null, 'loading', 30);
    tally.arrived(2);
    tally.advanceTo(1_500);
    tally.moved('loading', 'ready', 30);
    tally.advanceTo(3_000);
    tally.refused();
    tally.moved('ready', null, 10);
    tally.advanceTo(4_000);
    const nobody = { creating: 0, stopping: 0, inactive: 0, updating: 0, failed: 0 };
    expect(tally.stretches).toEqual([
      {
        fromMs: 0,
        workers: { ...nobody, loading: 0.25, ready: 1.25 },
        load: 4,
        capacity: 17.5,
        queueP50Ms: expect.closeTo(100, -1),
        queueP99Ms: expect.closeTo(100, -1),
        arrived: 2,
        refused: 0,
      },
      {
        fromMs: 2_000,
        workers: { ...nobody, loading: 0, ready: 1.5 },
        load: 0,
        capacity: 35,
        queueP50Ms: 0,
        queueP99Ms: 0,
        arrived: 0,
        refused: 1,
      },
    ]);
  });
});
