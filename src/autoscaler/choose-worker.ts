import type { WorkerPhase } from '../../machines/scaling.js';
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
  /** Workload per second, as it measured it, as far as it is believed. */
  readonly maxPerf: number;
  /** It is about to end, or to start: nobody is to be sent to it, whatever it told. */
  readonly isWithdrawn?: boolean;
}

/** A candidate that requests can be routed to. */
export type Ready<C extends Candidate> = C & { readonly url: string };

/** A worker of which nothing is known is very slow, not infinitely so. */
const MIN_PERF = 0.000_01;

export function isReady<C extends Candidate>(candidate: C): candidate is Ready<C> {
  return candidate.state === 'serving' && candidate.url !== undefined && candidate.isWithdrawn !== true;
}

/** How long a request that is routed to it now would wait, in seconds. */
export function expectedWaitSeconds({ curLoad, routedSince, maxPerf }: Candidate): number {
  return (curLoad + routedSince) / Math.max(maxPerf, MIN_PERF);
}

/**
 * The ready candidate with the least expected wait; of several, the first. One where a request would wait longer
 * than `maxQueueTimeMs` is full. `undefined`: none is ready and has room.
 */
export function chooseWorker<C extends Candidate>(
  candidates: readonly C[],
  maxQueueTimeMs = Number.POSITIVE_INFINITY,
): Ready<C> | undefined {
  let best: Ready<C> | undefined;
  for (const candidate of candidates) {
    if (!isReady(candidate) || expectedWaitSeconds(candidate) * 1_000 > maxQueueTimeMs) continue;
    if (best === undefined || expectedWaitSeconds(candidate) < expectedWaitSeconds(best)) best = candidate;
  }
  return best;
}

/** What keeps one that serves from being chosen. */
const WORDS = ['full', 'withdrawn', 'serving without a url', 'ready without a report'] as const;

function wordOf(candidate: Candidate): string {
  if (isReady(candidate)) return 'full';
  // What keeps one that does not serve is its own state, whatever is planned for it.
  if (candidate.state !== 'serving') return candidate.state;
  return candidate.isWithdrawn === true ? 'withdrawn' : 'serving without a url';
}

/** One that was ready and whose reports are no longer remembered has told no address. */
function wordOfUntold(phase: WorkerPhase): string {
  return phase === 'ready' ? 'ready without a report' : phase;
}

const STATES: readonly WorkerState[] = ['loading', 'failing', 'silent'];

const PHASES: readonly WorkerPhase[] = ['creating', 'stopping', 'updating', 'failed', 'inactive'];

/**
 * Why nobody is chosen, as a waiting client is told: how many workers are in which state.
 *
 * @param untold where those are that have told nothing since they were started, or have no process
 */
export function breakdown(candidates: readonly Candidate[], untold: readonly WorkerPhase[] = []): string {
  const words: readonly string[] = [...candidates.map(wordOf), ...untold.map(wordOfUntold)];
  if (words.length === 0) return 'no worker has reported yet';
  const told = [...WORDS, ...STATES, ...PHASES]
    .map((word) => ({ word, count: words.filter((each) => each === word).length }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${count} ${word}`);
  return `${words.length} ${words.length === 1 ? 'worker' : 'workers'}: ${told.join(', ')}`;
}
