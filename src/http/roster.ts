import type { RequestFacts } from '../../machines/events.js';
import type { Presence } from '../dialects/dialect.js';

/** How far a request has come. */
export interface Progress {
  /** When its turn came; null: it waits for it. */
  readonly workStartedAtMs: number | null;
  /** When the first byte of the answer went to its client; null: none has. */
  readonly firstByteAtMs: number | null;
}

/** A request that is in the worker, as its operator sees it. */
export interface RequestRow {
  readonly id: number;
  readonly route: string;
  readonly kind: 'request' | 'in-session';
  readonly state: 'queued' | 'working' | 'streaming';
  /** When it came, monotonic. */
  readonly sinceMs: number;
  readonly workload: number;
}

interface Present {
  readonly facts: RequestFacts;
  readonly progress: Progress;
}

const WAITING: Progress = { workStartedAtMs: null, firstByteAtMs: null };

/** Below this no backend is taken to be, so that a wait is never a division by nothing. */
const LEAST_PERF = 0.00001;

/**
 * Who is in the worker: each request from its start to its end, and each session. Known by the worker's own
 * ids, since two clients may well use one number.
 */
export class Roster {
  readonly #present = new Map<number, Present>();
  /** Those of them for which the model works no more. */
  readonly #made = new Set<number>();
  #load = 0;
  #queueable = 0;

  /** @param progress is looked at whenever somebody wants to know */
  add(facts: RequestFacts, progress: Progress = WAITING): void {
    this.#present.set(facts.id, { facts, progress });
    this.#load += facts.workload;
    if (facts.kind === 'request') this.#queueable += facts.workload;
  }

  /** The whole answer is made: whoever comes now does not wait for this one, though its client still has to take it. */
  made(id: number): void {
    const present = this.#present.get(id);
    if (present === undefined || this.#made.has(id)) return;
    this.#made.add(id);
    const { facts } = present;
    if (facts.kind === 'request') this.#queueable -= facts.workload;
  }

  remove(id: number): void {
    this.made(id);
    const present = this.#present.get(id);
    if (present === undefined) return;
    this.#present.delete(id);
    this.#made.delete(id);
    this.#load -= present.facts.workload;
    // Sums of fractions are off by a little after a while; nothing is nothing.
    if (this.#present.size === 0) this.#load = this.#queueable = 0;
  }

  presence(): Presence {
    const requestIdxs: number[] = [];
    // What is sent in a session is part of the session, and is not told as finished either.
    for (const {
      facts: { requestIdx, kind },
    } of this.#present.values())
      if (requestIdx !== null && kind !== 'in-session') requestIdxs.push(requestIdx);
    return { load: Math.max(this.#load, 0), requests: this.#present.size, requestIdxs };
  }

  /** The requests, those that came first first, as many as are asked for. */
  rows(most: number): RequestRow[] {
    const rows: RequestRow[] = [];
    for (const { facts, progress } of this.#present.values()) {
      if (rows.length >= most) break;
      const { id, route, kind, atMs: sinceMs, workload } = facts;
      if (kind !== 'session') rows.push({ id, route, kind, state: stateOf(progress), sinceMs, workload });
    }
    return rows;
  }

  /** How long a request that comes now may have to wait, in ms; sessions are not waited for. */
  expectedWaitMs(maxPerf: number): number {
    return (Math.max(this.#queueable, 0) / Math.max(maxPerf, LEAST_PERF)) * 1000;
  }
}

function stateOf({ workStartedAtMs, firstByteAtMs }: Progress): RequestRow['state'] {
  if (workStartedAtMs === null) return 'queued';
  return firstByteAtMs === null ? 'working' : 'streaming';
}
