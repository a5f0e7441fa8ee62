import { inspect } from 'node:util';

/**
 * Every error that a client can be told, with its HTTP status. The code is stable and made for
 * programs; the message is made for people and may change.
 */
export const ERRORS = {
  invalid_json: { status: 400, message: 'The body is not valid JSON.' },
  invalid_request: { status: 400, message: 'The request does not have the form that this route takes.' },
  malformed_request: { status: 400, message: 'The request is not valid HTTP.' },
  not_found: { status: 404, message: 'There is nothing at this path.' },
  method_not_allowed: { status: 405, message: 'This path does not take this method.' },
  request_timeout: { status: 408, message: 'The request did not arrive in time.' },
  payload_too_large: { status: 413, message: 'The body is over the size limit.' },
  unsupported_media_type: { status: 415, message: 'This content type or encoding is not taken here.' },
  headers_too_large: { status: 431, message: 'The request headers are over the size limit.' },
  client_closed_request: { status: 499, message: 'The client went away before the answer was ready.' },
  backend_error: { status: 500, message: 'The backend failed to answer. The worker log has the reason.' },
  not_accepting: { status: 503, message: 'The worker is not accepting requests.' },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** The body of every error answer. */
export interface ErrorBody {
  readonly error: string;
  readonly message: string;
}

/** An error that a client is told: a row of {@link ERRORS}, with a message that fits the case. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    message?: string,
    options: { cause?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(message ?? ERRORS[code].message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.status = ERRORS[code].status;
    this.headers = options.headers ?? {};
  }

  get body(): ErrorBody {
    return { error: this.code, message: this.message };
  }
}

/** The same error as a row of this table, if it is one: thrown here, or by another copy of this package. */
export function asWorkerError(error: unknown): WorkerError | undefined {
  if (error instanceof WorkerError) return error;
  if (!(error instanceof Error) || error.name !== 'WorkerError') return undefined;
  const { code, message, headers } = error as Partial<WorkerError>;
  if (code === undefined || !Object.hasOwn(ERRORS, code)) return undefined;
  return new WorkerError(code, message, { cause: error, ...(headers && { headers }) });
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : inspect(error);
  // The error of a name with several addresses has no message of its own, only a code.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return error.message || code;
}
