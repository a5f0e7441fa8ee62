import { inspect } from 'node:util';

/**
 * Every error that a client can be told, with its HTTP status. The code is stable and made for
 * programs; the message is made for people and may change.
 */
export const ERRORS = {
  invalid_json: { status: 400, message: 'The body is not valid JSON.' },
  invalid_request: { status: 400, message: 'The request does not have the form that this route takes.' },
  malformed_request: { status: 400, message: 'The request is not valid HTTP.' },
  no_such_session: { status: 400, message: 'There is no session of this id.' },
  invalid_signature: { status: 401, message: 'The signature is not valid for this worker.' },
  unsigned: {
    status: 401,
    message: 'The request is not signed, and this worker takes signed requests only.',
  },
  repeated: { status: 401, message: 'This signed request was taken before.' },
  unauthorized: { status: 401, message: 'The token or session_auth is not the right one.' },
  not_found: { status: 404, message: 'There is nothing at this path.' },
  method_not_allowed: { status: 405, message: 'This path does not take this method.' },
  request_timeout: { status: 408, message: 'The request did not arrive in time.' },
  nothing_to_withdraw: { status: 409, message: 'There is no update that can still be withdrawn.' },
  session_gone: { status: 410, message: 'The session does not exist, or has ended.' },
  payload_too_large: { status: 413, message: 'The body is over the size limit.' },
  unsupported_media_type: { status: 415, message: 'This content type or encoding is not taken here.' },
  invalid_envelope: { status: 422, message: 'The envelope of the request does not have the right form.' },
  queue_time_exceeded: { status: 429, message: 'The wait for this worker is longer than the route allows.' },
  too_many_sessions: { status: 429, message: 'The worker holds as many sessions as it may.' },
  headers_too_large: { status: 431, message: 'The request headers are over the size limit.' },
  client_closed_request: { status: 499, message: 'The client went away before the answer was ready.' },
  backend_error: { status: 500, message: 'The backend failed to answer. The worker log has the reason.' },
  model_failed: { status: 500, message: 'The model server failed. The worker log has the reason.' },
  update_failed: {
    status: 500,
    message: 'The update file can not be written: choose another with TSWORKER_UPDATE_FILE.',
  },
  model_gone: {
    status: 502,
    message: 'The model server closed the connection before it answered, and may have read the request.',
  },
  no_public_key: { status: 503, message: 'The worker can not check signatures yet: it has no public key.' },
  too_many_bodies: { status: 503, message: 'Too much is being sent to the worker at once. Try again.' },
  too_many_ahead: {
    status: 503,
    message: 'Too many requests were sent ahead of their answers. The connection was closed.',
  },
  no_worker: { status: 503, message: 'No worker of the endpoint could take the request in time.' },
  not_accepting: { status: 503, message: 'The worker is not accepting requests.' },
  model_timeout: { status: 504, message: 'The model server did not answer in time.' },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** The body of an error answer; where the wire wants it, the fields that are wrong in its place. */
export type ErrorBody = { readonly error: string; readonly message: string } | FieldProblems;

/** What is wrong, by the name of the field. */
export type FieldProblems = Readonly<Record<string, string>>;

/** An error that a client is told: a row of {@link ERRORS}, with a message that fits the case. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: FieldProblems | undefined;

  constructor(
    code: ErrorCode,
    message?: string,
    options: { cause?: unknown; headers?: Record<string, string>; fields?: FieldProblems } = {},
  ) {
    super(message ?? ERRORS[code].message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.status = ERRORS[code].status;
    this.headers = options.headers ?? {};
    this.fields = options.fields;
  }

  get body(): ErrorBody {
    return this.code === 'invalid_envelope' && this.fields !== undefined
      ? this.fields
      : { error: this.code, message: this.message };
  }
}

/** The same error as a row of this table, if it is one: thrown here, or by another copy of this package. */
export function asWorkerError(error: unknown): WorkerError | undefined {
  if (error instanceof WorkerError) return error;
  if (!(error instanceof Error) || error.name !== 'WorkerError') return undefined;
  const { code, message, headers, fields } = error as Partial<WorkerError>;
  if (code === undefined || !Object.hasOwn(ERRORS, code)) return undefined;
  return new WorkerError(code, message, {
    cause: error,
    ...(headers && { headers }),
    ...(fields && { fields }),
  });
}

/** Whether the system, or Node, gave what was thrown one of these codes, such as `ENOENT`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : inspect(error);
  // The error of a name with several addresses has no message of its own, only a code.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return error.message || code;
}

/** The same where it is a part of a sentence: that of a JSON that can't be parsed may quote several lines of it. */
export function messageInLine(error: unknown): string {
  return messageOf(error).replaceAll(/\s+/g, ' ');
}
