import type { ErrorCode } from '../errors.js';
import { STATE_NAMES } from '../operations/states.js';
import type { WorkerView } from '../view.js';
import type { ModelTally, ReportTally } from './heard.js';
import type { Lag } from './loop-lag.js';
import type { ProcessUse } from './process.js';
import type { Readings, Sample } from './register.js';
import type { RequestTally, RouteTally } from './tally.js';

/** What the metrics are read from. */
export interface Facts {
  readonly names: Readonly<Record<'backend' | 'version' | 'node', string>>;
  readonly view: Pick<
    WorkerView,
    | 'state'
    | 'inStateMs'
    | 'maxPerf'
    | 'loadTimeSeconds'
    | 'requestsQueued'
    | 'sessions'
    | 'pendingWorkload'
    | 'completions'
    | 'ledger'
  >;
  readonly requests: Pick<RequestTally, 'routes'>;
  readonly reports: Readonly<Omit<ReportTally, 'hear'>>;
  readonly model: Readonly<Omit<ModelTally, 'hear'>>;
  readonly told: ReadonlyMap<ErrorCode, number>;
  readonly lag: Lag;
  readonly process: ProcessUse;
  /** Monotonic. */
  readonly nowMs: number;
}

/** What every metric that is no histogram shows. */
export function readingsOf(facts: Facts): Readings {
  const { names, told, lag, process } = facts;
  return {
    info: [[names, 1]],
    ...ofTheWorker(facts),
    ...ofRequests(facts.requests),
    ...ofReports(facts),
    ...ofTheModel(facts.model),
    errorsTold: Array.from(told, ([code, count]) => [{ code }, count]),
    loopLagP99: lag.p99Seconds,
    loopLagMax: lag.maxSeconds,
    ...process,
  };
}

function ofTheWorker({ view }: Facts) {
  return {
    state: STATE_NAMES.map((state): Sample => [{ state }, state === view.state ? 1 : 0]),
    stateSeconds: view.inStateMs / 1000,
    maxPerf: view.maxPerf,
    loadSeconds: view.loadTimeSeconds,
    queued: view.requestsQueued,
    sessions: view.sessions,
    pending: view.pendingWorkload,
  };
}

function ofRequests({ routes }: Facts['requests']) {
  const each = (value: (tally: Readonly<RouteTally>) => number) =>
    Array.from(routes, ([route, tally]): Sample => [{ route }, value(tally)]);
  return {
    requests: Array.from(routes, ([route, { ended }]) =>
      Object.entries(ended).map(([outcome, count]): Sample => [{ route, outcome }, count]),
    ).flat(),
    inFlight: each(({ inFlight }) => inFlight),
    received: each(({ received }) => received),
    served: each(({ served }) => served),
    errored: each(({ errored }) => errored),
    cancelled: each(({ cancelled }) => cancelled),
    rejected: each(({ rejected }) => rejected),
    receivedBytes: each(({ receivedBytes }) => receivedBytes),
    sentBytes: each(({ sentBytes }) => sentBytes),
  };
}

function ofReports({ reports, view, nowMs }: Facts) {
  const { unreported } = view.ledger;
  return {
    reportAttempts: reports.attempts,
    reportFailures: reports.failures,
    reportAge: Math.max(nowMs - reports.acknowledgedAtMs, 0) / 1000,
    // A dialect tells what came in as one or as the other.
    unreported: Math.max(unreported.received, unreported.load),
    untold: view.completions.untold,
    dropped: view.completions.dropped,
  };
}

function ofTheModel({ restarts, deaths, strikes, stalls }: Facts['model']) {
  return { modelRestarts: restarts, modelDeaths: deaths, healthStrikes: strikes, modelStalls: stalls };
}
