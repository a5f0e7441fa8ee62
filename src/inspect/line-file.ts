import { createWriteStream, renameSync, statSync } from 'node:fs';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { messageOf } from '../errors.js';

export interface LineFileOptions {
  /** `-` is the standard output. */
  readonly path: string;
  /** Hears once why it can't be written; nothing is written from then on. */
  readonly onProblem: (error: unknown) => void;
}

/** How much may wait to be written: a disk that stands still must not take the memory. */
const MOST_WAITING_BYTES = 16 * 2 ** 20;

export const STANDARD_OUTPUT = '-';

/** A file of lines that its owner alone can read. One that is there is kept beside it, as `<file>.previous`. */
export class LineFile {
  readonly #stream: Writable;
  #isClosed = false;
  #hasFailed = false;

  constructor({ path, onProblem }: LineFileOptions) {
    this.#stream = path === STANDARD_OUTPUT ? process.stdout : fresh(path);
    if (path === STANDARD_OUTPUT) return;
    this.#stream.on('error', (error) => {
      if (!this.#hasFailed) onProblem(error);
      this.#hasFailed = true;
    });
  }

  /** Answers whether it was taken. */
  write(line: string): boolean {
    if (this.#isClosed || this.#hasFailed || this.#stream.writableLength > MOST_WAITING_BYTES) return false;
    this.#stream.write(`${line}\n`);
    return true;
  }

  /** Resolves when all is written, or has failed. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#stream === process.stdout) return;
    this.#stream.end();
    await finished(this.#stream).catch(() => {});
  }
}

function fresh(path: string): Writable {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    // Folders and devices stay where they are: one can't be written, which is told, and the others can.
    if (there !== undefined && !there.isFile()) return createWriteStream(path);
    if (there !== undefined) renameSync(path, `${path}.previous`);
    return createWriteStream(path, { flags: 'wx', mode: 0o600 });
  } catch (error) {
    return new Writable().destroy(new Error(messageOf(error), { cause: error }));
  }
}
