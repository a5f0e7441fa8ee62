import { type Belief, beliefOf, believed } from '../../machines/belief.js';
import { ACTIVE } from '../../machines/look.js';
import { decide } from '../../machines/policy.js';
import {
  type Decision,
  type FleetFacts,
  NOTHING_REMEMBERED,
  type ScalingMemory,
  type Verdict,
  type WorkerPhase,
} from '../../machines/scaling.js';
import type { Clock } from './clock.js';
import { DecisionLog, type DecisionRecord } from './decision-log.js';
import { Demand } from './demand.js';
import { FleetMember, type PhaseChange } from './fleet-member.js';
import type { Intake } from './intake.js';
import { Launching } from './launching.js';
import { RollingUpdate } from './rolling-update.js';
import type { Routing } from './routing.js';
import { ScalingHistory } from './scaling-history.js';
import { type Patience, patienceOf, type ScalingOptions } from './scaling-options.js';
import { stateOf } from './worker-state.js';

/** How often the policy looks. */
const LOOK_EVERY_MS = 1_000;

/** Work can be in these. */
const AT_WORK: ReadonlySet<WorkerPhase> = new Set(['ready', 'stopping', 'updating']);

export interface ScalerParts extends ScalingOptions {
  readonly clock: Clock;
  readonly reportIntervalMs: number;
  readonly intake: Intake;
  readonly routing: Routing;
  readonly onDecision: (decision: DecisionRecord) => void;
  readonly onPhase: (change: PhaseChange) => void;
}

/** Looks at the fleet again and again, asks the policy, and has done what it decides. */
export class Scaler {
  readonly demand: Demand;
  readonly decisions = new DecisionLog();
  readonly history = new ScalingHistory();
  readonly members = new Map<number, FleetMember>();
  readonly update: RollingUpdate;
  readonly #parts: ScalerParts;
  readonly #patience: Patience;
  readonly #launching: Launching;
  /** Units/s that each worker measured, also when its process has ended. */
  readonly #perfs = new Map<number, number>();
  #memory: ScalingMemory = NOTHING_REMEMBERED;
  #wanted: Verdict['wanted'] = { workers: 0, capacity: 0, coldCapacity: 0 };
  #timer: ReturnType<typeof setInterval> | undefined;
  #made = 0;
  #onGone: (() => void) | undefined;

  constructor(parts: ScalerParts) {
    this.#parts = parts;
    this.#patience = patienceOf(parts.patience ?? {}, parts.reportIntervalMs);
    this.#launching = new Launching(this.#patience.hold);
    this.demand = new Demand(parts.clock.now());
    this.update = new RollingUpdate(this.members, {
      onWorker: (worker) => this.#note('update', worker, 'a rolling update has come to it'),
      onHalt: (worker, reason) =>
        this.#note('halt', worker, `the rolling update ends here, since it failed: ${reason}`),
    });
  }

  get settings() {
    return this.#parts.settings;
  }

  /** What was aimed at last, in units/s. */
  get wanted(): Verdict['wanted'] {
    return this.#wanted;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.look();
  }

