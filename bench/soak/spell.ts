import { setTimeout as sleep } from 'node:timers/promises';
import type { Books } from './books.js';
import type { Clients } from './clients.js';
import { doHarm } from './faults.js';
import type { Sample } from './sample.js';
import type { Stage } from './stage.js';

const LOOK_MS = 10_000;
const QUIET_MS = 180_000;
/** Longer than a connection is kept open without work, on either side of the worker. */
const REST_MS = 6_000;
/** More than all that clients may have given up. */
const ABSORB_UNITS = 1_000_000;

const MINUTES_EACH = 2;
const FEWEST = 4;
/** Rests take time. */
const MOST = 30;

/** Who takes part, and what is kept of it. */
export interface Scene {
  readonly stage: Stage;
  readonly clients: Clients;
  readonly clientCount: number;
  readonly books: Books;
  readonly random: () => number;
  /** How often each harm was survived. */
  readonly survived: Record<string, number>;
}

/** The storm is in so many spells, with a rest after each: what is there in a rest has been left behind. */
export function spellsIn(minutes: number): number {
  return Math.min(MOST, Math.max(FEWEST, Math.ceil(minutes / MINUTES_EACH)));
}

/** Clients and harm for so long. Resolves, with how the worker was meanwhile, when the last of them is done. */
export async function storm(scene: Scene, forMs: number): Promise<Sample[]> {
  const { stage, clients, clientCount, random, survived } = scene;
  const [harmIsOver, stormIsOver] = [new AbortController(), new AbortController()];
  const busy: Sample[] = [];
  const guests = clients.storm(clientCount, stormIsOver.signal);
  const harm = doHarm(stage, random, survived, harmIsOver.signal);
  try {
    // A harm that is not survived ends everything at once.
    await Promise.race([look(scene, busy, forMs), harm]);
    harmIsOver.abort();
    // Some harm is done only while there are clients.
    await harm;
  } finally {
    harmIsOver.abort();
    stormIsOver.abort();
  }
  await guests;
  return busy;
}

/** Until nothing is under way, everything is told and idle connections are closed. How the worker is then. */
export async function rest({ stage, clients }: Scene): Promise<Sample> {
  await stage.until(({ state }) => state === 'serving', QUIET_MS);
  if (!(await clients.absorb(ABSORB_UNITS))) throw new Error('the last request was not answered');
  await stage.until(({ requestsUnderWay, sessions, completions, ledger: { unreported } }) => {
    const left = Object.values(unreported).reduce((sum, units) => sum + Math.abs(units), 0);
    return requestsUnderWay + sessions + completions.untold + left === 0;
  }, QUIET_MS);
  await sleep(REST_MS);
  return stage.sample();
}

/** Tells every ten seconds how the worker is, until the time is over. */
async function look({ stage, books }: Scene, busy: Sample[], forMs: number): Promise<void> {
  const overAtMs = performance.now() + forMs;
  for (;;) {
    const leftMs = overAtMs - performance.now();
    if (leftMs <= 0) return;
    await sleep(Math.min(LOOK_MS, leftMs));
    const [sample, view] = [await stage.sample(), await stage.view()];
    busy.push(sample);
    const { rssMib, heapMib, worstLagMs, descriptors, timers, sockets, listeners } = sample;
    const { Success, Error: errors, Cancelled, Rejected } = books.finished;
    console.log(
      `${stage.ageSeconds} s: ${view.state}, ${books.requests} requests ` +
        `(${Success} ok, ${errors} errors, ${Cancelled} cancelled, ${Rejected} rejected), ${view.sessions} sessions, ` +
        `${view.requestsUnderWay} under way; RSS ${rssMib.toFixed(0)} MiB, heap ${heapMib.toFixed(1)} MiB, ` +
        `worst lag ${worstLagMs.toFixed(0)} ms, ${descriptors} descriptors, ${sockets} sockets, ${timers} timers, ` +
        `${listeners} listeners`,
    );
  }
}
