import type { Decoded } from '../dialects/fields.js';

/** How a request ended, as the worker tells it. */
export type CompletionStatus = 'Success' | 'Error' | 'Cancelled' | 'Rejected';

/** One finished request. Names of the wire are kept; times are Unix seconds. */
export interface FinishedRequest {
  readonly request_idx: number;
  readonly success: boolean;
  readonly status: CompletionStatus;
  /** `null` in the older form, which tells no times. */
  readonly entered_queue_at: number | null;
  /** 0 where the work never started, `null` in the older form. */
  readonly work_started_at: number | null;
  /** 0 where the work was never completed, `null` in the older form. */
  readonly work_completed_at: number | null;
}

/** The body of `POST /delete_requests/`, of either form. */
export interface CompletionsMessage {
  readonly dialect: 'current';
  readonly kind: 'completions';
  /** `worker_id`. */
  readonly id: number;
  /** `request_idxs`: the older form, that tells no more than whether they succeeded. */
  readonly form: 'requests' | 'request_idxs';
  readonly requests: readonly FinishedRequest[];
}

export type DecodedCompletions = Decoded<CompletionsMessage>;

/** How many requests ended in each way. */
export type CompletionCounts = Readonly<Record<CompletionStatus, number>>;

export const NONE_FINISHED: CompletionCounts = { Success: 0, Error: 0, Cancelled: 0, Rejected: 0 };

export function countFinished(counts: CompletionCounts, status: CompletionStatus): CompletionCounts {
  return { ...counts, [status]: counts[status] + 1 };
}