  /** Gives all workers up, which finish what they have. Resolves when none is left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.members.size === 0) return;
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    for (const member of [...this.members.values()]) member.send({ type: 'destroy' });
    await gone;
    this.#onGone = undefined;
  }

  /** Asks the policy, and has done what it decides. */
  look(): void {
    if (this.#timer === undefined) return;
    const facts = this.facts();
    const verdict = decide(this.#parts.settings, facts, this.#memory);
    this.#memory = verdict.memory;
    this.#wanted = verdict.wanted;
    for (const decision of verdict.decisions) this.#follow(decision);
    this.history.add(sampleOf(facts, verdict, this.capacity, this.#parts.clock.iso(facts.atMs)));
  }

  facts(): FleetFacts {
    const { clock, routing } = this.#parts;
    const atMs = clock.now();
    routing.forgetLeft(atMs);
    const { cost: waiting, waitedMs } = routing.requests.queue(atMs);
    return {
      atMs,
      workers: [...this.members.values()].flatMap(({ id, phase }) =>
        phase === null
          ? []
          : [{ id, phase, maxPerf: this.perfOf(id), pending: AT_WORK.has(phase) ? this.#pendingIn(id) : 0 }],
      ),
      expectedPerSecond: this.demand.expectedPerSecond(atMs),
      waiting,
      waitedMs,
      quietMs: this.demand.quietMs(atMs),
      launches: this.#launching.launches,
    };
  }

  /** Why there may be no worker for long, for those who wait; empty: it is just being started, or none is wanted. */
  get trouble(): string {
    const { failures, heldUntilMs } = this.#launching.launches;
    return heldUntilMs === null ? '' : `the last ${failures} starts of workers have failed`;
  }

  /** Where those are that have told nothing since they were started, or have no process. */
  get untold(): readonly WorkerPhase[] {
    const { workers } = this.#parts.intake.fleet;
    return [...this.members.values()].flatMap(({ id, phase }) =>
      phase === null || workers.has(id) ? [] : [phase],
    );
  }

  /** There is new code: workers are started anew with it, one after the other. Answers which. */
  beginUpdate(): readonly number[] {
    this.#launching.forget();
    return this.update.begin();
  }

  /** Units/s, as it measured; 0: it has not. */
  perfOf(worker: number): number {
    return this.#perfs.get(worker) ?? 0;
  }

  /** What workers are believed to do, of what they have measured. */
  get belief(): Belief {
    return beliefOf([...this.#perfs.values()]);
  }

  /** Units/s that those that are ready are believed to do together. */
  get capacity(): number {
    const { belief } = this;
    const ready = [...this.members.values()].filter(({ phase }) => phase === 'ready');
    return ready.reduce((sum, { id }) => sum + believed(belief, this.perfOf(id)), 0);
  }

  /** Whether requests may be sent to it. Who was started by somebody else always takes them. */
  isWithdrawn(worker: number): boolean {
    const member = this.members.get(worker);
    return member !== undefined && member.phase !== 'ready';
  }

  /** A client waits for a worker: it is not made to wait for the next look as well. */
  wait(): void {
    if (this.members.size === 0) this.look();
  }

  /** A worker has told something. */
  hear(worker: number, isStatus: boolean): void {
    const { clock, intake, reportIntervalMs } = this.#parts;
    const record = intake.fleet.workers.get(worker);
    if (record === undefined) return;
    const atMs = clock.now();
    const update = record.lastUpdate?.message;
    if (isStatus && update?.kind === 'status') this.demand.tell(update.new_load, atMs);
    const perf = record.lastLoaded?.message.max_perf ?? 0;
    if (perf > 0 && this.members.has(worker)) this.#perfs.set(worker, perf);
    const state = stateOf(record, atMs, reportIntervalMs);
    const member = this.members.get(worker);
    if (state === 'failing') member?.send({ type: 'heard', state, reason: record.error });
    else if (state !== 'silent') member?.send({ type: 'heard', state });
  }

  #pendingIn(worker: number): number {
    const { intake, routing } = this.#parts;
    const record = intake.fleet.workers.get(worker);
    return record === undefined ? 0 : record.sums.cur_load + routing.routedSince(record);
  }

  #follow(decision: Decision): void {
    if (decision.do === 'create') {
      this.#made += 1;
      this.#note('create', this.#made, decision.reason);
      this.#create(this.#made);
      return;
    }
    this.#note(decision.do, decision.worker, decision.reason);
    this.members.get(decision.worker)?.send({ type: decision.do });
  }

  #create(id: number): void {
    const { hold: _, ...patience } = this.#patience;
    const member = new FleetMember({
      input: { id, ...patience },
      launcher: this.#parts.launcher,
      onPhase: (change) => this.#goOn(change),
    });
    // It may be gone already, if its place was refused at once.
    if (member.phase !== null) this.members.set(id, member);
  }

  #goOn(change: PhaseChange): void {
    const { worker, to, from, reason } = change;
    if (to === 'failed') this.#note('fail', worker, reason);
    const told = this.#launching.hear(change, this.#parts.clock.now());
    if (told !== null) this.#note(told.do, worker, told.reason);
    // What it last told was told by a process that has ended.
    if (to === 'inactive' || to === 'creating' || to === null) this.#parts.intake.forget(worker);
    if (to === null) {
      this.members.delete(worker);
      this.#perfs.delete(worker);
      this.#parts.launcher.release(worker);
    }
    this.update.hear(change);
    if (from !== to) this.#parts.onPhase(change);
    if (to === null && this.members.size === 0) this.#onGone?.();
  }

  #note(what: DecisionRecord['do'], worker: number, reason: string): void {
    const { clock } = this.#parts;
    this.#parts.onDecision(this.decisions.add(what, worker, reason, clock.iso(clock.now())));
  }
}

function sampleOf(
  { workers, expectedPerSecond }: FleetFacts,
  { wanted }: Verdict,
  capacity: number,
  at: string,
) {
  return {
    at,
    expectedPerSecond,
    capacity,
    wantedCapacity: wanted.capacity,
    ready: workers.filter(({ phase }) => phase === 'ready').length,
    active: workers.filter(({ phase }) => ACTIVE.has(phase)).length,
    wanted: wanted.workers,
  };
}
