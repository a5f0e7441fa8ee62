import { setTimeout as delay, setImmediate as immediately } from 'node:timers/promises';
import type { Behaviour } from './behaviour.js';
import type { Changes } from './changes.js';

export interface Pace {
  /** Asked anew for each token, so that it can be changed while an answer is generated. */
  readonly behaviour: () => Behaviour;
  /** Tells that the behaviour was changed. */
  readonly changes: Changes;
  /** Aborted when the client goes. */
  readonly signal: AbortSignal;
  /** Others get a turn after each token, so that each event of a stream is written by itself. */
  readonly inTurns: boolean;
}

/** The engine dies. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/** The connection is cut within an answer, and the engine lives. */
export class Cut extends Error {
  override readonly name = 'Cut';
}

/**
 * Generates so many tokens, the same for each request.
 *
 * @throws {Crash} where the behaviour says so, and the signal's reason when it aborts
 */
export async function* generate(count: number, pace: Pace): AsyncGenerator<string, void> {
  const { behaviour, changes, signal, inTurns } = pace;
  let dueMs = performance.now();
  for (let index = 0; ; index++) {
    signal.throwIfAborted();
    await changes.until(() => !pausesAt(index, behaviour()) || undefined, signal);
    const { crashAfterTokens, tokensPerSecond } = behaviour();
    if (crashAfterTokens !== undefined && index >= crashAfterTokens) throw new Crash();
    if (index >= count) return;
    if (tokensPerSecond === undefined) {
      if (inTurns && index > 0) await immediately(undefined, { signal });
    } else {
      const waitMs = dueMs - performance.now();
      // Timers are no finer than a millisecond: a fast model makes several tokens at one time.
      if (waitMs >= 1) await delay(waitMs, undefined, { signal });
      dueMs += 1000 / tokensPerSecond;
    }
    yield index === 0 ? 'tok0' : ` tok${index}`;
  }
}

function pausesAt(index: number, { pauseAfterTokens }: Behaviour): boolean {
  return pauseAfterTokens !== undefined && index >= pauseAfterTokens;
}
