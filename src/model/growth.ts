import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface WatchGrowthOptions {
  readonly folder: string;
  /** From the end of one look to the beginning of the next. */
  readonly pauseMs: number;
  /** Aborted when nobody wants to know any more. */
  readonly signal: AbortSignal;
  readonly onGrowth: () => void;
}

/** A cache of models is well below both; a folder that is not must not keep the disk busy. */
const MOST_ENTRIES = 20_000;
const DEEPEST = 8;
const BLOCK_BYTES = 512;

/**
 * Looks again and again whether what a folder holds has grown. Rejects when the signal is aborted, and at no other
 * time: a folder that is not there yet, or can't be read, holds nothing.
 */
export async function watchGrowth({ folder, pauseMs, signal, onGrowth }: WatchGrowthOptions): Promise<void> {
  let before = await bytesIn(folder);
  for (;;) {
    await delay(pauseMs, undefined, { signal });
    const bytes = await bytesIn(folder);
    if (bytes > before) onGrowth();
    before = bytes;
  }
}

/**
 * What the files of a folder and of those below take on the disk, in bytes, up to a depth and a number of entries.
 * Blocks are counted and not lengths, since a file may have its full length before it has any content.
 */
export async function bytesIn(folder: string): Promise<number> {
  let [bytes, entries] = [0, 0];
  const walk = async (path: string, depth: number): Promise<void> => {
    try {
      for await (const entry of await opendir(path)) {
        entries += 1;
        if (entries > MOST_ENTRIES) return;
        const inside = join(path, entry.name);
        if (entry.isDirectory() && depth < DEEPEST) await walk(inside, depth + 1);
        if (entry.isFile()) bytes += (await lstat(inside)).blocks * BLOCK_BYTES;
      }
    } catch {
      // What can't be read, or is just being renamed, is counted at the next look.
    }
  };
  await walk(folder, 0);
  return bytes;
}
