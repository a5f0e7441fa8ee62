/** Where things happen until it is stopped. */
export interface Source<Event extends string, T> {
  on(event: Event, listener: (one: T) => void): unknown;
  on(event: 'stopped', listener: () => void): unknown;
  off(event: Event, listener: (one: T) => void): unknown;
  off(event: 'stopped', listener: () => void): unknown;
}

/**
 * The first that matches, among those known (oldest first) and then those to come.
 * Rejects after `timeoutMs`, and when the autoscaler is stopped.
 */
export function waitForFirst<Event extends string, T>(
  source: Source<Event, T>,
  event: Event,
  known: readonly T[],
  matches: (one: T) => boolean,
  timeoutMs: number,
): Promise<T> {
  const found = known.find(matches);
  if (found !== undefined) return Promise.resolve(found);

  return new Promise((resolve, reject) => {
    const onNext = (one: T): void => {
      try {
        if (matches(one)) finish(() => resolve(one));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const onStopped = (): void => finish(() => reject(new Error('The local autoscaler was stopped.')));
    const timer = setTimeout(() => {
      finish(() => reject(new Error(`No ${event} matched within ${timeoutMs} ms.`)));
    }, timeoutMs);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      source.off(event, onNext);
      source.off('stopped', onStopped);
      settle();
    };
    source.on(event, onNext);
    source.on('stopped', onStopped);
  });
}
