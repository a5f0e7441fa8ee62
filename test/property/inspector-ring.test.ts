import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Ring } from '../../src/inspect/ring.js';

const happenings = fc.array(
  fc.record({
    group: fc.constantFrom('a', 'b', 'c', 'd'),
    text: fc.oneof(fc.string({ maxLength: 20 }), fc.string({ maxLength: 200, unit: 'grapheme' })),
  }),
  { maxLength: 300, size: 'max' },
);

it('a ring is within its bounds after each happening, has the newest that fits, and forgets the oldest of a group first', () => {
  let dropped = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 200, max: 3000 }),
      happenings,
      (count, bytes, all) => {
        const ring = new Ring({ count, bytes });
        const added = all.map((each, index) => ({ ...each, seq: index + 1, ofRequest: false }));
        for (const each of added) {
          ring.add(each);
          expect(ring.count).toBeLessThanOrEqual(count);
          expect(ring.bytes).toBeLessThanOrEqual(bytes);
        }
        const left = ring.after(0);
        expect(left.length).toBe(ring.count);
        expect(left.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)).toBe(ring.bytes);
        expect(left.map(({ seq }) => seq)).toEqual(
          left.map(({ seq }) => seq).toSorted((one, other) => one - other),
        );
        for (const group of ['a', 'b', 'c', 'd']) {
          const of = (each: { group: string }) => each.group === group;
          const stayed = left.filter(of);
          expect(stayed).toEqual(added.filter(of).slice(added.filter(of).length - stayed.length));
        }
        dropped += added.length - left.length;
      },
    ),
  );
  expect(dropped).toBeGreaterThan(0);
});
