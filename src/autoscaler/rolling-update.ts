import type { WorkerPhase } from '../../machines/scaling.js';
import type { FleetMember, PhaseChange } from './fleet-member.js';

/** Those whose process has to be started anew to run new code; one that fails is started anew by itself. */
const RUNNING: ReadonlySet<WorkerPhase | null> = new Set(['loading', 'ready']);

/** What a rolling update tells. */
export interface UpdateListener {
  /** A worker is to be started anew. */
  readonly onWorker: (worker: number) => void;
  /** A worker has failed with the new code; the others go on with what they run. */
  readonly onHalt: (worker: number, reason: string) => void;
}

/**
 * Starts workers anew, one after the other: the next when the one before is ready again. Where one fails, the others
 * are left alone. An inactive worker has no process, and runs the new code when it is activated.
 */
export class RollingUpdate {
  readonly #members: ReadonlyMap<number, FleetMember>;
  readonly #listener: UpdateListener;
  #due: number[] = [];
  #under: { readonly worker: number; readonly starts: number } | null = null;

  constructor(members: ReadonlyMap<number, FleetMember>, listener: UpdateListener) {
    this.#members = members;
    this.#listener = listener;
  }

  /** Those that are still to be started anew, the one under way first. */
  get due(): readonly number[] {
    return this.#under === null ? this.#due : [this.#under.worker, ...this.#due];
  }

  /** Begins, or begins anew: what was started anew already may have got older code. */
  begin(): readonly number[] {
    const running = [...this.#members.values()].filter(({ phase }) => RUNNING.has(phase)).map(({ id }) => id);
    this.#due = running.filter((id) => id !== this.#under?.worker);
    if (this.#under === null) this.#next();
    return running;
  }

  /** A worker has gone on. */
  hear({ worker, to, reason }: PhaseChange): void {
    const under = this.#under;
    if (under === null || under.worker !== worker) return;
    const starts = this.#members.get(worker)?.starts ?? Number.POSITIVE_INFINITY;
    if (to === 'failed') {
      this.#under = null;
      this.#due = [];
      this.#listener.onHalt(worker, reason);
    } else if (to === null || to === 'inactive' || (to === 'ready' && starts > under.starts)) {
      this.#under = null;
      this.#next();
    }
  }

  #next(): void {
    const worker = this.#due.shift();
    if (worker === undefined) return;
    const member = this.#members.get(worker);
    if (member === undefined || !RUNNING.has(member.phase)) {
      this.#next();
      return;
    }
    this.#under = { worker, starts: member.starts };
    this.#listener.onWorker(worker);
    member.send({ type: 'update' });
  }
}
