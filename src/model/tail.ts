import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, messageOf } from '../errors.js';
import { FollowedFile } from './followed-file.js';
import { LineSplitter } from './lines.js';

/** The longest line that is kept. */
export const LINE_LIMIT_BYTES = 64 * 1024;

export interface TailOptions {
  readonly path: string;
  /** Hears each line, in the order of the file, and whether it is old. Must not throw. */
  readonly onLine: (line: string, isOld: boolean) => void;
  /** Hears, once, that there are no more old lines. Must not throw. */
  readonly onCaughtUp?: () => void;
  /** Hears, as a sentence, what keeps the log from being read whole; of what lasts, once. */
  readonly onProblem: (problem: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** How often the file is looked at. 200 if left out. */
  readonly pollMs?: number;
}

/**
 * Reads a log from its beginning and goes on as it grows, until the signal is aborted; then what is left is read
 * and told, and the promise resolves. It never rejects.
 *
 * A file that is not there is waited for. One that was replaced is read to its end before the new one is; one
 * that was emptied is read from its beginning. A line without an end is told when nothing more of it can come.
 *
 * A line is old that ended in the file when that was first opened. Of a file that was not there at first none is,
 * nor of what follows a file that was replaced or emptied. Once the signal is aborted no old lines are read.
 */
export async function tailLog(options: TailOptions): Promise<void> {
  const { path, onLine, onCaughtUp = () => {}, onProblem, signal, pollMs = 200 } = options;
  const tellOfChange = changesOnly(onProblem);
  const tellOfLength = once(() =>
    onProblem(`${path} has lines of more than ${LINE_LIMIT_BYTES} bytes; what they have beyond is dropped`),
  );
  let isOld = true;
  const lines = new LineSplitter({
    onLine: (line) => onLine(line, isOld),
    limitBytes: LINE_LIMIT_BYTES,
    onLongLine: tellOfLength,
  });
  const onEnd = () => lines.end();
  const catchUp = () => {
    isOld = false;
    onCaughtUp();
  };
  const listener = { onBytes: (bytes: Uint8Array) => lines.push(bytes), onEnd, onCaughtUp: catchUp };
  const file = new FollowedFile(path, listener, signal);
  const look = async () => {
    try {
      await file.follow();
      tellOfChange('');
    } catch (error) {
      tellOfChange(problemWith(path, error));
    }
  };
  while (!signal.aborted) {
    await look();
    await delay(pollMs, undefined, { signal }).catch(() => {});
  }
  await look();
  // All of it has been read, so an error of the disk costs nothing any more.
  await file.close().catch(() => {});
}

function problemWith(path: string, error: unknown): string {
  if (hasCode(error, 'ENOENT')) return `${path} is not there yet`;
  return `${path} can't be read: ${messageOf(error)}`;
}

/** Passes a problem on unless it is the same as before; an empty one says that all is well again. */
function changesOnly(onProblem: (problem: string) => void): (problem: string) => void {
  let last = '';
  return (problem) => {
    if (problem !== last && problem !== '') onProblem(problem);
    last = problem;
  };
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
