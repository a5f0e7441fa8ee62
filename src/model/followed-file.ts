import { type FileHandle, open, stat } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024;

/** How many of the bytes before the position are remembered, to see whether they are still the same. */
const MEMORY_BYTES = 64;

export interface FileListener {
  /** The next bytes. Their memory is used again: what is kept must be copied. */
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Nothing more comes of the file as it was: it was replaced or emptied, or it is closed. */
  readonly onEnd: () => void;
}

/**
 * The file that a path leads to, however often that changes.
 *
 * It holds on to the open file, not to its name: so the rest of a file that was moved away is still read, and
 * its inode can't be given to the file that comes after it, which therefore is never taken for the old one. It
 * remembers the last bytes that it read: where they are different now, the file was emptied and written anew,
 * though it may have grown beyond the old position since.
 */
export class FollowedFile {
  readonly #path: string;
  readonly #listener: FileListener;
  readonly #buffer = Buffer.alloc(MEMORY_BYTES + CHUNK_BYTES);
  #handle: FileHandle | undefined;
  #position = 0;
  #memory: Buffer = Buffer.alloc(0);

  constructor(path: string, listener: FileListener) {
    this.#path = path;
    this.#listener = listener;
  }

  /**
   * Reads all that has come since the last time.
   *
   * @throws when the path leads to no file, or to one that can't be read. The open file has been read all the same.
   */
  async follow(): Promise<void> {
    if (this.#handle) await this.#readToEnd(this.#handle);
    if (this.#handle && (await this.#isAt(this.#handle))) return;
    const next = await openFile(this.#path);
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

  async #isAt(handle: FileHandle): Promise<boolean> {
    const [now, held] = await Promise.all([stat(this.#path), handle.stat()]);
    return now.ino === held.ino && now.dev === held.dev;
  }

  async #readToEnd(handle: FileHandle): Promise<void> {
    for (;;) {
      const known = this.#memory.length;
      const { bytesRead } = await handle.read(this.#buffer, 0, this.#buffer.length, this.#position - known);
      if (!this.#buffer.subarray(0, Math.min(known, bytesRead)).equals(this.#memory)) {
        this.#startAnew();
        continue;
      }
      if (bytesRead === known) return;
      this.#position += bytesRead - known;
      this.#memory = Buffer.from(this.#buffer.subarray(Math.max(0, bytesRead - MEMORY_BYTES), bytesRead));
      this.#listener.onBytes(this.#buffer.subarray(known, bytesRead));
    }
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
