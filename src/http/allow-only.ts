import type { IncomingMessage } from 'node:http';
import { WorkerError } from '../errors.js';

/** @throws {WorkerError} `method_not_allowed` when the request has another method than the path takes */
export function allowOnly(method: string, path: string, request: Pick<IncomingMessage, 'method'>): void {
  if (request.method === method) return;
  throw new WorkerError('method_not_allowed', `${path} takes ${method} only.`, {
    headers: { Allow: method },
  });
}
