import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  acknowledgeBatch,
  add,
  type Batch,
  type Completion,
  cutBatch,
  openOutbox,
  size,
} from '../../machines/outbox.js';
import { completion } from '../support/machines/completions.js';

/** What can happen to an outbox. A number chooses one of the batches that were cut so far. */
type Step =
  | { do: 'add'; count: number; requestIdx: number }
  | { do: 'cut'; max: number }
  | { do: 'acknowledge'; which: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('add' as const), count: fc.nat(90), requestIdx: fc.nat(3) }),
    fc.record({ do: fc.constant('cut' as const), max: fc.integer({ min: 1, max: 150 }) }),
    fc.record({ do: fc.constant('acknowledge' as const), which: fc.nat(100) }),
  ),
  { maxLength: 40, size: 'max' },
);

const contentOf = (outbox: ReturnType<typeof openOutbox>) =>
  cutBatch(outbox, Number.POSITIVE_INFINITY).completions;

it('an outbox holds what was added, less what acknowledged batches held and what was dropped, at any time', () => {
  const met = { dropped: 0, twice: 0, overlapping: 0 };
  fc.assert(
    fc.property(fc.constantFrom(1, 5, 63, 64, 65, 200, 10_000), steps, (limit, all) => {
      let outbox = openOutbox(limit);
      let [expected, dropped]: [Completion[], number] = [[], 0];
      const batches: Batch[] = [];
      const versions = [{ outbox, content: expected }];
      for (const step of all) {
        if (step.do === 'add') {
          for (let index = 0; index < step.count; index++) {
            const one = completion(step.requestIdx);
            outbox = add(outbox, one);
            expected = [...expected, one];
          }
          dropped += Math.max(0, expected.length - limit);
          expected = expected.slice(-limit);
        }
        if (step.do === 'cut') {
          const batch = cutBatch(outbox, step.max);
          expect(sameItems(batch.completions, expected.slice(0, step.max))).toBe(true);
          batches.push(batch);
        }
        if (step.do === 'acknowledge' && batches.length > 0) {
          const batch = batches[step.which % batches.length];
          if (batch === undefined) continue;
          const held = new Set(batch.completions);
          const rest = expected.filter((one) => !held.has(one));
          const gone = expected.length - rest.length;
          if (gone === 0 && held.size > 0) met.twice += 1;
          if (gone > 0 && gone < held.size) met.overlapping += 1;
          const after = acknowledgeBatch(outbox, batch);
          if (gone === 0) expect(after).toBe(outbox);
          [outbox, expected] = [after, rest];
        }
        expect([size(outbox), outbox.dropped]).toEqual([expected.length, dropped]);
        expect(sameItems(contentOf(outbox), expected)).toBe(true);
        versions.push({ outbox, content: expected });
      }
      for (const version of versions) {
        expect(sameItems(contentOf(version.outbox), version.content)).toBe(true);
      }
      met.dropped += dropped;
    }),
    { numRuns: 300 },
  );
  // So that steps which never meet trouble do not pass for a proof.
  for (const [name, count] of Object.entries(met)) expect([name, count > 20]).toEqual([name, true]);
});

/** The very same objects: two requests of one number look alike. */
function sameItems(some: readonly Completion[], others: readonly Completion[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}
