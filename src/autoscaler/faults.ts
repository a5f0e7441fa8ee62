import type { StatusMessage } from './decode.js';
import type { CompletionsMessage } from './finished.js';

/**
 * A way to answer badly, so that workers and clients can be tested against it: a worker's message (a status,
 * `POST /worker_status/`, or finished requests, `POST /delete_requests/`) or a client's call
 * (`/route/`, …). Each message is read and kept in `messages()` first. "Counted" is what the fleet's
 * sums and `completions()` hold; "acknowledged" is that a whole 2xx answer was written.
 *
 * | kind     | counted  | acknowledged | what the worker sees                                        |
 * | -------- | -------- | ------------ | ----------------------------------------------------------- |
 * | `status` | if 2xx   | if 2xx       | that status with a JSON body                                |
 * | `hang`   | no       | no           | nothing, until it gives up                                  |
 * | `reset`  | no       | no           | a TCP reset, not a byte of an answer                        |
 * | `slow`   | yes      | yes, later   | 200 after `delayMs`; not acknowledged if it left before     |
 * | `cut`    | yes      | no           | the headers of a 200, then the connection closes in the body |
 * | `duplicate` | twice | yes         | 200, as if something on the way had sent the message a second time |
 * | `reorder` | after the next message | yes, then | nothing until then; not acknowledged if it left before |
 *
 * `cut` is the report that arrived and whose answer was lost: the worker tells it again, and it is
 * counted twice, as in production. Finished requests that are told again are known by what they say.
 *
 * Of a client's call nothing is counted or acknowledged. With `slow`, `cut` and `reorder` it has its effect, so that a
 * request gets its worker, and is answered late, not in full, or when the next call was; with the others it has none.
 */
export type Fault =
  /** `retryAfter`: seconds, told in the header of that name. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'reorder' };

/** A message about to be answered. */
export interface IncomingReport {
  /** 1 for the first message of this autoscaler, then one more each. */
  readonly sequence: number;
  /** Finished requests are of the kind `completions`. */
  readonly message: StatusMessage | CompletionsMessage;
  readonly path: '/worker_status/' | '/delete_requests/';
}

/** Asked for each message; `undefined` answers it properly. */
export type FaultFunction = (report: IncomingReport) => Fault | undefined;

/** A client's call about to be answered. It had the right key. */
export interface IncomingCall {
  /** 1 for the first call since it was started, then one more each. */
  readonly sequence: number;
  /** Such as `/route/`: with a slash at its end, however it was asked. */
  readonly path: string;
}

/** Of a call that came twice its client would see nothing. */
export type CallFault = Exclude<Fault, { kind: 'duplicate' }>;

/** Asked for each call; `undefined` answers it properly. */
export type CallFaultFunction = (call: IncomingCall) => CallFault | undefined;

/** What an answer does to the books. `settle` is called exactly once for each message. */
export interface Books {
  /** Adds the message to what is known of its worker. */
  count(): void;
  settle(acknowledged: boolean): void;
}
