import { beliefOf, believed } from '../../../machines/belief.js';
import { came, expectedPerSecond, type Forecast, movedOn, NO_WORK_YET } from '../../../machines/forecast.js';
import { launchFailed } from '../../../machines/launches.js';
import { decide } from '../../../machines/policy.js';
import {
  type Decision,
  NO_LAUNCH_FAILED,
  NOTHING_REMEMBERED,
  type ScalingMemory,
  type ScalingSettings,
  type WorkerFacts,
  type WorkerPhase,
} from '../../../machines/scaling.js';

export interface SimulatedOptions {
  readonly settings: ScalingSettings;
  /** Units per second that come, by the second. */
  readonly load: (second: number) => number;
  /** Units per second that the nth worker does. */
  readonly perf?: (nth: number) => number;
  /** What one says of its speed when it has loaded; by default the truth. */
  readonly says?: (perf: number) => number;
  /** How long a new worker takes until it serves, and an inactive one. */
  readonly loadSeconds?: number;
  readonly startSeconds?: number;
  /** Whether workers that are started fail rather than serve, by the second in which they would have loaded. */
  readonly isBroken?: (second: number) => boolean;
  /** What goes wrong, before each look. */
  readonly trouble?: (fleet: SimulatedFleet) => void;
}

export interface SimulatedWorker {
  readonly id: number;
  /** Units per second that it does. */
  readonly perf: number;
  phase: WorkerPhase;
  sinceSecond: number;
  pending: number;
  /** What it says of its speed; by default the truth, once it has loaded. */
  said: number;
  /** What it says of the work in it; by default the truth. */
  told: number;
  /** What is wrong with it, and since when, until it is started anew. */
  wrong: Wrong;
  wrongSince: number;
}

/**
 * - `hangs`: it does nothing and says nothing, and has failed when it has been silent for long enough.
 * - `slow`: it does a tenth of what it has measured.
 * - `stuck`: it works, but what it says of its load never falls.
 */
export type Wrong = 'nothing' | 'hangs' | 'slow' | 'stuck';

/** One that has more to do is full for routing. */
const MAX_QUEUE_SECONDS = 30;

/** How long one that has failed is left alone. */
const LEFT_ALONE_SECONDS = 5;

/** How long one has to be silent until it has failed. */
const SILENT_SECONDS = 30;

/** Routing takes a worker of which nothing is known for one that is very slow. */
const MIN_PERF = 0.000_01;

/** How long none is started when too many could not be. */
export const HOLD = { baseMs: 5_000, capMs: 300_000 };

/** A fleet in seconds of virtual time, under the policy: work comes, is shared out, and is done. */
export class SimulatedFleet {
  readonly workers: SimulatedWorker[] = [];
  readonly decisions: (Decision & { readonly second: number })[] = [];
  second = 0;
  /** Units that wait for a worker, and since when, the first that came first. */
  waiting = 0;
  #line: { units: number; readonly since: number }[] = [];
  /** Of all that wait the units times the second in which they came. */
  #moments = 0;
  #forecast: Forecast = NO_WORK_YET;
  #memory: ScalingMemory = NOTHING_REMEMBERED;
  #launches = NO_LAUNCH_FAILED;
  #made = 0;
  readonly #options: SimulatedOptions;

  constructor(options: SimulatedOptions) {
    this.#options = options;
  }

  /** Goes on for so many seconds; `look` sees the fleet after each. */
  run(seconds: number, look: (fleet: SimulatedFleet) => void = () => {}): void {
    for (let passed = 0; passed < seconds; passed++) {
      this.#options.trouble?.(this);
      this.#work();
      for (const decision of this.#decide()) this.#follow(decision);
      look(this);
      this.second += 1;
    }
  }

  in(...phases: readonly WorkerPhase[]): SimulatedWorker[] {
    return this.workers.filter(({ phase }) => phases.includes(phase));
  }

  /** Units that have come and are not done. */
  get backlog(): number {
    return this.waiting + sum(this.workers.map(({ pending }) => pending));
  }

  decisionsSince(second: number): string[] {
    return this.decisions.filter((each) => each.second >= second).map((each) => each.do);
  }

  #work(): void {
    const units = this.#options.load(this.second);
    const atMs = this.second * 1_000;
    this.#forecast = units > 0 ? came(this.#forecast, units, atMs) : movedOn(this.#forecast, atMs);
    this.#wait(units);
    this.#route(this.in('ready'));
    for (const worker of this.in('ready', 'stopping')) this.#serve(worker);
    const { loadSeconds = 20 } = this.#options;
    const hasBeenFor = ({ sinceSecond }: SimulatedWorker, seconds: number) =>
      this.second >= sinceSecond + seconds;
    for (const worker of this.in('failed')) {
      if (hasBeenFor(worker, LEFT_ALONE_SECONDS)) this.enter(worker, 'inactive');
    }
    for (const worker of this.in('creating')) this.enter(worker, 'loading');
    for (const worker of this.in('loading')) if (hasBeenFor(worker, loadSeconds)) this.#end(worker);
  }

