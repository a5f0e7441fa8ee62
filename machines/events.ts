/**
 * The vocabulary of what happens to requests. One request that is let in is two events: it starts, and it
 * ends in exactly one way; one that is refused at the door after its signature was found valid is a single
 * `request.rejected`. Work is in units of work, times are monotonic ms.
 */
export type RequestEvent =
  | ({ readonly type: 'request.started' } & RequestFacts)
  | ({
      readonly type: 'request.succeeded' | 'request.errored' | 'request.cancelled' | 'request.expired';
    } & EndFacts)
  | ({ readonly type: 'request.rejected' } & RequestFacts);

/**
 * A `session` counts as one request for as long as it lasts; what is sent `in-session` is work of the
 * session, and is not told on its own.
 */
export type RequestKind = 'request' | 'session' | 'in-session';

export interface RequestFacts {
  /** The worker's own; what the client calls it may collide. */
  readonly id: number;
  readonly kind: RequestKind;
  /** The path of its route as the backend declares it, never as a client wrote it. */
  readonly route: string;
  readonly workload: number;
  readonly atMs: number;
  /** The autoscaler's name for it; null when the request was not signed for one. */
  readonly requestIdx: number | null;
}

export interface EndFacts extends RequestFacts {
  readonly enteredAtMs: number;
  /** When its turn came; null: it never did. */
  readonly workStartedAtMs: number | null;
  /** When the first byte of the answer went to the client; null: none did. */
  readonly firstByteAtMs: number | null;
  /** Bytes of its body. */
  readonly receivedBytes: number;
  /** Bytes of the answer's body that were handed to the client's connection. */
  readonly sentBytes: number;
}

/**
 * succeeded, errored, cancelled (the client went away); expired: it waited longer than its route allows, and
 * was refused before its turn came.
 */
export type RequestOutcome = 'succeeded' | 'errored' | 'cancelled' | 'expired';

export type RequestEnded = Extract<RequestEvent, EndFacts>;
