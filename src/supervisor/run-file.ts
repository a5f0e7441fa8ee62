import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { hasCode, messageOf } from '../errors.js';
import { replaceFile } from '../replace-file.js';
import { Family } from './family.js';
import { bootId, findProcess, isSame, type ProcessId } from './process-table.js';

const ID = z.object({ pid: z.number().int().positive(), startTicks: z.number().nonnegative() });

const RECORD = z.object({
  version: z.literal(1),
  bootId: z.string(),
  /** The worker that has started the model. */
  owner: ID,
  leader: ID,
  /** Who was in the leader's session when it was looked last. */
  members: z.array(ID),
});

type RunRecord = z.infer<typeof RECORD>;

/** The file in which one instance of a worker keeps what it runs. */
export function runFilePath(stateDirectory: string, instance: string): string {
  return join(stateDirectory, `model-${instance.replaceAll(/[^\w.-]/g, '_')}.json`);
}

/**
 * What is run now, written down, so that the next worker finds what this one has left if it is killed.
 *
 * Processes are known by number and time of start together. The leader may have died and others have outlived it:
 * then one of those who were written down has to be among them, since the system may give the number of a session
 * in which nobody is left to another.
 */
export class RunFile {
  readonly #path: string;
  readonly #onProblem: (problem: string) => void;
  #written = '';
  #isFailing = false;
  /** What is done to the file, one after the other: what is removed must not come back. */
  #last: Promise<void> = Promise.resolve();

  /** @param onProblem hears, as a sentence, that the file can't be used; of what lasts, once */
  constructor(path: string, onProblem: (problem: string) => void) {
    this.#path = path;
    this.#onProblem = onProblem;
  }

  /**
   * What an earlier worker has left; null: nothing.
   *
   * @throws when another worker runs the model now
   */
  async findOrphan(): Promise<Family | null> {
    const record = await this.#read();
    if (record === null || record.bootId !== (await bootId())) return null;
    const { owner, leader, members } = record;
    const family = new Family(leader);
    const living = await family.members();
    const isProven = living.some((one) => [leader, ...members].some((known) => isSame(one, known)));
    if (!isProven) return null;
    if (owner.pid !== process.pid && (await isAlive(owner))) {
      throw new Error(`another worker, process ${owner.pid}, runs it already (${this.#path})`);
    }
    return family;
  }

  /** Writes down who there is now. Never rejects. */
  note(leader: ProcessId, members: readonly ProcessId[]): Promise<void> {
    this.#last = this.#last.then(() => this.#write(leader, members));
    return this.#last;
  }

  /** There is nothing any more. Never rejects. */
  clear(): Promise<void> {
    this.#last = this.#last.then(() => this.#remove());
    return this.#last;
  }

  async #write(leader: ProcessId, members: readonly ProcessId[]): Promise<void> {
    try {
      const record: RunRecord = {
        version: 1,
        bootId: await bootId(),
        owner: idOf(await findProcess(process.pid)),
        leader: idOf(leader),
        members: members.map(idOf),
      };
      const text = `${JSON.stringify(record)}\n`;
      if (text === this.#written) return;
      await mkdir(dirname(this.#path), { recursive: true });
      await replaceFile(this.#path, text);
      this.#written = text;
      this.#isFailing = false;
    } catch (error) {
      this.#tell(
        `${this.#path} can't be written, so a model that this worker leaves would not be found: ${messageOf(error)}`,
      );
    }
  }

  async #remove(): Promise<void> {
    this.#written = '';
    await rm(this.#path, { force: true }).catch((error) =>
      this.#tell(`${this.#path} can't be removed: ${messageOf(error)}`),
    );
  }

  async #read(): Promise<RunRecord | null> {
    try {
      return RECORD.parse(JSON.parse(await readFile(this.#path, 'utf8')));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      const problem = error instanceof z.ZodError ? 'it has another form' : messageOf(error);
      this.#tell(`${this.#path} can't be read, so it is not known whether a model was left: ${problem}`);
      return null;
    }
  }

  #tell(problem: string): void {
    if (!this.#isFailing) this.#onProblem(problem);
    this.#isFailing = true;
  }
}

async function isAlive(known: ProcessId): Promise<boolean> {
  const now = await findProcess(known.pid);
  return now !== null && !now.isDead && isSame(now, known);
}

function idOf(process: ProcessId | null): ProcessId {
  if (process === null) throw new Error('the processes of this system can not be seen in /proc');
  return { pid: process.pid, startTicks: process.startTicks };
}
