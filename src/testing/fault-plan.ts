import type { Fault, FaultFunction, IncomingReport } from '../autoscaler/index.js';

/** A fault, a status code to answer with, or the name of a fault that needs nothing more said. */
export type FaultName = Fault | number | 'hang' | 'reset' | 'cut' | 'duplicate' | 'reorder';

export interface FaultScope {
  /** The messages that it is for: statuses, finished requests, or one kind of message. Default: all. */
  readonly of?: 'statuses' | IncomingReport['message']['kind'];
}

interface Planned extends FaultScope {
  readonly fault: Fault;
  /** How many messages it is still for. */
  left: number;
}

/** How an autoscaler is to fail, said by a test while it runs. */
export class FaultPlan {
  readonly #planned: Planned[] = [];

  /** The next messages get this fault; those after them are answered properly, or get what was said next. */
  next(fault: FaultName, { times = 1, ...scope }: FaultScope & { readonly times?: number } = {}): void {
    this.#planned.push({ fault: faultOf(fault), left: times, ...scope });
  }

  /** Every message gets this fault from now on, until `clear()`. What was said before comes first. */
  always(fault: FaultName, scope: FaultScope = {}): void {
    this.#planned.push({ fault: faultOf(fault), left: Number.POSITIVE_INFINITY, ...scope });
  }

  /** From now on everything is answered properly. */
  clear(): void {
    this.#planned.length = 0;
  }

  /** For an autoscaler: what becomes of a message. */
  readonly take: FaultFunction = ({ message }) => {
    const planned = this.#planned.find(({ left, of }) => left > 0 && isFor(message.kind, of));
    if (planned === undefined) return undefined;
    planned.left -= 1;
    return planned.fault;
  };
}

function faultOf(fault: FaultName): Fault {
  if (typeof fault === 'number') return { kind: 'status', status: fault };
  return typeof fault === 'string' ? { kind: fault } : fault;
}

function isFor(kind: IncomingReport['message']['kind'], of: FaultScope['of']): boolean {
  if (of === 'statuses') return kind !== 'completions';
  return of === undefined || of === kind;
}
