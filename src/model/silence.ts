import type { CompiledRoute } from '../backend/index.js';

const LEAST_MS = 600_000;

/** What holds where a route has no limits of its own, and so says nothing of how long its model may be silent. */
const UNKNOWN_MS = 1_800_000;

/**
 * How long a model server may send nothing while requests wait for it before it counts as stalled, in ms, where no
 * setting says it: as long as the most patient of the routes that go to it waits for a byte, and ten minutes at
 * least, since one answer that is not streamed may take minutes and is no sign of a model that hangs.
 */
export function silenceAllowedBy(routes: Iterable<CompiledRoute>): number {
  const limits = [...routes]
    .filter(({ handle }) => handle === null)
    .flatMap(({ timeouts: { firstByteMs, betweenBytesMs } }) => [firstByteMs, betweenBytesMs]);
  return limits.every(Number.isFinite) ? Math.max(LEAST_MS, ...limits) : UNKNOWN_MS;
}
