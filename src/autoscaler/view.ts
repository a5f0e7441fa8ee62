import type { Clock } from './clock.js';
import type { WorkerCompletions } from './completions.js';
import type { Dialect, StatusMessage } from './decode.js';
import { ENDPOINT_ID } from './endpoint.js';
import type { Intake, RefusedMessage } from './intake.js';
import { type Place, placeOf } from './place.js';
import type { RequestCounts } from './routed-requests.js';
import type { LoadedMessage, Told, UpdateMessage, WorkerRecord, WorkerSums } from './worker-record.js';
import { silentAfterMs, stateOf, type WorkerState } from './worker-state.js';

/** A message as it is shown: the fields of the wire without the sender's token. */
export type Shown<M extends StatusMessage> = M extends StatusMessage ? Omit<M, 'mtoken'> : never;

/** A message, when it arrived (ISO 8601) and how long ago that is. */
export interface ToldView<M extends StatusMessage> {
  readonly at: string;
  readonly agoMs: number;
  readonly message: Shown<M>;
}

/** One worker as `GET /api/workers` tells it. */
export interface WorkerView {
  readonly id: number;
  readonly dialect: Dialect;
  readonly state: WorkerState;
  /** Where in its lifecycle it is, as far as its reports tell. */
  readonly place: Place;
  /** Why it is failing, in its own words; empty when it is not. */
  readonly error: string;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly lastSeenAgoMs: number;
  readonly lastLoaded: ToldView<LoadedMessage> | null;
  readonly lastUpdate: ToldView<UpdateMessage> | null;
  /** The last error that was told, also after the worker recovered. */
  readonly lastError: { readonly at: string; readonly agoMs: number; readonly error_msg: string } | null;
  readonly sums: WorkerSums;
  /** Its finished requests by status. */
  readonly completions: WorkerCompletions;
}

/** The endpoint, and what came of the requests to it. */
export interface EndpointView {
  readonly id: number;
  readonly name: string;
  readonly requests: RequestCounts;
  /** Told by workers, of requests that were routed here or not. */
  readonly completions: { readonly told: number; readonly duplicates: number; readonly dropped: number };
}

/** The answer of `GET /api/workers`. */
export interface WorkersView {
  readonly reportIntervalMs: number;
  /** A worker is silent when its last message is older than this. */
  readonly silentAfterMs: number;
  readonly endpoint: EndpointView;
  /** By id. */
  readonly workers: readonly WorkerView[];
  /** What was forgotten because memory is bounded. */
  readonly dropped: { readonly workers: number; readonly messages: number };
  /** Bodies that were answered with 400. */
  readonly refused: { readonly count: number; readonly last: RefusedMessage | null };
}

/** What the view is made from. */
export interface ViewParts {
  readonly endpointName: string;
  readonly intake: Intake;
  readonly requests: { readonly counts: RequestCounts };
  readonly clock: Clock;
  readonly reportIntervalMs: number;
}

export function viewWorkers({
  endpointName,
  intake,
  requests,
  clock,
  reportIntervalMs,
}: ViewParts): WorkersView {
  const nowMs = clock.now();
  const workers = [...intake.fleet.workers.values()]
    .sort((one, other) => one.id - other.id)
    .map((worker) => ({
      ...viewWorker(worker, clock, nowMs, reportIntervalMs),
      completions: intake.completions.of(worker.id),
    }));
  return {
    reportIntervalMs,
    silentAfterMs: silentAfterMs(reportIntervalMs),
    endpoint: {
      id: ENDPOINT_ID,
      name: endpointName,
      requests: requests.counts,
      completions: intake.completions.totals,
    },
    workers,
    dropped: { workers: intake.fleet.dropped, messages: intake.messages.dropped },
    refused: intake.refused,
  };
}

function viewWorker(
  worker: WorkerRecord,
  clock: Clock,
  nowMs: number,
  intervalMs: number,
): Omit<WorkerView, 'completions'> {
  const when = (atMs: number) => ({ at: clock.iso(atMs), agoMs: nowMs - atMs });
  const told = <M extends StatusMessage>(last: Told<M> | null): ToldView<M> | null =>
    last === null ? null : { ...when(last.atMs), message: withoutToken(last.message) };
  return {
    id: worker.id,
    dialect: worker.dialect,
    state: stateOf(worker, nowMs, intervalMs),
    place: placeOf(worker, nowMs, intervalMs),
    error: worker.error,
    firstSeenAt: clock.iso(worker.firstSeenAtMs),
    lastSeenAt: clock.iso(worker.lastSeenAtMs),
    lastSeenAgoMs: nowMs - worker.lastSeenAtMs,
    lastLoaded: told(worker.lastLoaded),
    lastUpdate: told(worker.lastUpdate),
    lastError: worker.lastError && { ...when(worker.lastError.atMs), error_msg: worker.lastError.error_msg },
    sums: worker.sums,
  };
}

function withoutToken<M extends StatusMessage>(message: M): Shown<M>;
function withoutToken({ mtoken: _, ...shown }: StatusMessage): Omit<StatusMessage, 'mtoken'> {
  return shown;
}
