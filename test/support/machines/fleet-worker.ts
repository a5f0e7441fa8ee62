import { fleetWorkerMachine, phaseOf } from '../../../machines/fleet-worker.js';
import type { FleetWorkerEvent, FleetWorkerInput, WorkerExit } from '../../../machines/fleet-worker-setup.js';
import { turn } from '../../../src/testing/clock.js';
import { Effect } from '../../../src/testing/effect.js';
import { leavesOf } from '../../../src/testing/leaves.js';
import { covered } from './coverage.js';
import { invoke } from './invoked.js';

const coverage = covered(fleetWorkerMachine);

/** No two times are equal, so that none stands in for another. */
export const FLEET_WORKER_INPUT: FleetWorkerInput = {
  id: 1,
  firstWordWithinMs: 60_000,
  silentAfterMs: 30_000,
  failingForMs: 45_000,
  arrivalMs: 2_000,
  drainWithinMs: 40_000,
  answerWithinMs: 10_000,
  stableAfterMs: 600_000,
  pause: { baseMs: 5_000, capMs: 300_000 },
};

/** A worker of the fleet whose process, place and signals are in the test's hand. */
export function startFleetWorker(input: Partial<FleetWorkerInput> = {}) {
  const [place, run] = [new Effect<void>(), new Effect<WorkerExit>()];
  const signal = new Effect<void, { signal: 'SIGTERM' | 'SIGKILL' }>();
  const actors = { place: place.logic, run: run.logic, signal: signal.logic };
  const machine = fleetWorkerMachine.provide({ actors });
  const { actor, clock } = invoke(machine, { ...FLEET_WORKER_INPUT, ...input }, coverage.inspect);
  const settled = (act: () => void) => {
    act();
    return turn();
  };
  return {
    run,
    get states() {
      return leavesOf(actor.getSnapshot()).map((path) => path.replace('alive.', '').replace('up.', ''));
    },
    get phase() {
      return phaseOf(actor.getSnapshot());
    },
    get context() {
      return actor.getSnapshot().context;
    },
    get signals() {
      return signal.calls.map((call) => call.input.signal);
    },
    send: (event: FleetWorkerEvent) => settled(() => actor.send(event)),
    says: (state: 'loading' | 'serving') => settled(() => actor.send({ type: 'heard', state })),
    saysThatItFails: (reason = 'out of memory') =>
      settled(() => actor.send({ type: 'heard', state: 'failing', reason })),
    isPlaced: () => settled(() => place.last.resolve()),
    findsNoPlace: () => settled(() => place.last.reject(new Error('no port is free'))),
    ends: (code: number | null = 1, by: string | null = null, said?: string) =>
      settled(() => run.last.resolve({ code, signal: by, said })),
    neverBegins: () => settled(() => run.last.reject(new Error('EAGAIN'))),
    refusesTheSignal: () => settled(() => signal.last.reject(new Error('not permitted'))),
    pass: (ms: number) => clock.advance(ms),
  };
}

export type FleetWorkerAtWork = ReturnType<typeof startFleetWorker>;
