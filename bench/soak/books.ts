import type { CompletionStatus } from '../../src/autoscaler/finished.js';

/**
 * What a client knows of one request: with what the worker may tell of it. `must`: it was genuine and came in full, so
 * that it is told; else its client left so early that it may never have come in.
 */
export interface Fate {
  readonly may: readonly CompletionStatus[];
  readonly must: boolean;
  readonly units: number;
}

/** Sums of all reports that were acknowledged. */
export interface Told {
  newLoad: number;
  rejected: number;
  served: number;
  received: number;
}

/** What all clients did, and what the autoscaler was told of it: at the end one follows from the other. */
export class Books {
  readonly told: Told = { newLoad: 0, rejected: 0, served: 0, received: 0 };
  readonly finished: Record<CompletionStatus, number> = { Success: 0, Error: 0, Cancelled: 0, Rejected: 0 };
  /** What was told again, since the answer to it was lost on purpose. */
  repeated = 0;
  readonly problems: string[] = [];
  requests = 0;
  /** Units of requests in sessions, which are told in no other way. */
  readonly #inSession = { received: 0, served: 0, rejected: 0 };
  /**
   * Units of requests in sessions whose connection broke: a worker that drains closes connections that are idle, and
   * a request that was just being sent over one never came in.
   */
  unsure = 0;
  readonly #sums: Record<CompletionStatus, number> = { Success: 0, Error: 0, Cancelled: 0, Rejected: 0 };
  /** Those whose other half is not known yet. */
  readonly #fates = new Map<number, Fate>();
  readonly #tellings = new Map<number, CompletionStatus>();

  /** Requests that must be told and are not. */
  get untold(): number {
    return [...this.#fates.values()].filter(({ must }) => must).length;
  }

  /** A client is done with a request. */
  fate(requestIdx: number, fate: Fate): void {
    this.requests += 1;
    this.#fates.set(requestIdx, fate);
    this.#match(requestIdx);
  }

  /** The autoscaler was told of it. */
  tell(requestIdx: number, status: CompletionStatus, again: boolean): void {
    if (again) {
      this.repeated += 1;
      return;
    }
    this.finished[status] += 1;
    if (this.#tellings.has(requestIdx)) this.#problem(`${requestIdx} was told twice`);
    this.#tellings.set(requestIdx, status);
    this.#match(requestIdx);
  }

  /** A report was acknowledged. */
  report({ newLoad, rejected, served, received }: Told): void {
    this.told.newLoad += newLoad;
    this.told.rejected += rejected;
    this.told.served += served;
    this.told.received = received;
  }

  inSession(what: 'served' | 'failed' | 'rejected' | 'lost', units: number): void {
    if (what === 'lost') this.unsure += units;
    else if (what === 'rejected') this.#inSession.rejected += units;
    else this.#inSession.received += units;
    if (what === 'served') this.#inSession.served += units;
  }

  /** Work as it must have been told, by what the finished requests say. */
  expected(): Told {
    const { Success, Error: errors, Rejected } = this.#sums;
    return {
      newLoad: Success + errors + this.#inSession.received,
      rejected: Rejected + this.#inSession.rejected,
      served: Success + this.#inSession.served,
      received: Object.values(this.finished).reduce((sum, count) => sum + count, 0),
    };
  }

  #match(requestIdx: number): void {
    const [fate, status] = [this.#fates.get(requestIdx), this.#tellings.get(requestIdx)];
    if (fate === undefined || status === undefined) return;
    this.#sums[status] += fate.units;
    this.#fates.delete(requestIdx);
    this.#tellings.delete(requestIdx);
    if (!fate.may.includes(status)) {
      this.#problem(`${requestIdx} was told as ${status}, not as ${fate.may.join(' or ')}`);
    }
  }

  #problem(what: string): void {
    if (this.problems.length < 20) this.problems.push(what);
  }
}
