import type { Clock } from './clock.js';
import type { Fleet } from './fleet.js';
import type { Scaler } from './scaler.js';
import { type EndpointSettings, wireSettings } from './scaling-options.js';
import { loadAverage, type WorkerRecord } from './worker-record.js';
import { stateOf, type WorkerState } from './worker-state.js';

/** The settings of an endpoint, as the wire names them. */
export type WireSettings = ReturnType<typeof wireSettings> | typeof SCALING_DEFAULTS;

/** The one endpoint of this autoscaler. */
export interface Endpoint {
  readonly name: string;
  readonly apiKey: string;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Left out: nobody scales it. */
  readonly settings?: EndpointSettings | undefined;
}

/** There is one endpoint, and one user. */
export const ENDPOINT_ID = 1;
const USER_ID = 1;

/** The scaling parameters, at the defaults that are documented for production; `null` where there is none. */
const SCALING_DEFAULTS = {
  min_load: 1,
  target_util: 0.9,
  cold_mult: 3,
  min_cold_load: 0,
  cold_workers: null,
  min_workers: 5,
  max_workers: 16,
  inactivity_timeout: null,
  max_queue_time: null,
  target_queue_time: null,
} as const;

/** An endpoint as `GET /api/v0/endptjobs/` tells it. Only who has the key is told, so the key is in it. */
export function viewEndpoint({ name, apiKey, createdAt, settings }: Endpoint) {
  const scaling: WireSettings = settings === undefined ? SCALING_DEFAULTS : wireSettings(settings);
  return {
    id: ENDPOINT_ID,
    user_id: USER_ID,
    created_at: createdAt,
    endpoint_name: name,
    api_key: apiKey,
    endpoint_state: 'active',
    ...scaling,
  };
}

/** The words of the production console. */
const STATUS_OF: Readonly<Record<WorkerState, string>> = {
  loading: 'Model Loading',
  serving: 'Ready',
  failing: 'Error',
  silent: 'Error',
};

/** The workers as `POST /get_endpoint_workers/` tells them, by id. What nobody measured is 0, or `null`. */
export function viewEndpointWorkers(
  fleet: Fleet,
  clock: Clock,
  reportIntervalMs: number,
  scaler?: Pick<Scaler, 'members' | 'perfOf'>,
) {
  const nowMs = clock.now();
  const told = [...fleet.workers.values()].map((worker) => {
    const status = STATUS_OF[stateOf(worker, nowMs, reportIntervalMs)];
    return viewEndpointWorker(worker, clock, scaler?.members.get(worker.id)?.status ?? status);
  });
  const untold = [...(scaler?.members.values() ?? [])]
    .filter(({ id }) => !fleet.workers.has(id))
    .map(({ id, status }) => ({ ...NOTHING_TOLD, id, status, ...perfs(scaler?.perfOf(id) ?? 0) }));
  return [...told, ...untold].sort((one, other) => one.id - other.id);
}

/** One that has told nothing since its process was started, or has none. */
const NOTHING_TOLD = {
  cur_load: 0,
  new_load: 0,
  cur_load_rolling_avg: 0,
  cur_perf: 0,
  dlperf: 0,
  reliability: 0,
  reqs_working: 0,
  disk_usage: 0,
  loaded_at: null,
  started_at: null,
} as const;

function perfs(measured: number) {
  return { perf: measured, measured_perf: measured };
}

function viewEndpointWorker(worker: WorkerRecord, clock: Clock, status: string) {
  const { lastLoaded, sums } = worker;
  const message = worker.lastUpdate?.message;
  const measured = lastLoaded?.message.max_perf ?? 0;
  return {
    id: worker.id,
    status,
    cur_load: sums.cur_load,
    new_load: message?.kind === 'status' ? message.new_load : 0,
    cur_load_rolling_avg: loadAverage(worker, clock.now()),
    cur_perf: message === undefined || message.kind === 'update' ? 0 : (message.cur_perf ?? 0),
    ...perfs(measured),
    dlperf: 0,
    reliability: 0,
    reqs_working:
      message === undefined || message.kind === 'update' ? 0 : (message.num_requests_working ?? 0),
    disk_usage: worker.diskGib,
    loaded_at: lastLoaded === null ? null : unixSeconds(clock.iso(lastLoaded.atMs)),
    started_at: unixSeconds(clock.iso(worker.firstSeenAtMs)),
  };
}

function unixSeconds(iso: string): number {
  return Date.parse(iso) / 1_000;
}
