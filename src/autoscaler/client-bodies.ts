import { z } from 'zod';
import { count, type Decoded, decodeWith, work } from '../dialects/fields.js';
import { WorkerError } from '../errors.js';
import type { Ask } from './routed-requests.js';

/** What clients ask this autoscaler, as parsed JSON. The key beside it is read before. */

const DEFAULT_REPLAY_TIMEOUT_SECONDS = 60;
const MAX_REPLAY_TIMEOUT_SECONDS = 86_400;

const routeSchema = z.object({
  endpoint: z.string(),
  cost: work,
  request_idx: count.default(0),
  replay_timeout: z
    .number()
    .positive()
    .max(MAX_REPLAY_TIMEOUT_SECONDS)
    .default(DEFAULT_REPLAY_TIMEOUT_SECONDS),
});

/** What `POST /route/` asks for. */
export interface AskedRoute {
  readonly endpoint: string;
  /** 0: a new request. */
  readonly requestIdx: number;
  readonly ask: Ask;
}

/**
 * The body of `POST /route/`.
 *
 * @throws {WorkerError} `invalid_request`, naming the field that is wrong
 */
export function readRoute(body: unknown): AskedRoute {
  const fields = fieldsOf(decodeWith<z.infer<typeof routeSchema>>(routeSchema, body));
  return {
    endpoint: fields.endpoint,
    requestIdx: fields.request_idx,
    ask: { cost: fields.cost, replayTimeoutMs: fields.replay_timeout * 1_000 },
  };
}

const updateSchema = z.object({ workergroup_id: z.int() });

/**
 * The id of the group of workers, from the body of `POST /update_workers/`.
 *
 * @throws {WorkerError} `invalid_request`, naming the field that is wrong
 */
export function readWorkergroupId(body: unknown): number {
  return fieldsOf(decodeWith(updateSchema, body)).workergroup_id;
}

const workersSchema = z.object({ id: z.int() });

/**
 * The id of an endpoint, from the body of `POST /get_endpoint_workers/`.
 *
 * @throws {WorkerError} `invalid_request`, naming the field that is wrong
 */
export function readEndpointId(body: unknown): number {
  return fieldsOf(decodeWith(workersSchema, body)).id;
}

function fieldsOf<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) throw new WorkerError('invalid_request', `${decoded.field}: ${decoded.problem}`);
  return decoded.message;
}
