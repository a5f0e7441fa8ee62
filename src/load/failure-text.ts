import type { Failure } from '../client/index.js';

/** A failure in a word or three, such as `worker_failed 429 queue_time_exceeded`. */
export function failureText({ code, status, reason }: Pick<Failure, 'code' | 'status' | 'reason'>): string {
  return [code, status, reason].filter((part) => part !== undefined).join(' ');
}
