/**
 * Turns ms of a monotonic clock into Unix seconds, as the wire has them.
 *
 * @param now the monotonic clock
 */
export function unixClock(now: () => number): (atMs: number) => number {
  return (atMs) => (Date.now() + atMs - now()) / 1000;
}
