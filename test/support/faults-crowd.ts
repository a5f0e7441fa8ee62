import { fileURLToPath } from 'node:url';
import { descriptorLimit, sharesOf } from '../../src/net/descriptors.js';
import { Program } from './process.js';

export type CrowdKind = 'idle' | 'headers' | 'bodies' | 'silent';

const CROWD = fileURLToPath(new URL('../fault/programs/crowd.mjs', import.meta.url));

/** Enough to connect thousands on a busy machine. */
const PATIENCE_MS = 90_000;

/** Of the connections that a worker may have, those for the clients that the crowd must not keep out. */
const FOR_OTHERS = 50;

/** So many clients, or as many as this machine has descriptors for: some allow a process no more than 1 024. */
export function crowdOf(wanted: number, { hasModel }: { readonly hasModel: boolean }): number {
  return Math.min(wanted, sharesOf(descriptorLimit(), hasModel).clients - FOR_OTHERS);
}

/** Many clients in a process of their own, who do all the same. They do not outlive the test. */
export class Crowd {
  readonly #program: Program;

  constructor(port: number, count: number, kind: CrowdKind) {
    this.#program = new Program(process.execPath, [CROWD, String(port), String(count), kind]);
  }

  /** Resolves when all are there. */
  async ready(): Promise<void> {
    await this.#line('ready');
  }

  /** Resolves when the last has ended, with how many were told which status line. */
  async ended(): Promise<Readonly<Record<string, number>>> {
    const { event: _, ...told } = await this.#line('ended');
    return told;
  }

  /** They go, all at once and without a word. */
  async leaves(): Promise<void> {
    this.#program.kill('SIGKILL');
    await this.#program.exited;
  }

  #line(event: string): Promise<Record<string, number>> {
    const find = () =>
      this.#program.lines.map((line) => JSON.parse(line)).find((each) => each.event === event);
    return this.#program.find(event, find, PATIENCE_MS);
  }
}
