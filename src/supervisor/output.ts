import type { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { LineSplitter } from '../model/lines.js';

/** The longest line that is kept. */
const LINE_LIMIT_BYTES = 64 * 1024;

/** How much is looked at before others have their turn. */
const SLICE_BYTES = 8 * 1024;

export interface ReadLinesOptions {
  /** Hears each line. Must not throw. */
  readonly onLine: (line: string) => void;
  /** Hears of each line that was too long to be kept whole. */
  readonly onLongLine: () => void;
}

/**
 * Tells what a process says, line by line, until it says nothing more. However much that is: it is read a slice at a
 * time, so that a process which talks without end is slowed down by its pipe, and nobody else by it.
 */
export async function readLines(stream: Readable, options: ReadLinesOptions): Promise<void> {
  const lines = new LineSplitter({ ...options, limitBytes: LINE_LIMIT_BYTES });
  try {
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) continue;
      for (let from = 0; from < chunk.length; from += SLICE_BYTES) {
        lines.push(chunk.subarray(from, from + SLICE_BYTES));
        await turn();
      }
    }
  } catch {
    // It was let go of while somebody could still have written to it.
  }
  lines.end();
}
