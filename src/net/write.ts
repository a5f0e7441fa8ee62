import type { ServerResponse } from 'node:http';
import type { WorkerError } from '../errors.js';

/** Answers an error. Where an answer has begun already, the connection is cut so that the client knows. */
export function answerError(response: ServerResponse, error: WorkerError): void {
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  write(response, error.status, 'application/json; charset=utf-8', toJson(error.body));
}

/** @throws when there is no JSON for it */
export function toJson(value: unknown): Buffer {
  const json = JSON.stringify(value);
  if (json === undefined) throw new TypeError(`a ${typeof value} can not be answered as JSON`);
  return Buffer.from(json);
}

/**
 * Writes an answer at once, but ends it only when the whole request is here: a connection that is
 * closed while the client still sends loses the answer. What comes in until then is dropped.
 */
export function write(response: ServerResponse, status: number, type: string, body: Uint8Array): void {
  const { req: request } = response;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length });
  if (request.complete) {
    response.end(body);
    return;
  }
  response.write(body);
  request.once('end', () => response.end()).resume();
}
