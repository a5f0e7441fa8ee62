import { type Belief, believed } from '../../machines/belief.js';
import type { Candidate } from './choose-worker.js';
import type { Dialect } from './decode.js';
import type { Fleet } from './fleet.js';
import type { Told, UpdateMessage, WorkerRecord } from './worker-record.js';
import { stateOf } from './worker-state.js';

/** A worker of the fleet, as routing sees it. */
export interface RoutingCandidate extends Candidate {
  readonly dialect: Dialect;
  /** When it last told how it is, in monotonic milliseconds. */
  readonly toldAtMs: number;
}

interface Routed {
  /** The update that the count begins after. */
  readonly since: Told<UpdateMessage> | null;
  readonly cost: number;
}

/** What was routed to each worker since its last update: the next update has it in its load. */
export class RoutedLoad {
  readonly #byWorker = new Map<number, Routed>();

  add(worker: WorkerRecord, cost: number): void {
    this.#byWorker.set(worker.id, { since: worker.lastUpdate, cost: this.of(worker) + cost });
  }

  of(worker: WorkerRecord): number {
    const routed = this.#byWorker.get(worker.id);
    return routed === undefined || routed.since !== worker.lastUpdate ? 0 : routed.cost;
  }

  /** Forgets the workers that the fleet has forgotten. */
  keepOnly(fleet: Fleet): void {
    for (const id of this.#byWorker.keys()) if (!fleet.workers.has(id)) this.#byWorker.delete(id);
  }
}

/** The workers by id, as they stand at `nowMs` (monotonic milliseconds). */
export function candidatesOf(
  fleet: Fleet,
  routed: RoutedLoad,
  nowMs: number,
  reportIntervalMs: number,
  isWithdrawn: (worker: number) => boolean,
  belief: Belief,
): RoutingCandidate[] {
  return [...fleet.workers.values()]
    .sort((one, other) => one.id - other.id)
    .map((worker) => ({
      id: worker.id,
      dialect: worker.dialect,
      toldAtMs: worker.lastSeenAtMs,
      state: stateOf(worker, nowMs, reportIntervalMs),
      url: urlOf(worker),
      curLoad: worker.sums.cur_load,
      routedSince: routed.of(worker),
      maxPerf: believed(belief, maxPerfOf(worker)),
      isWithdrawn: isWithdrawn(worker.id),
    }));
}

/** Told in each status of `current`, and in the data updates of `legacy`. Only what a client can ask. */
function urlOf({ lastUpdate }: WorkerRecord): string | undefined {
  const message = lastUpdate?.message;
  const url = message === undefined || message.kind === 'update' ? undefined : message.url;
  return url !== undefined && /^https?:\/\//.test(url) && URL.canParse(url) ? url : undefined;
}

function maxPerfOf({ lastUpdate, lastLoaded }: WorkerRecord): number {
  const message = lastUpdate?.message;
  if (message !== undefined && message.kind !== 'update') return message.max_perf;
  return lastLoaded?.message.max_perf ?? 0;
}
