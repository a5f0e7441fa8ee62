import type { Completion } from '../../../machines/outbox.js';

/**
 * Finished requests on the wire: `POST {address}/delete_requests/`. The newest form lists them with their
 * times in one body; the older one names those that succeeded and those that did not, in a body each.
 */

export type CompletionsForm = 'requests' | 'request_idxs';

export interface CompletionsFacts {
  /** `CONTAINER_ID`. */
  readonly id: number;
  /** `MASTER_TOKEN`. */
  readonly mtoken: string;
  readonly form: CompletionsForm;
}

export type CompletionsBody = Readonly<Record<string, unknown>>;

/** An address that takes reports and keys, but has no use for finished requests. */
const NOT_TOLD = 'https://cloud.vast.ai/api/v0';

/** The addresses, of those that are given, that want to know of finished requests. */
export function addressesForCompletions(addresses: readonly string[]): readonly string[] {
  return addresses.filter((address) => address !== NOT_TOLD);
}

/** The bodies that tell of some completions, each to be posted on its own; none is empty. */
export function encodeCompletions(
  completions: readonly Completion[],
  { id, mtoken, form }: CompletionsFacts,
): readonly CompletionsBody[] {
  const sender = { worker_id: id, mtoken };
  if (form === 'requests') {
    return completions.length === 0 ? [] : [{ ...sender, requests: completions.map(requestOf) }];
  }
  return [true, false]
    .map((success) => ({ success, told: completions.filter((one) => isSuccess(one) === success) }))
    .filter(({ told }) => told.length > 0)
    .map(({ success, told }) => ({
      ...sender,
      request_idxs: told.map(({ requestIdx }) => requestIdx),
      success,
    }));
}

function requestOf(completion: Completion): Readonly<Record<string, unknown>> {
  return {
    request_idx: completion.requestIdx,
    success: isSuccess(completion),
    status: completion.status,
    entered_queue_at: completion.enteredQueueAt,
    work_started_at: completion.workStartedAt,
    work_completed_at: completion.workCompletedAt,
  };
}

/** On the wire a request that its client has left is no failure of the worker. */
function isSuccess({ status }: Completion): boolean {
  return status === 'Success' || status === 'Cancelled';
}
