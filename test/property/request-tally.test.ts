import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RequestEvent, RequestKind, RequestOutcome } from '../../machines/events.js';
import { openLedger } from '../../machines/ledger.js';
import { type Metrics, reduce } from '../../machines/metrics.js';
import type { RouteTally } from '../../src/metrics/tally.js';
import { RequestTally } from '../../src/metrics/tally.js';
import { ended, rejected, started } from '../../src/testing/request-events.js';

const ROUTES = ['/one', '/two'];

interface Happened {
  readonly route: string;
  readonly kind: RequestKind;
  readonly workload: number;
  /** Null: it is in the worker still. */
  readonly outcome: RequestOutcome | 'rejected' | null;
}

const happened: fc.Arbitrary<Happened> = fc.record({
  route: fc.constantFrom(...ROUTES),
  kind: fc.constantFrom('request' as const, 'session' as const, 'in-session' as const),
  workload: fc.nat(1_000),
  outcome: fc.constantFrom('succeeded', 'errored', 'cancelled', 'expired', 'rejected', null),
});

function eventsOf({ outcome, ...said }: Happened): readonly RequestEvent[] {
  if (outcome === 'rejected') return [rejected(said)];
  return outcome === null ? [started(said)] : [started(said), ended(outcome, said)];
}

function sum(tally: RequestTally, value: (route: Readonly<RouteTally>) => number): number {
  return [...tally.routes.values()].reduce((total, route) => total + value(route), 0);
}

it('the metrics say of the work what the ledger says', () => {
  fc.assert(
    fc.property(fc.array(happened, { maxLength: 60 }), (all) => {
      const events = all.flatMap(eventsOf);
      const tally = new RequestTally(ROUTES);
      for (const event of events) tally.hear(event);
      const books = events.reduce<Metrics>(reduce, { ledger: openLedger(0), working: 0 });
      const { requests, received, served, errored, cancelled, rejected: refused } = books.ledger.totals;
      expect({
        received: sum(tally, (route) => route.received),
        served: sum(tally, (route) => route.served),
        errored: sum(tally, (route) => route.errored),
        cancelled: sum(tally, (route) => route.cancelled),
        rejected: sum(tally, (route) => route.rejected),
      }).toEqual({ received, served, errored, cancelled, rejected: refused });
      const inSession = all.filter(({ kind, outcome }) => kind === 'in-session' && outcome !== null).length;
      const held = all.filter(({ kind, outcome }) => kind !== 'in-session' && outcome === null).length;
      const endings = sum(tally, ({ ended }) =>
        Object.values(ended).reduce((total, count) => total + count, 0),
      );
      expect(endings - inSession + held).toBe(requests);
      const heldSessions = all.filter(({ kind, outcome }) => kind === 'session' && outcome === null).length;
      expect(tally.inFlight).toBe(books.working - heldSessions);
    }),
  );
});
