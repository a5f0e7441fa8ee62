import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, messageOf } from '../errors.js';

export interface LogFileOptions {
  readonly path: string;
  /** A file that would grow beyond it is put aside, and a new one begun. */
  readonly maxBytes: number;
  /** How many files are kept aside: `<path>.1` is the newest of them. */
  readonly keep: number;
  /** Hears, as a sentence, that the file can't be written; once, until it could be again. */
  readonly onProblem: (problem: string) => void;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

/** What is written as one line: one that was said, or what stands for many that are missing. */
interface Entry {
  readonly text: string;
  readonly standsFor: number;
}

/** How much may wait for the disk. */
const WAITING_LIMIT_BYTES = 1024 * 1024;
/** How long a file that can't be written is left alone. */
const RETRY_MS = 5_000;

// Without waiting: a pipe that nobody reads would be opened only when somebody does.
const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
const OPEN_FLAGS = O_APPEND | O_CREAT | O_NONBLOCK | O_WRONLY;

/**
 * A log on the disk that is bounded: by the size of each file, and by how many there are.
 *
 * Whoever writes never waits, and never hears of an error. What the disk is too slow for, or does not take, is left
 * out, and the file says how much that was when it goes on.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  #waiting: Entry[] = [];
  #waitingBytes = 0;
  #missing = 0;
  #handle: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  /** When it may be tried again; null: it can be written, as far as is known. */
  #failedUntilMs: number | null = null;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#isLeftAlone() || this.#waitingBytes + bytes > WAITING_LIMIT_BYTES) {
      this.#missing += 1;
      return;
    }
    this.#tellWhatIsMissing();
    this.#queue({ text: line, standsFor: 1 });
  }

  /** Writes what waits. What is written afterwards opens the file again. */
  async close(): Promise<void> {
    await this.#writing;
    if (!this.#isLeftAlone()) this.#tellWhatIsMissing();
    await this.#writing;
    await this.#closeHandle();
  }

  #tellWhatIsMissing(): void {
    const missing = this.#missing;
    if (missing === 0) return;
    this.#missing = 0;
    this.#queue({ text: `[tsworker: ${missing} lines are missing here]`, standsFor: missing });
  }

  #queue(entry: Entry): void {
    this.#waiting.push(entry);
    this.#waitingBytes += sizeOf([entry]);
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  #isLeftAlone(): boolean {
    return this.#failedUntilMs !== null && this.#options.now() < this.#failedUntilMs;
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      try {
        await this.#writeSome();
        this.#failedUntilMs = null;
      } catch (error) {
        await this.#giveUp(error);
      }
    }
  }

  async #writeSome(): Promise<void> {
    const { path, maxBytes } = this.#options;
    this.#handle ??= await openLog(path);
    const handle = this.#handle;
    const file = await handle.stat();
    if (!(await isAt(path, file))) return this.#closeHandle();
    // What is no file, but a device or a pipe, has no size, and so is never put aside.
    const fitting = this.#take(maxBytes - file.size);
    if (fitting.length === 0 && file.size > 0) return this.#putAside();
    const entries = fitting.length > 0 ? fitting : this.#take(Number.POSITIVE_INFINITY, 1);
    try {
      await handle.appendFile(entries.map(({ text }) => `${text}\n`).join(''));
    } catch (error) {
      this.#missing += countOf(entries);
      throw error;
    }
  }

  /** As many of the lines that wait as fit. */
  #take(roomBytes: number, most = this.#waiting.length): readonly Entry[] {
    let room = roomBytes;
    let count = 0;
    for (const entry of this.#waiting) {
      room -= sizeOf([entry]);
      if (room < 0 || count === most) break;
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    this.#waitingBytes -= sizeOf(taken);
    return taken;
  }

  async #putAside(): Promise<void> {
    const { path, keep } = this.#options;
    await this.#closeHandle();
    // A link to a file stays where it is.
    const real = await realpath(path);
    for (let n = keep; n > 1; n--) await rename(`${real}.${n - 1}`, `${real}.${n}`).catch(unlessMissing);
    if (keep === 0) await rm(real);
    else await rename(real, `${real}.1`);
  }

  async #giveUp(error: unknown): Promise<void> {
    const { path, now, onProblem } = this.#options;
    this.#missing += countOf(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.#closeHandle();
    if (this.#failedUntilMs === null) onProblem(`${path} can't be written: ${messageOf(error)}`);
    this.#failedUntilMs = now() + RETRY_MS;
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // What it would have said of the disk, writing has said.
    await handle?.close().catch(() => {});
  }
}

async function openLog(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return open(path, OPEN_FLAGS, 0o644);
}

/** Whether a file is still what the path leads to: it may have been moved or removed by somebody else. */
async function isAt(path: string, { ino, dev }: Stats): Promise<boolean> {
  const now = await stat(path).catch(() => null);
  return now?.ino === ino && now.dev === dev;
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0);
}

function countOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { standsFor }) => sum + standsFor, 0);
}

function unlessMissing(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) throw error;
}
