import { type ActorRefFrom, type AnyActorRef, createActor } from 'xstate';
import { fleetWorkerMachine, phaseOf } from '../../machines/fleet-worker.js';
import type { FleetWorkerInput, WorkerExit } from '../../machines/fleet-worker-setup.js';
import type { Random } from '../../machines/random.js';
import type { Decision, WorkerFacts, WorkerPhase } from '../../machines/scaling.js';
import { effectIn, effectOf } from './effect.js';
import type { Routable, Router } from './router.js';
import type { Setup } from './setup.js';
import type { Tally } from './tally.js';
import type { VirtualTime } from './virtual-time.js';

export interface FleetParts {
  readonly time: VirtualTime;
  readonly router: Router;
  readonly tally: Tally;
  readonly setup: Setup;
  /** Units per second that workers were measured to do; each new one does one of them. */
  readonly perfs: readonly number[];
  readonly random: Random;
}

interface Worker extends Routable {
  readonly actor: ActorRefFrom<typeof fleetWorkerMachine>;
  /** Null: it is not there yet, or not any more. */
  phase: WorkerPhase | null;
  /** Until it has loaded once the policy does not know how much it does. */
  isMeasured: boolean;
  /** Ends its process. */
  end: () => void;
}

/** Here nobody fails or falls silent, so workers are heard when there is news, and no deadline is ever met. */
const NO_DEADLINES: Omit<FleetWorkerInput, 'id'> = {
  firstWordWithinMs: Number.POSITIVE_INFINITY,
  silentAfterMs: Number.POSITIVE_INFINITY,
  failingForMs: Number.POSITIVE_INFINITY,
  drainWithinMs: Number.POSITIVE_INFINITY,
  answerWithinMs: Number.POSITIVE_INFINITY,
  stableAfterMs: Number.POSITIVE_INFINITY,
  // Routing knows at once that one is withdrawn.
  arrivalMs: 0,
  pause: { baseMs: 0, capMs: 0 },
};

/** The workers of a simulation, which do as the policy decides: each is the machine of a worker of a real fleet. */
export class SimulatedFleet {
  readonly #parts: FleetParts;
  readonly #workers = new Map<number, Worker>();
  readonly #byActor = new WeakMap<AnyActorRef, Worker>();
  readonly #freePlaces: number[] = [];
  readonly #machine: typeof fleetWorkerMachine;
  #made = 0;

  constructor(parts: FleetParts) {
    const { time } = parts;
    this.#parts = parts;
    this.#machine = fleetWorkerMachine.provide({
      actors: {
        place: effectIn<void, undefined>(time, (_input, owner) => ({
          afterMs: this.#createMs(owner),
          output: undefined,
        })),
        run: effectOf<WorkerExit, undefined>(({ owner, settle }) =>
          this.#run(owner, () => settle({ output: { code: 0, signal: null } })),
        ),
        signal: effectIn<void, { signal: 'SIGTERM' | 'SIGKILL' }>(time, (_input, owner) => {
          this.#finish(owner);
          return { afterMs: 0, output: undefined };
        }),
      },
    });
  }

  get made(): number {
    return this.#made;
  }

  /** What the policy is to know of each. */
  facts(): WorkerFacts[] {
    const { nowMs } = this.#parts.time;
    const facts: WorkerFacts[] = [];
    for (const { id, phase, perf, isMeasured, busyUntilMs } of this.#workers.values()) {
      if (phase === null) continue;
      const pending = busyUntilMs > nowMs ? ((busyUntilMs - nowMs) * perf) / 1_000 : 0;
      facts.push({ id, phase, maxPerf: isMeasured ? perf : 0, pending });
    }
    return facts;
  }

  follow(decision: Decision): void {
    if (decision.do === 'create') {
      this.#create();
      return;
    }
    const worker = this.#workers.get(decision.worker);
    if (worker === undefined) throw new Error(`There is no worker ${decision.worker}.`);
    worker.actor.send({ type: decision.do });
  }

  #create(): void {
    const { perfs, random, time } = this.#parts;
    const perf = perfs[Math.floor(random() * perfs.length)] ?? 0;
    const id = ++this.#made;
    const place = this.#freePlaces.pop() ?? this.#workers.size;
    const actor = createActor(this.#machine, { clock: time, input: { id, ...NO_DEADLINES } });
    const of = { busyUntilMs: 0, phase: null, isMeasured: false, end: () => {} };
    const worker: Worker = { id, place, perf, actor, ...of };
    this.#workers.set(id, worker);
    this.#byActor.set(actor, worker);
    actor.subscribe((snapshot) => this.#enter(worker, phaseOf(snapshot)));
    actor.start();
  }

  /** Who was there before has its machine still. */
  #createMs(owner: AnyActorRef | undefined): number {
    return this.#of(owner).isMeasured ? 0 : this.#parts.setup.createTimeMs;
  }

  /** It loads, and then says that it serves. */
  #run(owner: AnyActorRef | undefined, end: () => void): () => void {
    const { time, setup } = this.#parts;
    const worker = this.#of(owner);
    worker.end = end;
    const loadMs = worker.isMeasured ? setup.startTimeMs : setup.loadTimeMs;
    const loading = time.setTimeout(() => {
      worker.isMeasured = true;
      worker.actor.send({ type: 'heard', state: 'serving' });
    }, loadMs);
    return () => time.clearTimeout(loading);
  }

  /** Its process has been asked to end, and finishes what it has first. */
  #finish(owner: AnyActorRef | undefined): void {
    const { time } = this.#parts;
    const worker = this.#of(owner);
    time.setTimeout(() => worker.end(), Math.max(0, worker.busyUntilMs - time.nowMs));
  }

  #of(owner: AnyActorRef | undefined): Worker {
    const worker = owner && this.#byActor.get(owner);
    if (worker === undefined) throw new Error('An effect is run by nobody of the fleet.');
    return worker;
  }

  #enter(worker: Worker, phase: WorkerPhase | null): void {
    const { tally, router } = this.#parts;
    const before = worker.phase;
    if (phase === before) return;
    worker.phase = phase;
    tally.moved(before, phase, worker.perf);
    if (phase === 'ready') router.add(worker);
    if (before === 'ready') router.remove(worker);
    if (phase !== null) return;
    this.#workers.delete(worker.id);
    this.#freePlaces.push(worker.place);
  }
}
