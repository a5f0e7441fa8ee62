import type { Abortable } from '../cancellation.js';

/**
 * What some work comes to, unless the signal is aborted first, so that code which does not heed it can't keep a
 * request under way. Each has a listener of its own: one promise of the abort for many would keep every race with it,
 * and what was raced for, to its end.
 */
export function unlessAborted<T>(work: T | PromiseLike<T>, signal: Abortable): Promise<T> {
  return new Promise((resolve, reject) => {
    const abandon = () => reject(signal.reason);
    if (signal.aborted) abandon();
    if (!isPromise(work)) {
      resolve(work);
      return;
    }
    signal.addEventListener('abort', abandon, { once: true });
    const forget = () => signal.removeEventListener('abort', abandon);
    Promise.resolve(work).then(resolve, reject).finally(forget);
  });
}

function isPromise<T>(work: T | PromiseLike<T>): work is PromiseLike<T> {
  return typeof work === 'object' && work !== null && 'then' in work && typeof work.then === 'function';
}
