import { errors } from 'undici';
import { hasCode, messageOf } from '../errors.js';

/** Whether nobody listens where a connection was to be made. */
export function isRefused(error: unknown): boolean {
  return hasCode(error, 'ECONNREFUSED');
}

/** Whether the worker had no file descriptor left for a connection, so that nobody was asked at all. */
export function isOutOfDescriptors(error: unknown): boolean {
  return hasCode(error, 'EMFILE', 'ENFILE');
}

/** What undici says of an answer that can't be one, such as an upgrade: it has cut the connection itself. */
const NO_ANSWER = ['bad response', 'bad upgrade'];

/** Whether the other side has closed the connection, or cut it. */
export function isCut(error: unknown): boolean {
  if (error instanceof errors.SocketError) return !NO_ANSWER.includes(error.message);
  return hasCode(error, 'ECONNRESET', 'EPIPE');
}

/**
 * Why an address could not be asked, without the address: the operator is told it beside, and clients are not to
 * know it.
 */
export function whyNotReached(error: unknown): string {
  if (error instanceof errors.ConnectTimeoutError) return 'no connection in time';
  // The messages of the system's own errors end with the address.
  if (error instanceof Error && 'syscall' in error) return `${error.syscall} ${codeOf(error)}`;
  return messageOf(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
