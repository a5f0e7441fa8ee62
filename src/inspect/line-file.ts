import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { hasCode, messageOf } from '../errors.js';
import { openSink } from './sink.js';

export interface LineFileOptions {
  /** `-` is the standard output. */
  readonly path: string;
  /** Hears once why it can't be written; nothing is written from then on. */
  readonly onProblem: (error: unknown) => void;
}

/** How much may wait to be written: a disk or a reader that stands still must not take the memory. */
const MOST_WAITING_BYTES = 16 * 2 ** 20;

/** How long the reader of a pipe may take for what waits at the end: one that stands still must not keep the process. */
const LAST_MS = 2_000;

export const STANDARD_OUTPUT = '-';

/** A file of lines that its owner alone can read, one that is there being kept beside it as `<file>.previous`; or a pipe. */
export class LineFile {
  readonly #stream: Writable;
  #isClosed = false;
  #hasFailed = false;
  #given = 0;
  #written = 0;

  constructor({ path, onProblem }: LineFileOptions) {
    this.#stream = path === STANDARD_OUTPUT ? process.stdout : opened(path);
    if (path === STANDARD_OUTPUT) return;
    this.#stream.on('error', (error) => {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      onProblem(hasCode(error, 'EPIPE') ? new Error('who read it has gone', { cause: error }) : error);
    });
  }

  /** How many lines were not written, or not in full. It is known when it is closed. */
  get lost(): number {
    return this.#given - this.#written;
  }

  /** Answers whether it was taken. */
  write(line: string): boolean {
    const isTaken = !this.#isClosed && !this.#hasFailed && this.#stream.writableLength <= MOST_WAITING_BYTES;
    this.#given += 1;
    if (isTaken) this.#stream.write(`${line}\n`, this.#onWritten);
    return isTaken;
  }

  /** Resolves when all is written, or has failed. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#stream === process.stdout) return untilWritten(this.#stream);
    this.#stream.end();
    const deadline = this.#stream instanceof Socket ? setTimeout(() => this.#giveUp(), LAST_MS) : undefined;
    await finished(this.#stream).catch(() => {});
    clearTimeout(deadline);
  }

  readonly #onWritten = (error?: Error | null): void => {
    // A socket that is destroyed says of what it was writing that it is written.
    if (!error && !this.#hasFailed) this.#written += 1;
  };

  #giveUp(): void {
    this.#stream.destroy(new Error(`what was left was not read within ${LAST_MS / 1_000} s`));
  }
}

/** It is not ended: others write to it, too. */
function untilWritten(stream: Writable): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

/** One that can't be opened fails as one that can't be written does. */
function opened(path: string): Writable {
  try {
    return openSink(path);
  } catch (error) {
    return new Writable().destroy(new Error(messageOf(error), { cause: error }));
  }
}
