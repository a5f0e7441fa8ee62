import type { Decision, FleetFacts, Launches, WorkerPhase } from './scaling.js';

/*
 * Whether it is worth starting workers. A backend that is broken fails wherever it is started, so after a few starts
 * in a row that have failed none is made for a while, longer each time, and then a single one. The first that comes up
 * ends this, and so does new code.
 */

/** So many starts in a row may fail, each for a reason of its own. */
export const FAILURES_BEFORE_HOLD = 3;

const COMING_UP: ReadonlySet<WorkerPhase> = new Set(['creating', 'loading']);

/** A start has failed. Those that were made before it was held back do not make that longer. */
export function launchFailed(
  { failures, holds, heldUntilMs }: Launches,
  pause: { readonly baseMs: number; readonly capMs: number },
  atMs: number,
): Launches {
  const failed = failures + 1;
  const isHeldAlready = heldUntilMs !== null && atMs < heldUntilMs;
  if (failed < FAILURES_BEFORE_HOLD || isHeldAlready) return { failures: failed, holds, heldUntilMs };
  const pauseMs = Math.min(pause.capMs, pause.baseMs * 2 ** holds);
  return { failures: failed, holds: holds + 1, heldUntilMs: atMs + pauseMs };
}

/** Those of the starts that may be made now. */
export function startsAllowed(
  starts: readonly Decision[],
  { launches: { failures, heldUntilMs }, workers, atMs }: FleetFacts,
): readonly Decision[] {
  if (heldUntilMs === null) return starts;
  if (atMs < heldUntilMs || workers.some(({ phase }) => COMING_UP.has(phase))) return [];
  return starts.slice(0, 1).map((start) => ({
    ...start,
    reason: `${start.reason}; it alone, since the last ${failures} starts have failed`,
  }));
}
