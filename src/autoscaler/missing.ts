import type { Fleet } from './fleet.js';
import { MAX_ENTRIES } from './redact.js';
import type { AssignedRequest } from './routed-requests.js';
import { stateOf } from './worker-state.js';

/**
 * Whether a request is not at the worker that it was given, as far as its reports tell: its client has not come yet, or
 * it has ended and that is still to be told. Nothing will be heard of it while its worker is silent, or forgotten, and
 * in `legacy`, where no worker tells what it has.
 */
export function isMissing(
  { requestIdx, assignment }: AssignedRequest,
  fleet: Fleet,
  nowMs: number,
  reportIntervalMs: number,
): boolean {
  const worker = fleet.workers.get(assignment.workerId);
  if (worker === undefined || stateOf(worker, nowMs, reportIntervalMs) === 'silent') return true;
  const { lastUpdate: told } = worker;
  if (told?.message.kind !== 'status') return true;
  const { working_request_idxs: atWork } = told.message;
  // Of a list that is as long as any is kept the rest may have been cut off.
  return told.atMs > assignment.atMs && atWork.length < MAX_ENTRIES && !atWork.includes(requestIdx);
}
