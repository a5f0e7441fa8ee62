import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseWorker } from '../../src/autoscaler/choose-worker.js';
import { type Routable, Router } from '../../src/simulate/router.js';

const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), perf: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('remove' as const), nth: fc.nat(20) }),
  fc.record({ do: fc.constant('give' as const), units: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 5 }) }),
);

/** All of them, as the routes of the local autoscaler see them. */
function candidatesOf(workers: readonly Routable[], nowMs: number) {
  return workers.map(({ id, busyUntilMs }) => ({
    id,
    state: 'serving' as const,
    url: `http://worker-${id}`,
    // Told in what each does in a millisecond, so that no rounding makes waits differ that are the same.
    curLoad: Math.max(0, busyUntilMs - nowMs),
    routedSince: 0,
    maxPerf: 1,
  }));
}

describe('the router of a simulation', () => {
  it('chooses as the local autoscaler does, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const router = new Router();
        const workers: Routable[] = [];
        const freePlaces: number[] = [];
        let [nowMs, made] = [0, 0];
        for (const each of steps) {
          if (each.do === 'wait') nowMs += each.seconds * 1_000;
          if (each.do === 'add') {
            const place = freePlaces.pop() ?? workers.length;
            const worker = { id: ++made, place, perf: each.perf, busyUntilMs: 0 };
            workers.push(worker);
            router.add(worker);
          }
          if (each.do === 'remove' && workers.length > 0) {
            for (const worker of workers.splice(each.nth % workers.length, 1)) {
              router.remove(worker);
              freePlaces.push(worker.place);
            }
          }
          if (each.do === 'give') {
            const chosen = router.choose(nowMs, Number.POSITIVE_INFINITY);
            expect(chosen?.id).toBe(chooseWorker(candidatesOf(workers, nowMs))?.id);
            if (chosen !== undefined) router.give(chosen, each.units, nowMs);
          }
          expect(router.size).toBe(workers.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives nothing to who has too much to do, and foretells when that is over', () => {
    const router = new Router();
    const worker: Routable = { id: 1, place: 0, perf: 10, busyUntilMs: 0 };
    expect(router.choose(0, 1_000)).toBeUndefined();
    expect(router.nextChoiceMs(1_000)).toBe(Number.POSITIVE_INFINITY);
    router.add(worker);
    expect(router.choose(0, 1_000)).toBe(worker);
    expect(router.give(worker, 30, 0)).toBe(0);
    expect(router.choose(1_999, 1_000)).toBeUndefined();
    expect(router.nextChoiceMs(1_000)).toBe(2_000);
    expect(router.choose(2_000, 1_000)).toBe(worker);
    expect(router.give(worker, 5, 2_000)).toBe(3_000);
    expect(worker.busyUntilMs).toBe(3_500);
  });
});
