import type { CompiledRoute } from '../backend/index.js';
import { WorkerError } from '../errors.js';
import { retryAfter } from './retry-after.js';

/**
 * Why a request is refused that would wait longer than its route allows; undefined: it may wait. How fast the
 * worker is must be known to say so.
 */
export function waitIsTooLong(
  expectedMs: number,
  { maxQueueMs }: Pick<CompiledRoute, 'maxQueueMs'>,
  maxPerf: number,
): WorkerError | undefined {
  if (maxPerf <= 0 || expectedMs <= maxQueueMs) return undefined;
  return new WorkerError(
    'queue_time_exceeded',
    `The expected wait is ${(expectedMs / 1000).toFixed(1)} s; this route allows ${maxQueueMs / 1000} s.`,
    { headers: retryAfter(expectedMs - maxQueueMs) },
  );
}
