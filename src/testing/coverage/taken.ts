import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { threadId } from 'node:worker_threads';

/** What was taken of a machine: ids of states and of transitions, as its chart has them. */
export class Taken {
  readonly states = new Set<string>();
  readonly transitions = new Set<string>();
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void = () => {}) {
    this.#tell = tell;
  }

  state(id: string): void {
    if (this.states.has(id)) return;
    this.states.add(id);
    this.#tell(JSON.stringify({ state: id }));
  }

  transition(id: string): void {
    if (this.transitions.has(id)) return;
    this.transitions.add(id);
    this.#tell(JSON.stringify({ transition: id }));
  }
}

/**
 * Also keeps it in a folder, each thing when it is taken for the first time: a test that is killed has
 * told what it took, and each thread writes a file of its own.
 */
export function takenInto(folder: string, machine: string): Taken {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${encodeURIComponent(machine)}.${process.pid}.${threadId}.jsonl`);
  return new Taken((line) => appendFileSync(file, `${line}\n`));
}

/** All that was kept in a folder of one machine. */
export function takenFrom(folder: string, machine: string): Taken {
  const taken = new Taken();
  const files = namesIn(folder).filter((name) => machineOf(name) === encodeURIComponent(machine));
  for (const line of files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))) {
    if (line === '') continue;
    const { state, transition }: { state?: string; transition?: string } = JSON.parse(line);
    if (state !== undefined) taken.state(state);
    if (transition !== undefined) taken.transition(transition);
  }
  return taken;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    const advice = 'run tests first that keep it there, with transitionCoverage(machine, { folder })';
    throw new Error(`There is no folder ${folder} with coverage: ${advice}.`, { cause });
  }
}

/** Of the name of a file. Dots may be in the machine's own name. */
function machineOf(file: string): string | undefined {
  return /^(.*)\.\d+\.\d+\.jsonl$/.exec(file)?.[1];
}
