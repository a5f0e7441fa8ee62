import type { RequestEvent } from '../../../machines/events.js';
import type { Presence } from '../../../src/dialects/dialect.js';

/** The work as the test counts it, without a ledger: all that ever was, and what is in the worker now. */
export interface Tally {
  readonly requests: number;
  readonly received: number;
  /** Received, less cancelled and expired. */
  readonly load: number;
  readonly served: number;
  readonly rejected: number;
  readonly present: Presence;
}

/** Counts the work by itself, as plainly as can be: what the machines say is compared with it. */
export class Books {
  readonly #present = new Map<number, RequestEvent>();
  #requests = 0;
  readonly #work = { started: 0, succeeded: 0, errored: 0, cancelled: 0, expired: 0, rejected: 0 };

  get inFlight(): number {
    return this.#present.size;
  }

  note(event: RequestEvent): void {
    const { type, id, kind, workload } = event;
    const isNew = type === 'request.started' || type === 'request.rejected';
    if (isNew && kind !== 'in-session') this.#requests += 1;
    if (type === 'request.started') this.#present.set(id, event);
    else this.#present.delete(id);
    for (const what of ['started', 'succeeded', 'errored', 'cancelled', 'expired', 'rejected'] as const) {
      if (type === `request.${what}`) this.#work[what] += workload;
    }
  }

  tally(): Tally {
    const { started, succeeded, cancelled, expired, rejected } = this.#work;
    const present = [...this.#present.values()];
    return {
      requests: this.#requests,
      received: started,
      load: started - cancelled - expired,
      served: succeeded,
      rejected: rejected + expired,
      present: {
        load: present.reduce((sum, { workload }) => sum + workload, 0),
        requests: present.length,
        requestIdxs: present.flatMap(({ requestIdx }) => (requestIdx === null ? [] : [requestIdx])),
      },
    };
  }
}
