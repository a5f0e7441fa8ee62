import type { WorkerView } from '../view.js';

/** Whether the worker takes requests, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly state: string;
  /** Since when it is in this state: ISO 8601, by the system's clock. */
  readonly since: string;
  readonly forSeconds: number;
  /** Why it is in this state; while it loads, what it waits for. */
  readonly reason: string;
}

/** How much there is to do, for scalers that ask. Work in units. */
export interface Load {
  readonly state: string;
  readonly ready: boolean;
  /** Requests in the worker, those that wait for their turn included. */
  readonly inFlight: number;
  /** Those of them that wait. */
  readonly queued: number;
  /** Of all that is in the worker, sessions included. */
  readonly pendingWorkload: number;
  /** Units per second; 0: not known. */
  readonly maxPerf: number;
  /** Pending workload ÷ max perf: seconds of work that are there; 0 while max perf is not known. */
  readonly utilisation: number;
  /** Requests that were refused in the last minute. */
  readonly rejectedLastMinute: number;
}

export interface LoadFacts {
  readonly inFlight: number;
  readonly rejectedLastMinute: number;
}

type Seen = Pick<WorkerView, 'state' | 'inStateMs' | 'reason'>;

/** @param unixMs the time of the system's clock */
export function readinessOf({ state, inStateMs, reason }: Seen, unixMs: number): Readiness {
  return {
    ready: isReady(state),
    state,
    since: new Date(unixMs - inStateMs).toISOString(),
    forSeconds: Math.round(inStateMs) / 1000,
    reason,
  };
}

export function loadOf(
  view: Pick<WorkerView, 'state' | 'maxPerf' | 'requestsQueued' | 'pendingWorkload'>,
  { inFlight, rejectedLastMinute }: LoadFacts,
): Load {
  const { state, maxPerf, requestsQueued, pendingWorkload } = view;
  return {
    state,
    ready: isReady(state),
    inFlight,
    queued: requestsQueued,
    pendingWorkload,
    maxPerf,
    utilisation: maxPerf > 0 ? pendingWorkload / maxPerf : 0,
    rejectedLastMinute,
  };
}

function isReady(state: WorkerView['state']): boolean {
  return state === 'serving';
}
