/** The shapes that travel between client, autoscaler and worker. Names of the wire are kept. */

/** A route to a worker, signed: what a worker gets as `auth_data`. */
export interface Route {
  readonly cost: number;
  readonly endpoint: string;
  readonly reqnum: number;
  readonly request_idx: number;
  readonly signature: string;
  readonly url: string;
}

/** No worker is ready yet. */
export interface NoRoute {
  readonly request_idx: number;
  /** How many workers are in which state. */
  readonly status: string;
}

/** An endpoint, as the autoscaler's web server tells it. */
export interface EndpointInfo {
  readonly id: number;
  readonly endpoint_name: string;
  readonly endpoint_state?: string;
  /** Unix seconds. */
  readonly created_at?: number;
  readonly min_load?: number | null;
  readonly target_util?: number | null;
  readonly cold_mult?: number | null;
  readonly cold_workers?: number | null;
  readonly min_workers?: number | null;
  readonly max_workers?: number | null;
  /** Whatever else it tells. */
  readonly [field: string]: unknown;
}

/** A worker of an endpoint, as the autoscaler sees it. */
export interface EndpointWorker {
  readonly id: number;
  /** In the words of the console: `Loading`, `Ready`, `Error`, … */
  readonly status: string;
  readonly cur_load?: number | null;
  readonly new_load?: number | null;
  readonly cur_load_rolling_avg?: number | null;
  readonly cur_perf?: number | null;
  readonly perf?: number | null;
  readonly measured_perf?: number | null;
  readonly dlperf?: number | null;
  readonly reliability?: number | null;
  readonly reqs_working?: number | null;
  readonly disk_usage?: number | null;
  /** Unix seconds. */
  readonly loaded_at?: number | null;
  readonly started_at?: number | null;
  /** Whatever else it tells. */
  readonly [field: string]: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What an answer of `/route/` says; undefined: nothing of the kind. */
export function readRoute(body: unknown): Route | NoRoute | undefined {
  if (!isFields(body) || typeof body.request_idx !== 'number') return undefined;
  const { cost, endpoint, reqnum, request_idx, signature, url, status } = body;
  if (url === undefined || url === null) {
    return { request_idx, status: typeof status === 'string' ? status : 'it did not say why' };
  }
  const isWhole = typeof cost === 'number' && typeof endpoint === 'string' && typeof reqnum === 'number';
  if (!isWhole || typeof signature !== 'string' || !isAddress(url)) return undefined;
  return { cost, endpoint, reqnum, request_idx, signature, url: url.replace(/\/+$/, '') };
}

/** What an answer of `/get_endpoint_workers/` says: workers, or why there are none to tell. */
export function readWorkers(
  body: unknown,
): readonly EndpointWorker[] | { readonly error: string } | undefined {
  if (isFields(body) && typeof body.error_msg === 'string') return { error: body.error_msg };
  return Array.isArray(body) && body.every(isWorker) ? body : undefined;
}

/** An endpoint and the key that is its own, if it was told. */
export interface KeyedEndpoint {
  readonly info: EndpointInfo;
  readonly apiKey: string | undefined;
}

/** What an answer of `/api/v0/endptjobs/` says. The keys are kept apart, so that none gets where `info` is shown. */
export function readEndpoints(body: unknown): readonly KeyedEndpoint[] | undefined {
  if (!isFields(body) || !Array.isArray(body.results)) return undefined;
  const read = body.results.map(readEndpoint);
  return read.every((each) => each !== undefined) ? read : undefined;
}

function readEndpoint(value: unknown): KeyedEndpoint | undefined {
  if (!isFields(value)) return undefined;
  const { api_key, id, endpoint_name, ...rest } = value;
  if (typeof id !== 'number' || typeof endpoint_name !== 'string') return undefined;
  const apiKey = typeof api_key === 'string' && api_key !== '' ? api_key : undefined;
  return { info: { ...rest, id, endpoint_name }, apiKey };
}

function isWorker(value: unknown): value is EndpointWorker {
  return isFields(value) && typeof value.id === 'number' && typeof value.status === 'string';
}

function isAddress(url: unknown): url is string {
  return typeof url === 'string' && /^https?:\/\/[^?#@\s]+$/i.test(url) && URL.canParse(url);
}
