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

/** Writes an answer at once. */
export function write(response: ServerResponse, status: number, type: string, body: Uint8Array): void {
  begin(response, status, type, body.length);
  finish(response, body);
}

/** Begins an answer. What is still to come of its request is dropped, unless that is paused: it is read no further then. */
export function begin(response: ServerResponse, status: number, type: string, bytes: number): void {
  const { req: request } = response;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes });
  if (!request.complete && !request.isPaused()) request.resume();
}

/**
 * Writes the last of an answer, but ends it only when the whole request is here: a connection that is closed while the
 * client still sends loses the answer.
 */
export function finish(response: ServerResponse, last?: Uint8Array): void {
  const { req: request } = response;
  if (request.complete) {
    response.end(last);
    return;
  }
  if (last !== undefined) response.write(last);
  request.once('end', () => response.end());
}
