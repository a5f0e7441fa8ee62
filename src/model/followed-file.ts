import { type FileHandle, open, stat } from 'node:fs/promises';
import { hasCode } from '../errors.js';

const CHUNK_BYTES = 64 * 1024;

/** How many of the bytes before the position are remembered, to see whether they are still the same. */
const MEMORY_BYTES = 64;

export interface FileListener {
  /** The next bytes. Their memory is used again: what is kept must be copied. */
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Nothing more comes of the file as it was: it was replaced or emptied, or it is closed. */
  readonly onEnd: () => void;
  /** What is old has been told, or there was nothing: all that comes is new. Said once. */
  readonly onCaughtUp: () => void;
}

/**
 * The file that a path leads to, however often that changes.
 *
 * It holds on to the open file, not to its name: so the rest of a file that was moved away is still read, and
 * its inode can't be given to the file that comes after it, which therefore is never taken for the old one. It
 * remembers the last bytes that it read: where they are different now, the file was emptied and written anew,
 * though it may have grown beyond the old position since.
 *
 * What stood in the file when it was first opened is old. All else is new, and all of a file that was not there at
 * the first look.
 */
export class FollowedFile {
  readonly #path: string;
  readonly #listener: FileListener;
  readonly #signal: AbortSignal;
  readonly #buffer = Buffer.alloc(MEMORY_BYTES + CHUNK_BYTES);
  #handle: FileHandle | undefined;
  #position = 0;
  #memory: Buffer = Buffer.alloc(0);
  /** Where in the file that was opened first the old bytes end; undefined: none was opened yet. */
  #oldUntil: number | undefined;
  #isCaughtUp = false;

  /** @param signal ends the reading of what is old, which is of no use then however much is left of it */
  constructor(path: string, listener: FileListener, signal: AbortSignal) {
    this.#path = path;
    this.#listener = listener;
    this.#signal = signal;
  }

  /**
   * Reads all that has come since the last time.
   *
   * @throws when the path leads to no file, or to one that can't be read. The open file has been read all the same.
   */
  async follow(): Promise<void> {
    if (this.#handle) await this.#readToEnd(this.#handle);
    if (this.#handle && (await this.#isAt(this.#handle))) return;
    const next = await this.#open();
    if (this.#handle) {
      // What was written between the last read and the moment in which the file was replaced.
      await this.#readToEnd(this.#handle);
      await this.close();
    }
    this.#handle = next;
    await this.#readToEnd(next);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#startAnew();
    await handle?.close();
  }

  async #open(): Promise<FileHandle> {
    try {
      return await openFile(this.#path);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) this.#catchUp();
      throw error;
    }
  }

  async #isAt(handle: FileHandle): Promise<boolean> {
    const [now, held] = await Promise.all([stat(this.#path), handle.stat()]);
    return now.ino === held.ino && now.dev === held.dev;
  }

  async #readToEnd(handle: FileHandle): Promise<void> {
    this.#oldUntil ??= (await handle.stat()).size;
    for (;;) {
      if (this.#position >= this.#oldUntil) this.#catchUp();
      if (!this.#isCaughtUp && this.#signal.aborted) return;
      const known = this.#memory.length;
      // No read goes beyond where the old bytes end, so that each is wholly old or wholly new.
      const until = this.#isCaughtUp ? Number.POSITIVE_INFINITY : this.#oldUntil;
      const bytes = await this.#read(handle, this.#position - known, until);
      if (!bytes.subarray(0, known).equals(this.#memory)) {
        this.#startAnew();
        this.#catchUp();
      } else if (bytes.length > known) {
        this.#position += bytes.length - known;
        this.#memory = Buffer.from(bytes.subarray(-MEMORY_BYTES));
        this.#listener.onBytes(bytes.subarray(known));
      } else {
        this.#catchUp();
        return;
      }
    }
  }

  /** As much as the buffer takes of what is there. */
  async #read(handle: FileHandle, from: number, until: number): Promise<Buffer> {
    const wanted = Math.min(this.#buffer.length, until - from);
    const { bytesRead } = await handle.read(this.#buffer, 0, wanted, from);
    return this.#buffer.subarray(0, bytesRead);
  }

  #catchUp(): void {
    if (this.#isCaughtUp) return;
    this.#isCaughtUp = true;
    this.#listener.onCaughtUp();
  }

  #startAnew(): void {
    this.#position = 0;
    this.#memory = Buffer.alloc(0);
    this.#listener.onEnd();
  }
}

/** @throws when there is no regular file: opening a pipe would wait for its writer */
async function openFile(path: string): Promise<FileHandle> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error('it is not a file');
  return open(path, 'r');
}
