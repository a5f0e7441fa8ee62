import type { ServerResponse } from 'node:http';
import { ERRORS, type WorkerError } from '../../errors.js';
import { toJson, write } from '../../net/write.js';

/** An error in the words of OpenAI's protocol. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function refusalFrom({ status, code, message, headers }: WorkerError): Refusal {
  return { status, code, message, headers };
}

/**
 * What a worker itself refused; `undefined`: these are the words of its model server, which speaks OpenAI's protocol.
 *
 * @param retryAfter the worker's header of that name
 */
export function refusalIn(
  status: number,
  body: unknown,
  retryAfter: string | undefined,
): Refusal | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  const { error, message } = body as Readonly<Record<string, unknown>>;
  if (typeof error === 'string' && Object.hasOwn(ERRORS, error) && typeof message === 'string') {
    return { status, code: error, message, headers };
  }
  const fields = Object.entries(body);
  if (status !== 422 || fields.length === 0 || fields.some(([, value]) => typeof value !== 'string')) {
    return undefined;
  }
  const said = fields.map(([name, problem]) => `${name}: ${problem}`).join(', ');
  return { status, code: 'invalid_envelope', message: said, headers };
}

/** Answers as OpenAI does, so that its clients throw the error that belongs to it. */
export function tellRefusal(response: ServerResponse, { status, code, message, headers }: Refusal): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const body = { error: { message, type: typeOf(status), param: null, code } };
  write(response, status, 'application/json; charset=utf-8', toJson(body));
}

function typeOf(status: number): string {
  if (status >= 500) return 'server_error';
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error';
}
