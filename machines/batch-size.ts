/**
 * How many things go in one message to a server that does not say how large a message may be: halved when a
 * message was too large, so that one that fits is found at once, and grown again little by little, so that few
 * are too large.
 */

/** What an attempt fails with when its message was too large for the server, which may take a smaller one. */
export class BatchTooLarge extends Error {}

/** Batches are whole again after so many deliveries at most. */
const GROWTH_STEPS = 16;

/** How many go in the next message after one of `sent` was too large; `sent` is 2 or more. */
export function halved(sent: number): number {
  return Math.floor(sent / 2);
}

/** How many go in the next message after one was delivered, at most `limit`. */
export function grown(batchSize: number, limit: number): number {
  return Math.min(limit, batchSize + Math.ceil(limit / GROWTH_STEPS));
}
