import type { Decision, WorkerFacts, WorkerPhase } from '../../machines/scaling.js';
import type { Random } from './random.js';
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
  phase: WorkerPhase;
  /** Until it has loaded once the policy does not know how much it does. */
  isMeasured: boolean;
}

/** The workers of a simulation, which do as the policy decides. */
export class SimulatedFleet {
  readonly #parts: FleetParts;
  readonly #workers = new Map<number, Worker>();
  readonly #freePlaces: number[] = [];
  #made = 0;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  get made(): number {
    return this.#made;
  }

  /** What the policy is to know of each. */
  facts(): WorkerFacts[] {
    const { nowMs } = this.#parts.time;
    const facts: WorkerFacts[] = [];
    for (const { id, phase, perf, isMeasured, busyUntilMs } of this.#workers.values()) {
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
    if (decision.do === 'activate') this.#load(worker, this.#parts.setup.startTimeMs);
    else if (decision.do === 'deactivate') this.#stop(worker);
    else this.#destroy(worker);
  }

  #create(): void {
    const { perfs, random, time, tally, setup } = this.#parts;
    const perf = perfs[Math.floor(random() * perfs.length)] ?? 0;
    const id = ++this.#made;
    const place = this.#freePlaces.pop() ?? this.#workers.size;
    const worker: Worker = { id, place, perf, busyUntilMs: 0, phase: 'creating', isMeasured: false };
    this.#workers.set(id, worker);
    tally.moved(null, 'creating', perf);
    time.setTimeout(() => this.#load(worker, setup.loadTimeMs), setup.createTimeMs);
  }

  #load(worker: Worker, forMs: number): void {
    const { time, router } = this.#parts;
    this.#enter(worker, 'loading');
    time.setTimeout(() => {
      worker.isMeasured = true;
      this.#enter(worker, 'ready');
      router.add(worker);
    }, forMs);
  }

  /** It finishes what it has first. */
  #stop(worker: Worker): void {
    const { time, router } = this.#parts;
    router.remove(worker);
    this.#enter(worker, 'stopping');
    time.setTimeout(() => this.#enter(worker, 'inactive'), Math.max(0, worker.busyUntilMs - time.nowMs));
  }

  #destroy(worker: Worker): void {
    this.#workers.delete(worker.id);
    this.#freePlaces.push(worker.place);
    this.#parts.tally.moved(worker.phase, null, worker.perf);
  }

  #enter(worker: Worker, phase: WorkerPhase): void {
    this.#parts.tally.moved(worker.phase, phase, worker.perf);
    worker.phase = phase;
  }
}
