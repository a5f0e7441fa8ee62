import { WorkerError } from '../errors.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** `?limit=` as a number from 1 to 1000, 100 when it is not given. Anything else is a 400 that names it. */
export function parseLimit(given: unknown): number {
  if (given === undefined) return DEFAULT_LIMIT;
  const limit = typeof given === 'string' && /^\d{1,4}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > MAX_LIMIT) {
    throw new WorkerError('invalid_request', `limit: expected a whole number from 1 to ${MAX_LIMIT}`);
  }
  return limit;
}

/** `?after=` as a whole number from 0, which it is when it is not given. Anything else is a 400 that names it. */
export function parseAfter(given: unknown): number {
  if (given === undefined) return 0;
  if (typeof given !== 'string' || !/^\d{1,15}$/.test(given)) {
    throw new WorkerError('invalid_request', 'after: expected a whole number from 0');
  }
  return Number(given);
}
