import { performance } from 'node:perf_hooks';

/** Monotonic time for what is measured, and the wall-clock time it stands for where people read it. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. */
  readonly now: () => number;
  /** ISO 8601 of a moment of `now()`. */
  readonly iso: (atMs: number) => string;
}

export function createClock(now: () => number = () => performance.now()): Clock {
  const startedAtMs = now();
  const startedAtUnixMs = Date.now();
  return { now, iso: (atMs) => new Date(startedAtUnixMs + (atMs - startedAtMs)).toISOString() };
}
