import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerPhase } from '../../machines/scaling.js';
import {
  breakdown,
  type Candidate,
  chooseWorker,
  expectedWaitSeconds,
} from '../../src/autoscaler/choose-worker.js';

const candidate = (id: number, fields: Partial<Candidate> = {}): Candidate => ({
  id,
  state: 'serving',
  url: `http://127.0.0.1:${id}`,
  curLoad: 0,
  routedSince: 0,
  maxPerf: 10,
  ...fields,
});

describe('the choice of a worker', () => {
  it.each<[chosen: number | undefined, name: string, candidates: Candidate[]]>([
    [undefined, 'there is nobody', []],
    [1, 'the only one', [candidate(1, { curLoad: 1e9 })]],
    [2, 'less load', [candidate(1, { curLoad: 10 }), candidate(2, { curLoad: 9 })]],
    [
      2,
      'more load, but faster',
      [candidate(1, { curLoad: 10 }), candidate(2, { curLoad: 50, maxPerf: 100 })],
    ],
    [
      2,
      'what was routed since counts as load',
      [candidate(1, { routedSince: 2 }), candidate(2, { curLoad: 1 })],
    ],
    [1, 'the first of equal ones', [candidate(1), candidate(2)]],
    [
      2,
      'one that measured nothing is very slow',
      [candidate(1, { curLoad: 1, maxPerf: 0 }), candidate(2, { curLoad: 900_000 })],
    ],
    [
      1,
      'idle ones have no wait, whatever they measured',
      [candidate(1, { maxPerf: 0 }), candidate(2, { curLoad: 1 })],
    ],
    [2, 'a silent one is not asked', [candidate(1, { state: 'silent' }), candidate(2, { curLoad: 1 })]],
    [2, 'a failing one is not asked', [candidate(1, { state: 'failing' }), candidate(2, { curLoad: 1 })]],
    [2, 'a loading one is not asked', [candidate(1, { state: 'loading' }), candidate(2, { curLoad: 1 })]],
    [2, 'one without a url is not asked', [candidate(1, { url: undefined }), candidate(2, { curLoad: 1 })]],
    [
      2,
      'one that is withdrawn is not asked',
      [candidate(1, { isWithdrawn: true }), candidate(2, { curLoad: 1 })],
    ],
    [undefined, 'nobody is ready', [candidate(1, { state: 'silent' }), candidate(2, { url: undefined })]],
  ])('is %s: %s', (chosen, _name, candidates) => {
    expect(chooseWorker(candidates)?.id).toBe(chosen);
  });

  it('is a ready worker with the least wait, whenever one is ready', () => {
    const amount = fc.double({ min: 0, max: 1e12, noNaN: true });
    const anyone = fc.record<Candidate>({
      id: fc.nat(),
      state: fc.constantFrom('serving', 'serving', 'loading', 'failing', 'silent'),
      url: fc.constantFrom('http://127.0.0.1:1', 'http://127.0.0.1:2', undefined),
      curLoad: amount,
      routedSince: amount,
      maxPerf: fc.oneof(amount, fc.constant(0)),
    });
    fc.assert(
      fc.property(fc.array(anyone, { maxLength: 8 }), (candidates) => {
        const ready = candidates.filter(({ state, url }) => state === 'serving' && url !== undefined);
        const chosen = chooseWorker(candidates);
        if (ready.length === 0) {
          expect(chosen).toBeUndefined();
          return;
        }
        expect(ready).toContain(chosen);
        const waits = ready.map((one) => (one.curLoad + one.routedSince) / Math.max(one.maxPerf, 0.000_01));
        expect(chosen && expectedWaitSeconds(chosen)).toBe(Math.min(...waits));
      }),
      { numRuns: 500 },
    );
  });
});

describe('the reason to wait', () => {
  it.each<[text: string, candidates: Candidate[], untold?: WorkerPhase[]]>([
    ['no worker has reported yet', []],
    ['1 worker: 1 loading', [candidate(1, { state: 'loading' })]],
    ['1 worker: 1 full', [candidate(1, { curLoad: 1e9 })]],
    ['1 worker: 1 withdrawn', [candidate(1, { isWithdrawn: true })]],
    [
      '4 workers: 1 withdrawn, 1 loading, 1 failing, 1 silent',
      (['loading', 'failing', 'silent', 'serving'] as const).map((state, id) =>
        candidate(id, { state, isWithdrawn: true }),
      ),
    ],
    ['1 worker: 1 serving without a url', [candidate(1, { url: undefined })]],
    [
      '4 workers: 1 loading, 2 failing, 1 silent',
      [
        candidate(1, { state: 'failing' }),
        candidate(2, { state: 'silent' }),
        candidate(3, { state: 'failing' }),
        candidate(4, { state: 'loading' }),
      ],
    ],
    ['1 worker: 1 creating', [], ['creating']],
    [
      '7 workers: 1 ready without a report, 1 loading, 1 creating, 1 stopping, 1 updating, 1 failed, 1 inactive',
      [],
      ['creating', 'loading', 'ready', 'stopping', 'inactive', 'updating', 'failed'],
    ],
    [
      '4 workers: 1 silent, 1 creating, 2 inactive',
      [candidate(1, { state: 'silent' })],
      ['inactive', 'creating', 'inactive'],
    ],
  ])('%s', (text, candidates, untold) => {
    expect(breakdown(candidates, untold)).toBe(text);
  });
});
