import { fileURLToPath } from 'node:url';
import { Program } from './process.js';

const PROGRAM = fileURLToPath(new URL('../fault/programs/intruders.mjs', import.meta.url));
const PATIENCE_MS = 120_000;

/** What test/fault/programs/intruders.mjs knows to do. */
export type IntruderKind = 'malformed' | 'half-closing' | 'pipelining';

/** How often each status was told, and how many connections ended without any. */
export type Told = Readonly<Record<string, number>>;

/** Clients that nobody wants, in a process of their own. */
export class Intruders {
  readonly #program: Program;

  constructor(port: number, kind: IntruderKind, count: number) {
    this.#program = new Program(process.execPath, [PROGRAM, JSON.stringify({ port, kind, count })]);
  }

  /** Resolves when all of them have connected. */
  async there(): Promise<void> {
    await this.#heard('there');
  }

  /** Has them come no more. */
  leave(): void {
    this.#program.type('\n');
  }

  /** What they were told, once all are gone. */
  async gone(): Promise<Told> {
    return Object(await this.#heard('gone')).told;
  }

  #heard(event: string): Promise<unknown> {
    const look = () =>
      this.#program.lines.map((line) => JSON.parse(line)).find((line) => line.event === event);
    return this.#program.find(`that the intruders are ${event}`, look, PATIENCE_MS);
  }
}
