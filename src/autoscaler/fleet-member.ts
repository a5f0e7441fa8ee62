import { type Actor, createActor, fromPromise } from 'xstate';
import { fleetWorkerMachine, phaseOf } from '../../machines/fleet-worker.js';
import type { FleetWorkerEvent, FleetWorkerInput, WorkerExit } from '../../machines/fleet-worker-setup.js';
import type { WorkerPhase } from '../../machines/scaling.js';
import type { Launcher } from './launcher.js';

/** What is told of a worker when it goes on. */
export interface PhaseChange {
  readonly worker: number;
  /** Null: it was not there before, or is gone. */
  readonly from: WorkerPhase | null;
  readonly to: WorkerPhase | null;
  /** Of which it failed; empty where it has not. */
  readonly reason: string;
}

export interface MemberParts {
  readonly input: FleetWorkerInput;
  readonly launcher: Launcher;
  readonly onPhase: (change: PhaseChange) => void;
}

/** One worker that this autoscaler starts and stops: its machine at work. */
export class FleetMember {
  readonly id: number;
  readonly #actor: Actor<typeof fleetWorkerMachine>;
  #phase: WorkerPhase | null = null;

  constructor({ input, launcher, onPhase }: MemberParts) {
    this.id = input.id;
    const { id } = input;
    const machine = fleetWorkerMachine.provide({
      actors: {
        place: fromPromise<void, undefined>(() => launcher.place(id)),
        run: fromPromise<WorkerExit, undefined>(() => launcher.run(id)),
        signal: fromPromise<void, { signal: 'SIGTERM' | 'SIGKILL' }>(({ input: { signal } }) =>
          launcher.signal(id, signal),
        ),
      },
    });
    this.#actor = createActor(machine, { input });
    this.#actor.subscribe((snapshot) => {
      const [from, to] = [this.#phase, phaseOf(snapshot)];
      this.#phase = to;
      if (from !== to) onPhase({ worker: id, from, to, reason: snapshot.context.reason });
    });
    this.#actor.start();
  }

  /** Null: it is gone. */
  get phase(): WorkerPhase | null {
    return this.#phase;
  }

  /** Whether a process of it runs that would have to be started anew to run new code. */
  get canBeUpdated(): boolean {
    return this.#actor.getSnapshot().can({ type: 'update' });
  }

  get starts(): number {
    return this.#actor.getSnapshot().context.starts;
  }

  get failures(): number {
    return this.#actor.getSnapshot().context.failures;
  }

  get reason(): string {
    return this.#actor.getSnapshot().context.reason;
  }

  send(event: FleetWorkerEvent): void {
    this.#actor.send(event);
  }

  /** In the words of the production console. */
  get status(): string {
    const snapshot = this.#actor.getSnapshot();
    const { cause, starts } = snapshot.context;
    if (snapshot.matches({ alive: { up: { model: 'loading' } } })) {
      if (!snapshot.matches({ alive: { up: { reports: 'awaited' } } })) return 'Model Loading';
      return starts > 1 ? 'Starting' : 'Loading';
    }
    if (snapshot.matches('creating')) return starts > 0 ? 'Created' : 'Creating';
    if (cause === 'destroyed') return 'Destroying';
    if (snapshot.matches({ alive: 'ending' }) && cause === 'failed') return 'Rebooting';
    return STATUS_OF[this.#phase ?? 'inactive'];
  }
}

const STATUS_OF: Readonly<Record<WorkerPhase, string>> = {
  creating: 'Creating',
  loading: 'Model Loading',
  ready: 'Ready',
  stopping: 'Stopping',
  inactive: 'Inactive',
  updating: 'Updating',
  failed: 'Error',
};
