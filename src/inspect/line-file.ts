import { createWriteStream, renameSync, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

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
  readonly #stream: WriteStream | NodeJS.WriteStream;
  #isOpen = true;

  constructor({ path, onProblem }: LineFileOptions) {
    this.#stream = path === STANDARD_OUTPUT ? process.stdout : fresh(path);
    if (path === STANDARD_OUTPUT) return;
    this.#stream.on('error', (error) => {
      if (this.#isOpen) onProblem(error);
      this.#isOpen = false;
    });
  }

  /** Answers whether it was taken. */
  write(line: string): boolean {
    if (!this.#isOpen || this.#stream.writableLength > MOST_WAITING_BYTES) return false;
    this.#stream.write(`${line}\n`);
    return true;
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#stream === process.stdout) return;
    this.#stream.end();
    await finished(this.#stream).catch(() => {});
  }
}

function fresh(path: string): WriteStream {
  try {
    renameSync(path, `${path}.previous`);
  } catch {
    // There is none, or it can't be put aside: then it can't be written either, which is told.
  }
  return createWriteStream(path, { flags: 'wx', mode: 0o600 });
}
