/**
 * How many things go in one message to a server that does not say how large a message may be, nor which of the
 * things in it was wrong: halved when a message was refused, so that one that is taken is found at once, and grown
 * again little by little, so that few are refused.
 */

/** What an attempt fails with when the server refused what its message held, and may take a part of it. */
export class BatchRefused extends Error {}

/** Batches are whole again after so many deliveries at most. */
const GROWTH_STEPS = 16;

/** How many go in the next message after one of `sent` was refused; `sent` is 2 or more. */
export function halved(sent: number): number {
  return Math.floor(sent / 2);
}

/** How many go in the next message after one was delivered, at most `limit`. */
export function grown(batchSize: number, limit: number): number {
  return Math.min(limit, batchSize + Math.ceil(limit / GROWTH_STEPS));
}
