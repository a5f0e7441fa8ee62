import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { replaceFile } from '../replace-file.js';

/**
 * The file of a journal: replaced whole at times, and added to in between.
 *
 * What was added is in the hands of the system at once, so that a worker that is killed has written it. To have it
 * on the disk, for when the machine loses its power, takes longer, and nobody waits for that.
 */
export class JournalFile {
  readonly path: string;
  readonly #onSyncFailed: (error: unknown) => void;
  #handle: FileHandle | undefined;
  #syncing: Promise<void> | undefined;
  #mustSync = false;

  constructor(path: string, onSyncFailed: (error: unknown) => void) {
    this.path = resolve(path);
    this.#onSyncFailed = onSyncFailed;
  }

  /** Whether there is a file to add to: one that was replaced since the last failure. */
  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  /** @throws when it can't be written; then what was there is there still */
  async replace(text: string): Promise<void> {
    await this.close();
    await mkdir(dirname(this.path), { recursive: true });
    await replaceFile(this.path, text);
    this.#handle = await open(this.path, 'a');
  }

  /** @throws when it can't be written; the file may end with a part of it, and takes no more */
  async add(text: string): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) throw new Error('the journal is not open');
    try {
      await handle.appendFile(text);
      // Who writes to a file that was removed writes to nobody.
      if ((await handle.stat()).nlink === 0) throw new Error('it was removed');
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#sync(handle);
  }

  /** What was added is on the disk, if it can be. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await this.#syncing;
    await handle?.close().catch(() => {});
  }

  #sync(handle: FileHandle): void {
    this.#mustSync = true;
    this.#syncing ??= this.#syncAll(handle).finally(() => {
      this.#syncing = undefined;
    });
  }

  /** One at a time: what was added while the disk was busy goes with the next. */
  async #syncAll(handle: FileHandle): Promise<void> {
    while (this.#mustSync) {
      this.#mustSync = false;
      try {
        await handle.datasync();
      } catch (error) {
        // What the system holds can't be trusted any more, so the next thing to do is to write all of it anew.
        if (this.#handle === handle) this.#handle = undefined;
        await handle.close().catch(() => {});
        this.#onSyncFailed(error);
        return;
      }
    }
  }
}
