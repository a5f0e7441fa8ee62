import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from '../errors.js';
import {
  findProcess,
  findProcessNow,
  livingIn,
  livingInNow,
  type ProcessFacts,
  type ProcessId,
} from './process-table.js';

/** How often it is looked whether somebody is left. */
const LOOK_MS = 25;

/**
 * The processes of one model server: all that are in the session of the first of them, the leader, which was made for
 * them alone. They may be in several groups, as a shell with job control makes them.
 *
 * The system gives the number of a session to nobody else while somebody is in it, so whoever is in it belongs
 * here, be the leader still there or not; unless a process of that number was started at another time.
 */
export class Family {
  readonly leader: ProcessId;

  constructor(leader: ProcessId) {
    this.leader = leader;
  }

  /**
   * Those who live.
   *
   * @throws when it can not be looked
   */
  async members(): Promise<readonly ProcessFacts[]> {
    const { pid, startTicks } = this.leader;
    const now = await findProcess(pid);
    if (now !== null && now.startTicks !== startTicks) return [];
    return livingIn(pid);
  }

  /**
   * Sends a signal to all of them.
   *
   * @throws when it can not be looked for them, or one of their groups may not be signalled
   */
  async signal(signal: NodeJS.Signals): Promise<void> {
    const groups = new Set((await this.members()).map(({ group }) => group));
    for (const group of groups) signalGroup(group, signal);
  }

  /**
   * Kills all of them before it returns, for when this process ends; of those who can not be looked for at least the
   * leader's group.
   */
  killNow(): void {
    for (const group of this.#groupsNow()) {
      try {
        signalGroup(group, 'SIGKILL');
      } catch {
        // Nothing more can be done, and nobody is left to be told.
      }
    }
  }

  #groupsNow(): ReadonlySet<number> {
    const { pid, startTicks } = this.leader;
    try {
      const now = findProcessNow(pid);
      if (now !== null && now.startTicks !== startTicks) return new Set();
      return new Set(livingInNow(pid).map(({ group }) => group));
    } catch {
      return new Set([pid]);
    }
  }

  /** Resolves when none of them lives any more. */
  async gone(signal: AbortSignal): Promise<void> {
    while (await this.#mayBeThere()) await delay(LOOK_MS, undefined, { signal });
  }

  /** Whoever can not be looked for is not known to be gone. */
  async #mayBeThere(): Promise<boolean> {
    try {
      return (await this.members()).length > 0;
    } catch {
      return true;
    }
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
