import type { RequestFacts } from '../../machines/events.js';
import type { Presence } from '../dialects/dialect.js';

/** Below this no backend is taken to be, so that a wait is never a division by nothing. */
const LEAST_PERF = 0.00001;

/**
 * Who is in the worker: each request from its start to its end, and each session. Known by the worker's own
 * ids, since two clients may well use one number.
 */
export class Roster {
  readonly #present = new Map<number, RequestFacts>();
  /** Those of them for which the model works no more. */
  readonly #made = new Set<number>();
  #load = 0;
  #queueable = 0;

  add(facts: RequestFacts): void {
    this.#present.set(facts.id, facts);
    this.#load += facts.workload;
    if (facts.kind === 'request') this.#queueable += facts.workload;
  }

  /** The whole answer is made: whoever comes now does not wait for this one, though its client still has to take it. */
  made(id: number): void {
    const facts = this.#present.get(id);
    if (facts === undefined || this.#made.has(id)) return;
    this.#made.add(id);
    if (facts.kind === 'request') this.#queueable -= facts.workload;
  }

  remove(id: number): void {
    this.made(id);
    const facts = this.#present.get(id);
    if (facts === undefined) return;
    this.#present.delete(id);
    this.#made.delete(id);
    this.#load -= facts.workload;
    // Sums of fractions are off by a little after a while; nothing is nothing.
    if (this.#present.size === 0) this.#load = this.#queueable = 0;
  }

  presence(): Presence {
    const requestIdxs: number[] = [];
    // What is sent in a session is part of the session, and is not told as finished either.
    for (const { requestIdx, kind } of this.#present.values())
      if (requestIdx !== null && kind !== 'in-session') requestIdxs.push(requestIdx);
    return { load: Math.max(this.#load, 0), requests: this.#present.size, requestIdxs };
  }

  /** How long a request that comes now may have to wait, in ms; sessions are not waited for. */
  expectedWaitMs(maxPerf: number): number {
    return (Math.max(this.#queueable, 0) / Math.max(maxPerf, LEAST_PERF)) * 1000;
  }
}
