/**
 * The vocabulary of what happens to requests. One request is two events: it starts, and it ends in
 * exactly one way. `id` is the worker's own, `workload` is in units of work, and `atMs` is
 * monotonic.
 */
export type RequestEvent =
  | RequestStarted
  | { type: 'request.succeeded'; id: number; workload: number; atMs: number }
  | { type: 'request.errored'; id: number; workload: number; atMs: number }
  | { type: 'request.cancelled'; id: number; workload: number; atMs: number };

export interface RequestStarted {
  type: 'request.started';
  id: number;
  workload: number;
  atMs: number;
}

export type RequestOutcome = 'succeeded' | 'errored' | 'cancelled';
