import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { type Outcome, Sample } from './sample.js';
import { arrivals, type Schedule } from './schedule.js';
import type { Tally } from './tally.js';
import type { Clock, Payload, Payloads, Target } from './target.js';

export type Plan = OpenLoop | ClosedLoop;

/** Requests begin by the clock. One that is sent late counts from when it was due, so that no queue is hidden. */
export interface OpenLoop {
  readonly kind: 'open';
  readonly schedule: Schedule;
  /** As many are under way at most; those that come beyond wait. */
  readonly maxUnderWay: number;
}

/** So many users, each of whom asks again when it has its answer. */
export interface ClosedLoop {
  readonly kind: 'closed';
  readonly users: number;
  readonly durationMs: number;
}

export interface Run {
  readonly plan: Plan;
  readonly target: Target;
  readonly payloads: Payloads;
  readonly tally: Tally;
  readonly now: Clock;
  /** Aborted when the user has seen enough: what is under way is cut. */
  readonly signal: AbortSignal;
}

/**
 * What can't be sent for so long after the end is not sent at all: a slow server would else make any run last as long
 * as it pleases. Timers, and a busy machine, are late by less.
 */
const GRACE_MS = 1_000;

/** So many may begin in one turn of the event loop, so that answers are heard meanwhile. */
const AT_ONCE = 64;

/** Puts the load on, and resolves when everything that began has ended. */
export async function runLoad(run: Run): Promise<void> {
  const { signal, target, plan } = run;
  const onAbort = () => target.cut();
  signal.addEventListener('abort', onAbort, { once: true });
  const one = requester(run);
  try {
    await (plan.kind === 'open' ? openLoop(run, plan, one) : closedLoop(run, plan, one));
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Sends the next request, due at this time or as soon as it is made. Resolves when it has ended: true if it succeeded. */
type Request = (dueMs?: number) => Promise<boolean>;

function requester({ target, payloads, tally, now, signal }: Run): Request {
  let index = 0;
  return async (dueMs) => {
    const payload = await madeOf(payloads, index++);
    if (signal.aborted) return false;
    const sentMs = now();
    const sample = new Sample(dueMs ?? sentMs, sentMs);
    tally.began(sample);
    const outcome = payload === undefined ? NO_PAYLOAD : await target.send(payload, sample);
    tally.ended(sample, outcome, now());
    return outcome.kind === 'succeeded';
  };
}

const NO_PAYLOAD: Outcome = { kind: 'failed', name: 'no payload' };

/** Undefined: the backend that makes them could not. */
async function madeOf(payloads: Payloads, index: number): Promise<Payload | undefined> {
  try {
    return await payloads(index);
  } catch {
    return undefined;
  }
}

async function closedLoop(
  { now, signal }: Run,
  { users, durationMs }: ClosedLoop,
  one: Request,
): Promise<void> {
  const user = async () => {
    while (!signal.aborted && now() < durationMs) {
      // A server that refuses at once must not keep this process from hearing anything else.
      if (!(await one())) await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: users }, user));
}

async function openLoop(run: Run, { schedule, maxUnderWay }: OpenLoop, one: Request): Promise<void> {
  const { now, signal, tally } = run;
  let [begun, underWay] = [0, 0];
  let onEnd = () => {};
  const oneHasEnded = () => new Promise<void>((resolve) => (onEnd = resolve));
  for (const dueMs of arrivals(schedule)) {
    if (dueMs > now()) await until(dueMs, now, signal);
    else if (++begun % AT_ONCE === 0) await nextTurn();
    if (underWay >= maxUnderWay) tally.held();
    while (underWay >= maxUnderWay) await oneHasEnded();
    if (signal.aborted) break;
    if (now() >= schedule.durationMs + GRACE_MS) {
      tally.unsent();
      continue;
    }
    underWay += 1;
    void one(dueMs).finally(() => {
      underWay -= 1;
      onEnd();
    });
  }
  while (underWay > 0) await oneHasEnded();
}

async function until(dueMs: number, now: Clock, signal: AbortSignal): Promise<void> {
  for (let leftMs = dueMs - now(); leftMs > 0 && !signal.aborted; leftMs = dueMs - now()) {
    await pause(Math.max(1, Math.floor(leftMs)), undefined, { signal }).catch(() => {});
  }
}
