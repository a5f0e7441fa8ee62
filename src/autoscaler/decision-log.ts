/** One thing that was decided, and why. */
export interface DecisionRecord {
  /** 1 for the first, then one more each. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /**
   * - `create`, `activate`, `deactivate`, `destroy`: by the policy.
   * - `update`: a worker is started anew, to run new code; `halt`: the others are not, since it failed.
   * - `fail`: nobody decided it; the worker has failed, and is left alone for a while.
   * - `hold`: with this worker so many starts have failed that none is made for a while; `resume`: it has come up, and
   *   they are made again.
   */
  readonly do:
    | 'create'
    | 'activate'
    | 'deactivate'
    | 'destroy'
    | 'update'
    | 'halt'
    | 'fail'
    | 'hold'
    | 'resume';
  readonly worker: number;
  /** One sentence, with the figures that led to it. */
  readonly reason: string;
}

const MAX_DECISIONS = 500;

/** The last decisions, bounded. */
export class DecisionLog {
  #records: DecisionRecord[] = [];
  #made = 0;

  add(what: DecisionRecord['do'], worker: number, reason: string, at: string): DecisionRecord {
    this.#made += 1;
    const record = { sequence: this.#made, at, do: what, worker, reason };
    this.#records = [...this.#records.slice(1 - MAX_DECISIONS), record];
    return record;
  }

  /** The last `limit`, latest first. */
  latest(limit = MAX_DECISIONS): readonly DecisionRecord[] {
    return limit === 0 ? [] : this.#records.slice(-limit).reverse();
  }
}
