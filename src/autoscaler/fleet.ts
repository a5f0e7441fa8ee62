import type { StatusMessage } from './decode.js';
import { answered, tell, type WorkerRecord } from './worker-record.js';

/** The workers that are remembered, by id. A value: each message makes the next one. */
export interface Fleet {
  readonly workers: ReadonlyMap<number, WorkerRecord>;
  /** Workers forgotten to make room for others. */
  readonly dropped: number;
}

export const EMPTY_FLEET: Fleet = { workers: new Map(), dropped: 0 };

/** Enough for any test or desk; an id that is sent at random must not fill the memory. */
export const MAX_WORKERS = 500;

/** The fleet after one more message. When it is full, the worker that was silent longest makes room. */
export function hear(fleet: Fleet, message: StatusMessage, atMs: number, maxWorkers = MAX_WORKERS): Fleet {
  const workers = new Map(fleet.workers);
  const before = workers.get(message.id);
  let dropped = fleet.dropped;
  if (before === undefined && workers.size >= maxWorkers) {
    const longestSilent = findLongestSilent(workers);
    if (longestSilent !== undefined) {
      workers.delete(longestSilent.id);
      dropped += 1;
    }
  }
  workers.set(message.id, tell(before, message, atMs));
  return { workers, dropped };
}

/** The fleet after a message was answered. A worker that was forgotten meanwhile stays so. */
export function answer(fleet: Fleet, message: StatusMessage): Fleet {
  const worker = fleet.workers.get(message.id);
  if (worker === undefined) return fleet;
  return { ...fleet, workers: new Map(fleet.workers).set(message.id, answered(worker, message)) };
}

/** The fleet without one worker. */
export function forget(fleet: Fleet, id: number): Fleet {
  if (!fleet.workers.has(id)) return fleet;
  const workers = new Map(fleet.workers);
  workers.delete(id);
  return { ...fleet, workers };
}

function findLongestSilent(workers: ReadonlyMap<number, WorkerRecord>): WorkerRecord | undefined {
  let found: WorkerRecord | undefined;
  for (const worker of workers.values()) {
    if (found === undefined || worker.lastSeenAtMs < found.lastSeenAtMs) found = worker;
  }
  return found;
}
