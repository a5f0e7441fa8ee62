/** How often it is told that something lasts. */

export interface Repeats {
  /** What lasts, or empty. */
  readonly said: string;
  /** How long ago that was told, in ms; 0: it is to be told now. */
  readonly quietMs: number;
  /** When it is told again, in ms from then. */
  readonly againAfterMs: number;
}

export const NOTHING_SAID: Repeats = { said: '', quietMs: 0, againAfterMs: 0 };

/** The longest time between two that tell the same. */
const LONGEST_MS = 60_000;

/**
 * What is new is to be told at once. What is the same as before is to be told again after a rest, twice as long each
 * time, up to a minute.
 *
 * @param said what is the case now, or empty
 * @param sinceMs how long ago it was last looked at, and the first rest
 */
export function repeated(before: Repeats, said: string, sinceMs: number): Repeats {
  if (said !== before.said) return { said, quietMs: 0, againAfterMs: sinceMs };
  const quietMs = before.quietMs + sinceMs;
  if (quietMs < before.againAfterMs) return { ...before, quietMs };
  return { said, quietMs: 0, againAfterMs: Math.min(before.againAfterMs * 2, LONGEST_MS) };
}
