import type { Fault, FaultFunction, IncomingReport } from '../autoscaler/index.js';
import { answerStatus } from './answer-status.js';

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
  readonly #next: Planned[] = [];
  readonly #always: Planned[] = [];

  /** The next messages get this fault; those after them get what was said next, or always, or a proper answer. */
  next(fault: FaultName, { times = 1, ...scope }: FaultScope & { readonly times?: number } = {}): void {
    if (!Number.isInteger(times) || times < 1)
      throw new TypeError(`A fault comes once or more, not ${times} times.`);
    this.#next.push({ fault: faultOf(fault), left: times, ...checked(scope) });
  }

  /** Every message gets this fault from now on, until `clear()`. What was said last goes. */
  always(fault: FaultName, scope: FaultScope = {}): void {
    this.#always.unshift({ fault: faultOf(fault), left: Number.POSITIVE_INFINITY, ...checked(scope) });
  }

  /** From now on everything is answered properly. */
  clear(): void {
    this.#next.length = 0;
    this.#always.length = 0;
  }

  /** For an autoscaler: what becomes of a message. */
  readonly take: FaultFunction = ({ message }) => {
    const planned = [...this.#next, ...this.#always].find(
      ({ left, of }) => left > 0 && isFor(message.kind, of),
    );
    if (planned === undefined) return undefined;
    planned.left -= 1;
    return planned.fault;
  };
}

const KINDS: Readonly<Record<Fault['kind'], true>> = {
  status: true,
  hang: true,
  reset: true,
  slow: true,
  cut: true,
  duplicate: true,
  reorder: true,
};

const SCOPES: Readonly<Record<NonNullable<FaultScope['of']>, true>> = {
  statuses: true,
  completions: true,
  status: true,
  loading: true,
  loaded: true,
  update: true,
  data: true,
  capacity: true,
  error: true,
};

/** @throws {TypeError} for what is no fault, since a test that waits for it would see a proper answer, or none */
function faultOf(name: FaultName): Fault {
  const fault = asFault(name);
  if (!Object.hasOwn(KINDS, fault.kind))
    throw new TypeError(`There is no fault "${fault.kind}"; there is ${namesOf(KINDS)}.`);
  if (fault.kind === 'status' && !answerStatus.safeParse(fault.status).success)
    throw new TypeError(`A message can't be answered with ${fault.status}: a status is from 200 to 599.`);
  if (fault.kind === 'slow' && !(fault.delayMs >= 0))
    throw new TypeError(`A slow answer needs its delayMs, not ${fault.delayMs}.`);
  return fault;
}

function asFault(name: FaultName): Fault {
  if (typeof name === 'number') return { kind: 'status', status: name };
  return typeof name === 'string' ? { kind: name } : name;
}

function checked(scope: FaultScope): FaultScope {
  if (scope.of === undefined || Object.hasOwn(SCOPES, scope.of)) return scope;
  throw new TypeError(`No message is of "${scope.of}"; there is ${namesOf(SCOPES)}.`);
}

function namesOf(known: object): string {
  return Object.keys(known).join(', ');
}

function isFor(kind: IncomingReport['message']['kind'], of: FaultScope['of']): boolean {
  if (of === 'statuses') return kind !== 'completions';
  return of === undefined || of === kind;
}
