import { type ActorRefFrom, fromTransition } from 'xstate';
import type { RequestEvent, RequestFacts } from './events.js';
import { acknowledge, type Ledger, openLedger, record, recordDisk, type Window } from './ledger.js';

/**
 * The metrics actor: it hears every request event and owns the ledger. It is a reducer and not a
 * statechart, because it runs twice for each request and has no modes. Where thousands come in a second, those of
 * one turn of the event loop come as one event.
 */
export const metrics = fromTransition(reduce, ({ input }: { input: MetricsInput }) => ({
  ledger: input.ledger ?? openLedger(input.startedAtMs),
  working: 0,
}));

export interface MetricsInput {
  /** When the first interval begins, in ms of the worker's monotonic clock. */
  readonly startedAtMs: number;
  /** What an earlier life has left; without it all begins at nothing. */
  readonly ledger?: Ledger | undefined;
}

export interface Metrics {
  readonly ledger: Ledger;
  /** Requests in the worker now. */
  readonly working: number;
}

export type MetricsEvent =
  | RequestEvent
  | { type: 'requests.happened'; events: readonly RequestEvent[] }
  | { type: 'disk.measured'; usedGib: number }
  | { type: 'report.acknowledged'; window: Window };

export type MetricsActor = ActorRefFrom<typeof metrics>;

export function reduce(state: Metrics, event: MetricsEvent): Metrics {
  switch (event.type) {
    case 'request.started':
      return {
        ledger: record(state.ledger, {
          requests: countOf(event),
          received: event.workload,
          load: event.workload,
        }),
        working: state.working + 1,
      };
    case 'request.succeeded':
      return ended(state, { served: event.workload });
    case 'request.errored':
      return ended(state, { errored: event.workload });
    case 'request.cancelled':
      return ended(state, { cancelled: event.workload, load: -event.workload });
    case 'request.expired':
      return ended(state, { rejected: event.workload, load: -event.workload });
    case 'request.rejected':
      return {
        ...state,
        ledger: record(state.ledger, { requests: countOf(event), rejected: event.workload }),
      };
    case 'requests.happened':
      return event.events.reduce(reduce, state);
    case 'disk.measured':
      return { ...state, ledger: recordDisk(state.ledger, event.usedGib) };
    case 'report.acknowledged':
      return { ...state, ledger: acknowledge(state.ledger, event.window) };
    default:
      return state;
  }
}

/** What is sent in a session is part of the session, which counts as one. */
function countOf({ kind }: RequestFacts): number {
  return kind === 'in-session' ? 0 : 1;
}

function ended(state: Metrics, amounts: Parameters<typeof record>[1]): Metrics {
  return { ledger: record(state.ledger, amounts), working: state.working - 1 };
}
