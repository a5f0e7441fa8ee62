import type { Dialect, StatusMessage } from './decode.js';

/** A message and when it arrived, in monotonic milliseconds. */
export interface Told<M extends StatusMessage = StatusMessage> {
  readonly atMs: number;
  readonly message: M;
}

/** The messages that say how the model was loaded: `loadtime` in seconds and `max_perf`. */
export type LoadedMessage = Extract<StatusMessage, { kind: 'loaded' | 'data' | 'status' }>;

/** The messages that a worker sends again and again while it works. */
export type UpdateMessage = Extract<StatusMessage, { kind: 'update' | 'data' | 'status' }>;

/** What a worker's messages add up to. Names of the wire are kept. */
export interface WorkerSums {
  /** Messages counted, of any kind. */
  readonly reports: number;
  /** As last told: the worker counts its whole life. */
  readonly num_requests_recieved: number;
  /** As last told. In `legacy` a rate (workload per second), in `current` a sum of workload. */
  readonly cur_load: number;
  /**
   * Workload told by legacy updates: `cur_load` × seconds since the update before. An estimate,
   * since the worker measures its interval with its own clock; the first update adds nothing.
   */
  readonly estimatedWork: number;
  /** Sums over the statuses of `current`; 0 in `legacy`. */
  readonly new_load: number;
  readonly rej_load: number;
  readonly cur_perf: number;
}

/** What is remembered of one worker. The state people see is derived from this and the time. */
export interface WorkerRecord {
  readonly id: number;
  readonly dialect: Dialect;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  /** Whether the worker says that its model is loaded. */
  readonly loaded: boolean;
  /** Whether it has been answered that it has, since it said so. */
  readonly loadAnswered: boolean;
  /** Why the worker says it is failing; empty when it does not. */
  readonly error: string;
  readonly lastLoaded: Told<LoadedMessage> | null;
  readonly lastUpdate: Told<UpdateMessage> | null;
  /** GiB, as last told; only legacy workers that load tell it. */
  readonly diskGib: number;
  /** Its load over time, up to the last update: see {@link loadAverage}. */
  readonly loadAverage: number;
  /** The last error that was told, also after it was cleared. */
  readonly lastError: { readonly atMs: number; readonly error_msg: string } | null;
  readonly sums: WorkerSums;
}

const NOTHING_TOLD: WorkerSums = {
  reports: 0,
  num_requests_recieved: 0,
  cur_load: 0,
  estimatedWork: 0,
  new_load: 0,
  rej_load: 0,
  cur_perf: 0,
};

/** The record after one more message; `undefined` is a worker not heard of before. */
export function tell(before: WorkerRecord | undefined, message: StatusMessage, atMs: number): WorkerRecord {
  const error = errorAfter(before?.error ?? '', message);
  const loaded = loadedAfter(before?.loaded ?? false, message);
  return {
    id: message.id,
    dialect: message.dialect,
    firstSeenAtMs: before?.firstSeenAtMs ?? atMs,
    lastSeenAtMs: atMs,
    loaded,
    loadAnswered: loaded && error === '' && (before?.loadAnswered ?? false),
    error,
    lastLoaded: lastLoadedAfter(before, message, atMs),
    lastUpdate: isUpdate(message) ? { atMs, message } : (before?.lastUpdate ?? null),
    diskGib: message.kind === 'loading' ? message.disk_usage : (before?.diskGib ?? 0),
    loadAverage: loadAverageAfter(before, message, atMs),
    lastError: saysError(message) ? { atMs, error_msg: message.error_msg } : (before?.lastError ?? null),
    sums: sumsAfter(before, message, atMs),
  };
}

/** What happened so long ago counts a third of what happens now. */
const LOAD_AVERAGE_MS = 60_000;

