import type { WorkerState } from './worker-state.js';

/** What the choice of a worker depends on. */
export interface Candidate {
  readonly id: number;
  readonly state: WorkerState;
  /** Where clients reach it; `undefined` when it has not told. */
  readonly url: string | undefined;
  /** The workload in it, as it last told. */
  readonly curLoad: number;
  /** The workload routed to it since then, which it can not have told yet. */
  readonly routedSince: number;
  /** Workload per second, as it measured it. */
  readonly maxPerf: number;
}

/** A candidate that requests can be routed to. */
export type Ready<C extends Candidate> = C & { readonly url: string };

/** A worker that has measured nothing is very slow, not infinitely so. */
const MIN_PERF = 0.000_01;

export function isReady<C extends Candidate>(candidate: C): candidate is Ready<C> {
  return candidate.state === 'serving' && candidate.url !== undefined;
}

/** How long a request that is routed to it now would wait, in seconds. */
export function expectedWaitSeconds({ curLoad, routedSince, maxPerf }: Candidate): number {
  return (curLoad + routedSince) / Math.max(maxPerf, MIN_PERF);
}

/** The ready candidate with the least expected wait; of several, the first. `undefined`: none is ready. */
export function chooseWorker<C extends Candidate>(candidates: readonly C[]): Ready<C> | undefined {
  let best: Ready<C> | undefined;
  for (const candidate of candidates) {
    if (!isReady(candidate)) continue;
    if (best === undefined || expectedWaitSeconds(candidate) < expectedWaitSeconds(best)) best = candidate;
  }
  return best;
}

const STATES: readonly WorkerState[] = ['serving', 'loading', 'failing', 'silent'];

/** Why nobody is ready, as a waiting client is told: how many workers are in which state. */
export function breakdown(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return 'no worker has reported yet';
  const counts = STATES.map((state) => {
    const count = candidates.filter((candidate) => candidate.state === state).length;
    // A worker that serves and is not chosen has told no address.
    return { count, text: state === 'serving' ? `${count} serving without a url` : `${count} ${state}` };
  });
  const told = counts.filter(({ count }) => count > 0).map(({ text }) => text);
  return `${candidates.length} ${candidates.length === 1 ? 'worker' : 'workers'}: ${told.join(', ')}`;
}
