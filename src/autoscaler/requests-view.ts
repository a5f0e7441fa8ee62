import type { Clock } from './clock.js';
import type { CompletionStatus } from './finished.js';
import type { RequestState, RoutedRequest } from './routed-requests.js';

/** One request as `GET /api/requests` tells it. Times are ISO 8601. */
export interface RequestView {
  readonly requestIdx: number;
  readonly state: RequestState;
  readonly cost: number;
  readonly workerId: number | null;
  readonly url: string | null;
  readonly reqnum: number | null;
  readonly askedAt: string;
  readonly polledAt: string;
  readonly assignedAt: string | null;
  readonly finishedAt: string | null;
  /** How it ended. */
  readonly status: CompletionStatus | null;
}

/** Without the signature, which lets anyone ask the worker. */
export function viewRequest(request: RoutedRequest, clock: Clock): RequestView {
  const { requestIdx, state, cost, assignment, finish } = request;
  return {
    requestIdx,
    state,
    cost,
    workerId: assignment?.workerId ?? null,
    url: assignment?.url ?? null,
    reqnum: assignment?.reqnum ?? null,
    askedAt: clock.iso(request.askedAtMs),
    polledAt: clock.iso(request.polledAtMs),
    assignedAt: assignment && clock.iso(assignment.atMs),
    finishedAt: finish && clock.iso(finish.atMs),
    status: finish?.status ?? null,
  };
}
