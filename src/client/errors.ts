/**
 * Everything that can go wrong with a call. The code is stable and made for programs; what to do about it is for
 * people and may change.
 */
export const CLIENT_ERRORS = {
  invalid_option: 'Mend the option or the argument that the message names.',
  aborted: 'There is nothing to mend: the signal of the call ended it. The reason is the cause.',
  unauthorized: 'Give the API key of the endpoint as apiKey.',
  no_such_endpoint: 'Check the name of the endpoint, and that the API key is that of its owner.',
  endpoint_not_ready: 'Try again when the endpoint has been started.',
  autoscaler_lost:
    'Check autoscalerUrl and the network. In a browser the autoscaler has to allow your origin.',
  autoscaler_failed: 'Try again later: the autoscaler answered with errors until the time was over.',
  autoscaler_refused: 'Mend what the answer of the autoscaler names.',
  unexpected_answer: 'Check that the address is the one of an autoscaler or worker, and what stands between.',
  no_worker: 'Raise timeout, or keep workers ready: the endpoint has none that is.',
  worker_lost: 'Try again: the connection was lost. The request may have been served.',
  worker_failed: 'Raise timeout, or look at the log of the worker: it answered with errors each time.',
  worker_refused: 'Mend what the answer names: it would be the same again.',
  session_ended: 'Begin another session.',
  stream_cut: 'Begin the stream anew: what has come is whole, what was still to come is lost.',
  timeout: 'Raise timeout (for a stream idleTimeout as well), or send less work at once.',
} as const satisfies Record<string, string>;

export type ClientErrorCode = keyof typeof CLIENT_ERRORS;

/** What is known of a failure beside its code. */
export interface ErrorFacts {
  readonly cause?: unknown;
  /** Of the answer that was refused or failed. */
  readonly status?: number | undefined;
  /** Of that answer: parsed where it is JSON, else text or bytes. */
  readonly body?: unknown;
  readonly headers?: Headers | undefined;
  /** The address of the worker. */
  readonly worker?: string | undefined;
}

/** The one error that this client throws. */
export class ServerlessError extends Error {
  override readonly name = 'ServerlessError';
  readonly code: ClientErrorCode;
  /** What has happened. The message is this and the advice. */
  readonly what: string;
  /** What to do about it. */
  readonly advice: string;
  readonly status: number | undefined;
  /** The code that the answer itself gives, such as `queue_time_exceeded`. */
  readonly reason: string | undefined;
  readonly body: unknown;
  readonly headers: Headers | undefined;
  readonly worker: string | undefined;

  constructor(code: ClientErrorCode, what: string, facts: ErrorFacts = {}) {
    super(`${what} ${CLIENT_ERRORS[code]}`, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.what = what;
    this.advice = CLIENT_ERRORS[code];
    this.status = facts.status;
    this.reason = codeIn(facts.body);
    this.body = facts.body;
    this.headers = facts.headers;
    this.worker = facts.worker;
  }

  /** The same with more to say of what has happened. */
  adding(more: string): ServerlessError {
    return new ServerlessError(this.code, `${this.what} ${more}`, this);
  }
}

/** What is told of a failure where it may be logged: nothing of what was sent or answered. */
export type Failure = Pick<ServerlessError, 'code' | 'status' | 'reason' | 'worker'>;

export function failureIn({ code, status, reason, worker }: ServerlessError): Failure {
  return { code, status, reason, worker };
}

function codeIn(body: unknown): string | undefined {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  return typeof error === 'string' && /^[a-z][a-z\d_]{0,63}$/.test(error) ? error : undefined;
}

/** The message of anything that was thrown, with the causes that say more. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { message, cause } = thrown;
  // Node's fetch fails with "fetch failed", and says why in the cause.
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name;
  const own = message || code;
  return cause instanceof Error && cause !== thrown ? `${own}: ${reasonOf(cause)}` : own;
}
