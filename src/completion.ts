import type { RequestEvent } from '../machines/events.js';
import type { Completion, CompletionStatus } from '../machines/outbox.js';

const STATUS: Readonly<Partial<Record<RequestEvent['type'], CompletionStatus>>> = {
  'request.succeeded': 'Success',
  'request.errored': 'Error',
  'request.cancelled': 'Cancelled',
  'request.expired': 'Rejected',
  'request.rejected': 'Rejected',
};

/**
 * What the autoscaler is told of a request that has ended; undefined: nothing, because it has not ended, has
 * no name that the autoscaler knows, or is part of a session.
 *
 * @param unixSeconds turns ms of the worker's monotonic clock into Unix seconds
 */
export function completionOf(
  event: RequestEvent,
  unixSeconds: (atMs: number) => number,
): Completion | undefined {
  const status = STATUS[event.type];
  if (status === undefined || event.kind === 'in-session' || event.requestIdx === null) return undefined;
  const isRejected = status === 'Rejected';
  const workStartedAtMs = 'workStartedAtMs' in event && !isRejected ? event.workStartedAtMs : null;
  const enteredAtMs = 'enteredAtMs' in event ? event.enteredAtMs : event.atMs;
  // The two clocks never differ by the same twice. So the wall clock is read once, and the times keep their order.
  const endedAt = unixSeconds(event.atMs);
  const at = (atMs: number) => endedAt - (event.atMs - atMs) / 1000;
  return {
    requestIdx: event.requestIdx,
    status,
    enteredQueueAt: at(enteredAtMs),
    workStartedAt: workStartedAtMs === null ? 0 : at(workStartedAtMs),
    workCompletedAt: isRejected || status === 'Cancelled' ? 0 : endedAt,
  };
}
