import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WorkerError } from '../../src/errors.js';
import { Bodies } from '../../src/http/bodies.js';

const [LIMIT, UNCHECKED_LIMIT] = [100, 80];

type Step =
  | { readonly does: 'comes'; readonly announces: number | null }
  /** `of`: which of those that are there, counted round. */
  | { readonly does: 'sends'; readonly of: number; readonly bytes: number }
  | { readonly does: 'ends' | 'leaves' | 'is given back'; readonly of: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('comes' as const), announces: fc.option(fc.nat(120)) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('sends' as const),
      of: fc.nat(),
      bytes: fc.integer({ min: 1, max: 70 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom('ends' as const, 'leaves' as const, 'is given back' as const),
      of: fc.nat(),
    }),
  },
);

/** One request, and what it must hold. */
interface Visitor {
  readonly request: IncomingMessage;
  state: 'reading' | 'read' | 'over';
  sent: number;
  /** It came in one piece, and so is let through whatever the others hold. */
  spared: boolean;
  error: string | null;
  giveBack: () => void;
}

/** Lets everything that is under way be heard of. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate);
}

function comes(bodies: Bodies, announces: number | null): Visitor {
  const request = new IncomingMessage(new Socket());
  if (announces !== null) request.headers['content-length'] = String(announces);
  const visitor: Visitor = {
    request,
    state: 'reading',
    sent: 0,
    spared: false,
    error: null,
    giveBack: () => {},
  };
  bodies.read(request).then(
    (body) => {
      visitor.state = 'read';
      visitor.giveBack = () => bodies.giveBack(body);
    },
    (error) => {
      visitor.state = 'over';
      visitor.error = error instanceof WorkerError ? error.code : String(error);
    },
  );
  return visitor;
}

function act(visitor: Visitor, { does, ...step }: Exclude<Step, { does: 'comes' }>): void {
  if (does === 'is given back') {
    if (visitor.state !== 'read') return;
    visitor.giveBack();
    visitor.state = 'over';
  } else if (visitor.state !== 'reading') return;
  else if (does === 'leaves') visitor.request.destroy();
  else if (does === 'ends') {
    visitor.request.complete = true;
    visitor.request.push(null);
  } else {
    const announced = visitor.request.headers['content-length'];
    // Node lets no more through than was announced.
    const rest = announced === undefined ? Number.POSITIVE_INFINITY : Number(announced) - visitor.sent;
    const bytes = Math.min('bytes' in step ? step.bytes : 0, rest);
    if (bytes === 0) return;
    visitor.spared = announced === String(bytes);
    visitor.sent += bytes;
    visitor.request.push(Buffer.alloc(bytes));
  }
}

it('what is held is what was read of those that are neither let in nor refused, and has a limit', async () => {
  const seen = new Set<string | null>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
      const bodies = new Bodies({ limitBytes: LIMIT, uncheckedLimitBytes: UNCHECKED_LIMIT });
      const visitors: Visitor[] = [];
      for (const each of steps) {
        const there = visitors.filter(({ state }) => state !== 'over');
        const heldBefore = bodies.heldBytes;
        const visitor = each.does === 'comes' ? undefined : there[each.of % there.length];
        if (each.does === 'comes') visitors.push(comes(bodies, each.announces));
        else if (visitor !== undefined) act(visitor, each);
        await settled();

        const holding = visitors.filter(({ state, sent }) => state !== 'over' && sent > 0);
        expect(bodies.heldBytes).toBe(holding.reduce((sum, { sent }) => sum + sent, 0));
        if (holding.length > 1 && bodies.heldBytes > UNCHECKED_LIMIT) {
          // Nothing takes more than there is, but what comes in one piece, and what was alone when it did.
          expect(bodies.heldBytes <= heldBefore || visitor?.spared === true).toBe(true);
        }
        for (const { error, sent } of visitors) {
          if (error === 'payload_too_large' && sent > 0) expect(sent).toBeGreaterThan(LIMIT);
          seen.add(error);
        }
        // Whoever was alone was never told that there is too much.
        if (visitor?.error === 'too_many_bodies') expect(there.length).toBeGreaterThan(1);
      }
      for (const { request, state, giveBack } of visitors) {
        if (state === 'read') giveBack();
        else if (state === 'reading') request.destroy();
      }
      await settled();
      expect(bodies.heldBytes).toBe(0);
    }),
    { numRuns: 150 },
  );
  expect([...seen].sort()).toEqual(
    ['client_closed_request', null, 'payload_too_large', 'too_many_bodies'].sort(),
  );
});
