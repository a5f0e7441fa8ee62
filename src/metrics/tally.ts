import type { RequestEnded, RequestEvent, RequestFacts } from '../../machines/events.js';
import { LastMinute } from './last-minute.js';
import type { OutcomeLabel } from './table.js';

/** What has become of the requests of one route: counts, units of work, and bytes. */
export interface RouteTally {
  readonly ended: Record<OutcomeLabel, number>;
  /** Those that are in the worker now; sessions not. */
  inFlight: number;
  received: number;
  served: number;
  errored: number;
  cancelled: number;
  rejected: number;
  receivedBytes: number;
  sentBytes: number;
}

/** Hears of a request that has ended, for what is more than a sum. */
export type OnEnded = (event: RequestEnded) => void;

/**
 * Adds up what happens to requests, by route. It runs twice for each request, so that it only adds to numbers that
 * are there already: whoever wants to know of them looks when it is asked.
 */
export class RequestTally {
  readonly #routes = new Map<string, RouteTally>();
  readonly #rejected = new LastMinute();
  readonly #onEnded: OnEnded;

  /** @param routes those that are told from the beginning, though nothing has happened to them */
  constructor(routes: Iterable<string>, onEnded: OnEnded = () => {}) {
    this.#onEnded = onEnded;
    for (const route of routes) this.#of(route);
  }

  get routes(): ReadonlyMap<string, Readonly<RouteTally>> {
    return this.#routes;
  }

  /** Requests in the worker, sessions not. */
  get inFlight(): number {
    let sum = 0;
    for (const { inFlight } of this.#routes.values()) sum += inFlight;
    return sum;
  }

  /** How many requests were refused in the minute before `nowMs`. */
  rejectedLately(nowMs: number): number {
    return this.#rejected.count(nowMs);
  }

  hear(event: RequestEvent): void {
    const tally = this.#of(event.route);
    switch (event.type) {
      case 'request.started':
        tally.inFlight += occupies(event);
        tally.received += event.workload;
        return;
      case 'request.rejected':
        tally.ended.rejected += 1;
        this.#reject(tally, event);
        return;
      case 'request.succeeded':
        tally.ended.succeeded += 1;
        tally.served += event.workload;
        break;
      case 'request.errored':
        tally.ended.errored += 1;
        tally.errored += event.workload;
        break;
      case 'request.cancelled':
        tally.ended.cancelled += 1;
        tally.cancelled += event.workload;
        break;
      case 'request.expired':
        tally.ended.expired += 1;
        this.#reject(tally, event);
    }
    tally.inFlight -= occupies(event);
    tally.receivedBytes += event.receivedBytes;
    tally.sentBytes += event.sentBytes;
    this.#onEnded(event);
  }

  #reject(tally: RouteTally, { workload, atMs }: RequestFacts): void {
    tally.rejected += workload;
    this.#rejected.add(atMs);
  }

  #of(route: string): RouteTally {
    let tally = this.#routes.get(route);
    if (tally === undefined) {
      tally = nothing();
      this.#routes.set(route, tally);
    }
    return tally;
  }
}

/** A session is held, not worked on. */
function occupies({ kind }: RequestFacts): number {
  return kind === 'session' ? 0 : 1;
}

function nothing(): RouteTally {
  return {
    ended: { succeeded: 0, errored: 0, cancelled: 0, expired: 0, rejected: 0 },
    inFlight: 0,
    received: 0,
    served: 0,
    errored: 0,
    cancelled: 0,
    rejected: 0,
    receivedBytes: 0,
    sentBytes: 0,
  };
}
