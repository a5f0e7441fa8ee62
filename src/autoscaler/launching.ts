import { launchFailed } from '../../machines/launches.js';
import { type Launches, NO_LAUNCH_FAILED } from '../../machines/scaling.js';
import type { PhaseChange } from './fleet-member.js';

/** What has come of the starts of workers, told by how they go on. */
export class Launching {
  readonly #hold: { readonly baseMs: number; readonly capMs: number };
  /** Workers that have not been ready since they were started, and whether that counts as a failure already. */
  readonly #coming = new Map<number, { hasFailed: boolean }>();
  #launches = NO_LAUNCH_FAILED;

  constructor(hold: { readonly baseMs: number; readonly capMs: number }) {
    this.#hold = hold;
  }

  get launches(): Launches {
    return this.#launches;
  }

  /** A worker has gone on. Answers what the policy is to be told of it, if anything: in one sentence. */
  hear(
    { worker, to }: PhaseChange,
    atMs: number,
  ): { readonly do: 'hold' | 'resume'; readonly reason: string } | null {
    const start = this.#coming.get(worker);
    if (to === 'creating') this.#coming.set(worker, { hasFailed: false });
    if (to === 'ready' || to === 'inactive' || to === null) this.#coming.delete(worker);
    if (start === undefined) return null;
    if (to === 'ready') return this.#cameUp();
    if (to !== 'failed' || start.hasFailed) return null;
    start.hasFailed = true;
    return this.#failed(atMs);
  }

  /** There is new code: what the old one did says nothing of it. */
  forget(): void {
    this.#launches = NO_LAUNCH_FAILED;
  }

  #cameUp() {
    const { failures, heldUntilMs } = this.#launches;
    this.#launches = NO_LAUNCH_FAILED;
    if (heldUntilMs === null) return null;
    const reason = `it has come up, after ${failures} starts that failed: workers are started as they are wanted again`;
    return { do: 'resume' as const, reason };
  }

  #failed(atMs: number) {
    const { heldUntilMs } = this.#launches;
    this.#launches = launchFailed(this.#launches, this.#hold, atMs);
    const { failures, heldUntilMs: until } = this.#launches;
    if (until === null || until === heldUntilMs) return null;
    const reason = `the last ${failures} starts of workers have failed: none is started for ${Math.round((until - atMs) / 100) / 10} s, and then one alone`;
    return { do: 'hold' as const, reason };
  }
}
