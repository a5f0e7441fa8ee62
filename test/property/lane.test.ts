import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Lane } from '../../src/http/lane.js';

type Step =
  | { readonly does: 'enters' }
  /** `of`: which of those that work or wait, counted round. */
  | { readonly does: 'leaves' | 'gives up' | 'leaves twice'; readonly of: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ does: 'enters' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom('leaves' as const, 'gives up' as const, 'leaves twice' as const),
      of: fc.nat(),
    }),
  },
);

interface Visitor {
  readonly number: number;
  readonly controller: AbortController;
  leave?: () => void;
}

it('a lane lets in by turns, never more than it has room for, and forgets nobody', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 60 }),
      async (capacity, steps) => {
        const lane = new Lane(capacity);
        const waiting: Visitor[] = [];
        const working: Visitor[] = [];
        const begun: number[] = [];
        let [entered, most] = [0, 0];

        const turn = async () => {
          for (let tick = 0; tick < 5; tick++) await Promise.resolve();
          most = Math.max(most, working.length);
          expect(lane.waiting).toBe(waiting.length);
          // Nobody waits where there is room.
          expect(working.length === capacity || waiting.length === 0).toBe(true);
        };
        const enter = () => {
          const visitor: Visitor = { number: entered++, controller: new AbortController() };
          waiting.push(visitor);
          const begin = (leave: () => void) => {
            visitor.leave = leave;
            waiting.splice(waiting.indexOf(visitor), 1);
            working.push(visitor);
            begun.push(visitor.number);
          };
          Promise.resolve(lane.enter(visitor.controller.signal, Number.POSITIVE_INFINITY)).then(
            begin,
            () => {},
          );
        };
        const end = (visitor: Visitor | undefined, times = 1) => {
          if (visitor === undefined) return;
          working.splice(working.indexOf(visitor), 1);
          for (let time = 0; time < times; time++) visitor.leave?.();
        };

        for (const each of steps) {
          if (each.does === 'enters') enter();
          else if (each.does === 'gives up') {
            const visitor = waiting[each.of % waiting.length];
            if (visitor !== undefined) waiting.splice(waiting.indexOf(visitor), 1);
            visitor?.controller.abort();
          } else end(working[each.of % working.length], each.does === 'leaves' ? 1 : 2);
          await turn();
        }
        while (working.length > 0) {
          end(working[0]);
          await turn();
        }
        expect(most).toBeLessThanOrEqual(capacity);
        expect(begun).toEqual(begun.toSorted((a, b) => a - b));
        expect([lane.waiting, waiting.length]).toEqual([0, 0]);
      },
    ),
    { numRuns: 300 },
  );
});
