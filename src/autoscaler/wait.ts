/** Where things happen until it is stopped. */
export interface Source<Event extends string, T> {
  on(event: Event, listener: (one: T) => void): unknown;
  on(event: 'stopped', listener: () => void): unknown;
  off(event: Event, listener: (one: T) => void): unknown;
  off(event: 'stopped', listener: () => void): unknown;
}

export interface Wait<Event extends string, T> {
  readonly awaited: Event;
  /** Those that are remembered, oldest first. */
  readonly known: () => readonly T[];
  /** What kind of them one is, for a person. */
  readonly kindOf: (one: T) => string;
  readonly matches: (one: T) => boolean;
  readonly timeoutMs: number;
  /** What was called: the stack of the error begins at its caller. */
  readonly caller: (...args: never[]) => unknown;
}

/** How many of the last ones are named when none has matched. */
const LAST = 5;

/**
 * The first that matches, among those known (oldest first) and then those to come.
 * Rejects after `timeoutMs`, and when the autoscaler is stopped.
 */
export function waitForFirst<Event extends string, T>(
  source: Source<Event, T>,
  { awaited, known, kindOf, matches, timeoutMs, caller }: Wait<Event, T>,
): Promise<T> {
  const found = known().find(matches);
  if (found !== undefined) return Promise.resolve(found);
  // When the time is over, nothing tells any more who waits.
  const asked: { stack?: string } = {};
  Error.captureStackTrace(asked, caller);
  const failure = (message: string): Error => {
    const error = new Error(message);
    const { stack = '' } = asked;
    error.stack = `${error.name}: ${message}${stack.slice(stack.indexOf('\n'))}`;
    return error;
  };

  return new Promise((resolve, reject) => {
    const onNext = (one: T): void => {
      try {
        if (matches(one)) finish(() => resolve(one));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const onStopped = (): void => finish(() => reject(failure('The local autoscaler was stopped.')));
    const timer = setTimeout(() => {
      const came = inWords(known().map(kindOf));
      finish(() => reject(failure(`No ${awaited} matched within ${timeoutMs} ms: ${came}.`)));
    }, timeoutMs);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      source.off(awaited, onNext);
      source.off('stopped', onStopped);
      settle();
    };
    source.on(awaited, onNext);
    source.on('stopped', onStopped);
  });
}

function inWords(kinds: readonly string[]): string {
  if (kinds.length === 0) return 'none has come';
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const counted = [...counts].map(([kind, count]) => `${count}× ${kind}`).join(', ');
  return `there were ${counted}; the last: ${kinds.slice(-LAST).join(', ')}`;
}
