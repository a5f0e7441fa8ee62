import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { asWorkerError, type ErrorBody, WorkerError } from '../errors.js';

/**
 * Answers what a handler returned, and waits until the client has it: a string as text, bytes as
 * bytes, undefined as 204, anything else as JSON.
 *
 * @throws when the result can't be written as JSON, the connection is lost, or the signal is aborted
 */
export async function answer(response: ServerResponse, result: unknown, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (result === undefined) response.writeHead(204).end();
  else if (typeof result === 'string') write(response, 200, 'text/plain; charset=utf-8', Buffer.from(result));
  else if (result instanceof Uint8Array) write(response, 200, 'application/octet-stream', result);
  else write(response, 200, 'application/json; charset=utf-8', toJson(result));
  await finished(response, { signal });
}

/** Answers an error. Where an answer has begun already, the connection is cut so that the client knows. */
export function answerError(response: ServerResponse, error: WorkerError): void {
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  write(response, error.status, 'application/json; charset=utf-8', toJson(error.body satisfies ErrorBody));
}

/** Turns anything that was thrown into an error that a client can be told. */
export function toWorkerError(error: unknown): WorkerError {
  return asWorkerError(error) ?? new WorkerError('backend_error', undefined, { cause: error });
}

function toJson(value: unknown): Buffer {
  const json = JSON.stringify(value);
  if (json === undefined) throw new TypeError(`a ${typeof value} can not be answered as JSON`);
  return Buffer.from(json);
}

/**
 * Writes an answer at once, but ends it only when the whole request is here: a connection that is
 * closed while the client still sends loses the answer. What comes in until then is dropped.
 */
function write(response: ServerResponse, status: number, type: string, body: Uint8Array): void {
  const { req: request } = response;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length });
  if (request.complete) {
    response.end(body);
    return;
  }
  response.write(body);
  request.once('end', () => response.end()).resume();
}
