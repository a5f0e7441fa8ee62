/** Pure randomness and exponential back-off, so that a machine given the same seed waits the same times. */

export interface BackOff {
  /** The longest wait after the first failure. */
  readonly baseMs: number;
  /** The longest wait after any failure. */
  readonly capMs: number;
}

/**
 * Exponential back-off with full jitter: anything from 0 to the ceiling, so that workers which lost
 * the same autoscaler at the same time do not come back to it at the same time.
 *
 * @param failures failures in a row so far, 1 or more
 * @param random from 0 (included) to 1 (excluded)
 */
export function fullJitterMs({ baseMs, capMs }: BackOff, failures: number, random: number): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** (failures - 1));
  return Math.floor(random * ceilingMs);
}

/** One step of the mulberry32 generator. */
export function nextRandom(seed: number): { readonly seed: number; readonly random: number } {
  const next = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(next ^ (next >>> 15), 1 | next);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return { seed: next, random: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 };
}