/** The average of the load of a worker over time, of which the last minute counts most. */
export function loadAverage({ lastUpdate, loadAverage: before, sums }: WorkerRecord, nowMs: number): number {
  if (lastUpdate === null) return 0;
  const weight = Math.exp(-Math.max(0, nowMs - lastUpdate.atMs) / LOAD_AVERAGE_MS);
  return sums.cur_load + (before - sums.cur_load) * weight;
}

/** What it told last was so until it tells anew. Of the time before its first word nothing is known. */
function loadAverageAfter(before: WorkerRecord | undefined, message: StatusMessage, atMs: number): number {
  if (!isUpdate(message)) return before?.loadAverage ?? 0;
  return before === undefined || before.lastUpdate === null ? message.cur_load : loadAverage(before, atMs);
}

/** The record after a message of its worker was answered with a whole 2xx. */
export function answered(worker: WorkerRecord, message: StatusMessage): WorkerRecord {
  return { ...worker, loadAnswered: worker.loadAnswered || isWell(worker, message) };
}

/** Whether a message says that the model is loaded, of a worker that has said nothing else since. */
function isWell({ loaded, error }: WorkerRecord, message: StatusMessage): boolean {
  return loaded && error === '' && asLoaded(message) !== null && !saysError(message);
}

function loadedAfter(before: boolean, message: StatusMessage): boolean {
  if (asLoaded(message) !== null) return true;
  // A status says it each time, and a legacy worker that loads again was started anew.
  if (message.kind === 'status' || message.kind === 'loading') return false;
  return before;
}

/** In `current` each status says whether there is an error; in `legacy` a later `loadtime` clears it. */
function errorAfter(before: string, message: StatusMessage): string {
  if (message.kind === 'status' || message.kind === 'error') return message.error_msg;
  // A worker that loads anew is over what it failed of.
  if (message.kind === 'loading') return '';
  return asLoaded(message) === null ? before : '';
}

/** A load that is merely repeated is not news: the message that told it first is kept. */
function lastLoadedAfter(
  before: WorkerRecord | undefined,
  message: StatusMessage,
  atMs: number,
): Told<LoadedMessage> | null {
  const last = before?.lastLoaded ?? null;
  const loaded = asLoaded(message);
  if (loaded === null) return last;
  const repeated =
    loaded.kind !== 'loaded' &&
    before?.loaded === true &&
    last?.message.loadtime === loaded.loadtime &&
    last.message.max_perf === loaded.max_perf;
  return repeated ? last : { atMs, message: loaded };
}

function sumsAfter(before: WorkerRecord | undefined, message: StatusMessage, atMs: number): WorkerSums {
  const sums = before?.sums ?? NOTHING_TOLD;
  const counted = { ...sums, reports: sums.reports + 1 };
  if (!isUpdate(message)) return counted;
  const lastTold = { num_requests_recieved: message.num_requests_recieved, cur_load: message.cur_load };
  if (message.kind === 'data') return { ...counted, ...lastTold };
  if (message.kind === 'update') {
    const previousAtMs = before?.lastUpdate?.atMs ?? atMs;
    const work = (message.cur_load * (atMs - previousAtMs)) / 1_000;
    return { ...counted, ...lastTold, estimatedWork: sums.estimatedWork + work };
  }
  return {
    ...counted,
    ...lastTold,
    new_load: sums.new_load + message.new_load,
    rej_load: sums.rej_load + message.rej_load,
    cur_perf: sums.cur_perf + message.cur_perf,
  };
}

/** The message if it says that the model is loaded: in `current` that is a `loadtime` over 0. */
function asLoaded(message: StatusMessage): LoadedMessage | null {
  if (message.kind === 'status') return message.loadtime > 0 ? message : null;
  return message.kind === 'loaded' || message.kind === 'data' ? message : null;
}

function isUpdate(message: StatusMessage): message is UpdateMessage {
  return message.kind === 'update' || message.kind === 'data' || message.kind === 'status';
}

function saysError(message: StatusMessage): message is Extract<StatusMessage, { error_msg: string }> {
  return (message.kind === 'error' || message.kind === 'status') && message.error_msg !== '';
}
