import type { ServerResponse } from 'node:http';

/**
 * Whether all of an answer was sent. Node says of one that was ended that it has finished, though its connection
 * broke before it was sent.
 */
export function isWhole(response: ServerResponse): boolean {
  return response.writableFinished && response.req.socket.errored === null;
}
