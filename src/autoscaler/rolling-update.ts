import type { FleetMember, PhaseChange } from './fleet-member.js';

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
  #under: number | null = null;

  constructor(members: ReadonlyMap<number, FleetMember>, listener: UpdateListener) {
    this.#members = members;
    this.#listener = listener;
  }

  /** Those that are still to be started anew, the one under way first. */
  get due(): readonly number[] {
    return this.#under === null ? this.#due : [this.#under, ...this.#due];
  }

  /**
   * Begins, or begins anew: what was started anew already may have got older code, and so may the one under way, unless
   * its new process is still to come. Answers who is to be started anew.
   */
  begin(): readonly number[] {
    this.#due = [...this.#members.values()].filter(({ canBeUpdated }) => canBeUpdated).map(({ id }) => id);
    const under = this.#under;
    if (under !== null && this.#due.includes(under)) {
      this.#due = [under, ...this.#due.filter((id) => id !== under)];
      this.#under = null;
    }
    if (this.#under === null) this.#next();
    return this.due;
  }

  /** A worker has gone on. */
  hear({ worker, to, reason }: PhaseChange): void {
    if (worker !== this.#under) return;
    if (to === 'failed') {
      this.#under = null;
      this.#due = [];
      this.#listener.onHalt(worker, reason);
    } else if (to === null || to === 'inactive' || to === 'ready') {
      this.#under = null;
      this.#next();
    }
  }

  #next(): void {
    const members = this.#due.map((id) => this.#members.get(id));
    const index = members.findIndex((member) => member?.canBeUpdated);
    const member = members[index];
    this.#due = member === undefined ? [] : this.#due.slice(index + 1);
    if (member === undefined) return;
    this.#under = member.id;
    this.#listener.onWorker(member.id);
    member.send({ type: 'update' });
  }
}
