import type { IncomingMessage } from 'node:http';
import { WorkerError } from '../errors.js';

/** What takes GET takes HEAD too, where that changes nothing: it asks for the head of the same answer. */
export const READING = ['GET', 'HEAD'] as const;

/** @throws {WorkerError} `method_not_allowed` when the request has another method than the path takes */
export function allowOnly(
  methods: string | readonly string[],
  path: string,
  request: Pick<IncomingMessage, 'method'>,
): void {
  const { method = '' } = request;
  const allowed = typeof methods === 'string' ? [methods] : methods;
  if (allowed.includes(method)) return;
  throw new WorkerError('method_not_allowed', `${path} takes ${allowed.join(' and ')} only.`, {
    headers: { Allow: allowed.join(', ') },
  });
}