  #serve(worker: SimulatedWorker): void {
    if (worker.wrong === 'hangs') {
      if (this.second >= worker.wrongSince + SILENT_SECONDS) this.fail(worker);
      return;
    }
    worker.pending = Math.max(0, worker.pending - worker.perf / (worker.wrong === 'slow' ? 10 : 1));
    if (worker.wrong !== 'stuck') worker.told = worker.pending;
    if (worker.phase === 'stopping' && worker.pending === 0) this.enter(worker, 'inactive');
  }

  /** It has loaded, or has not. */
  #end(worker: SimulatedWorker): void {
    const { says = (perf: number) => perf, isBroken: broken } = this.#options;
    const isBroken = broken?.(this.second) ?? false;
    this.enter(worker, isBroken ? 'failed' : 'ready');
    this.#launches = isBroken ? launchFailed(this.#launches, HOLD, this.second * 1_000) : NO_LAUNCH_FAILED;
    if (!isBroken) worker.said = says(worker.perf);
    worker.wrong = 'nothing';
  }

  /** As the local autoscaler does: to whoever would begin with it first, by what is told and believed. */
  #route(ready: readonly SimulatedWorker[]): void {
    const belief = beliefOf(this.workers.map(({ said }) => said));
    for (const worker of ready) if (worker.told === 0) this.#give(worker, Math.min(1, this.waiting));
    const line = ready
      .map((worker) => ({ worker, perf: Math.max(MIN_PERF, believed(belief, worker.said)) }))
      .map((each) => ({ ...each, wait: each.worker.told / each.perf }))
      .toSorted((one, other) => one.wait - other.wait);
    let [perf, told, level] = [0, 0, 0];
    for (const each of line) {
      // Those before it are level with it already, without what waits.
      if (perf > 0 && (told + this.waiting) / perf <= each.wait) break;
      perf += each.perf;
      told += each.worker.told;
      level = Math.min(MAX_QUEUE_SECONDS, (told + this.waiting) / perf);
    }
    for (const each of line) this.#give(each.worker, Math.max(0, (level - each.wait) * each.perf));
  }

  #give(worker: SimulatedWorker, wanted: number): void {
    const units = Math.min(this.waiting, wanted);
    worker.pending += units;
    worker.told += units;
    this.#take(units);
  }

  #wait(units: number): void {
    this.waiting += units;
    this.#moments += units * this.second;
    this.#line.push({ units, since: this.second });
  }

  #take(units: number): void {
    this.waiting -= units;
    for (let left = units; left > 0; ) {
      const [first] = this.#line;
      if (first === undefined) break;
      const taken = Math.min(left, first.units);
      left -= taken;
      first.units -= taken;
      this.#moments -= taken * first.since;
      if (first.units === 0) this.#line.shift();
    }
    // Nobody waits with what is left of a sum of fractions.
    if (this.waiting >= 1e-9) return;
    [this.waiting, this.#moments, this.#line] = [0, 0, []];
  }

  /** How long they have waited, on average of the units. */
  get #waitedMs(): number {
    return this.waiting === 0 ? 0 : Math.max(0, this.second - this.#moments / this.waiting) * 1_000;
  }

  #decide(): readonly Decision[] {
    const atMs = this.second * 1_000;
    const { lastWorkAtMs } = this.#forecast;
    const { decisions, memory } = decide(
      this.#options.settings,
      {
        atMs,
        workers: this.workers.map((worker) => this.#factsOf(worker)),
        expectedPerSecond: expectedPerSecond(this.#forecast, atMs),
        waiting: this.waiting,
        waitedMs: this.#waitedMs,
        quietMs: atMs - (lastWorkAtMs ?? 0),
        launches: this.#launches,
      },
      this.#memory,
    );
    this.#memory = memory;
    this.decisions.push(...decisions.map((each) => ({ ...each, second: this.second })));
    return decisions;
  }

  #factsOf({ id, phase, told, said }: SimulatedWorker): WorkerFacts {
    return { id, phase, pending: told, maxPerf: said };
  }

  #follow(decision: Decision): void {
    if (decision.do === 'create') {
      this.#made += 1;
      const perf = this.#options.perf?.(this.#made) ?? 10;
      this.workers.push({
        id: this.#made,
        perf,
        phase: 'creating',
        sinceSecond: this.second,
        pending: 0,
        said: 0,
        told: 0,
        wrong: 'nothing',
        wrongSince: 0,
      });
      return;
    }
    const worker = this.workers.find(({ id }) => id === decision.worker);
    if (worker === undefined) throw new Error(`there is no worker ${decision.worker}`);
    if (decision.do === 'deactivate') this.enter(worker, 'stopping');
    else if (decision.do === 'destroy') this.remove(worker);
    else {
      this.enter(worker, 'loading');
      const { loadSeconds = 20, startSeconds = 3 } = this.#options;
      worker.sinceSecond = this.second - loadSeconds + startSeconds;
    }
  }

  enter(worker: SimulatedWorker, phase: WorkerPhase): void {
    worker.phase = phase;
    worker.sinceSecond = this.second;
  }

  /** From now on this is wrong with it. */
  harm(worker: SimulatedWorker, wrong: Wrong): void {
    if (worker.wrong === wrong) return;
    worker.wrong = wrong;
    worker.wrongSince = this.second;
  }

  /** From now on each does and tells what it should; those that hang are replaced. */
  mend(): void {
    for (const worker of this.workers) {
      if (worker.wrong === 'hangs') this.fail(worker);
      worker.wrong = 'nothing';
      worker.told = worker.pending;
      if (worker.phase === 'ready' || worker.said > 0) worker.said = worker.perf;
    }
  }

  /** It fails, and its clients ask anew. */
  fail(worker: SimulatedWorker): void {
    this.#wait(worker.pending);
    worker.pending = 0;
    worker.told = 0;
    this.enter(worker, 'failed');
  }

  remove(worker: SimulatedWorker): void {
    this.#wait(worker.pending);
    this.workers.splice(this.workers.indexOf(worker), 1);
  }
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, each) => total + each, 0);
}
