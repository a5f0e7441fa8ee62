import {
  constants,
  createWriteStream,
  fstatSync,
  openSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
} from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { hasCode } from '../errors.js';

const { O_WRONLY, O_NONBLOCK } = constants;

/**
 * Opens what a user has named to be written to: a file of its own, or what takes things as they come, which stays what
 * and where it is: a pipe, a terminal, a device.
 *
 * @throws when it can't be written
 */
export function openSink(path: string): Writable {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined) return newFile(path);
  if (there.isFile()) return isOfProcess(there) ? createWriteStream(path, { flags: 'a' }) : inPlaceOf(path);
  if (there.isFIFO()) return openPipe(path);
  if (there.isCharacterDevice()) return createWriteStream(path);
  throw new Error(`it is ${there.isDirectory() ? 'a folder' : 'neither a file nor a pipe'}`);
}

/** Whoever shares the machine may not read it. */
function newFile(path: string): Writable {
  return createWriteStream(path, { flags: 'wx', mode: 0o600 });
}

/** The file that is there is put aside, where a link leads to it, and the link stays. */
function inPlaceOf(path: string): Writable {
  const file = realpathSync(path);
  renameSync(file, `${file}.previous`);
  return newFile(file);
}

/** Whether the standard output or error goes there: `/dev/stdout`, or a log that has the same name. */
function isOfProcess({ dev, ino }: Stats): boolean {
  return [1, 2].map((fd) => fstatSync(fd)).some((own) => own.dev === dev && own.ino === ino);
}

/** Neither to open a pipe that nobody reads nor to write into a full one may block a thread: the process would never end. */
function openPipe(path: string): Writable {
  try {
    return new Socket({ fd: openSync(path, O_WRONLY | O_NONBLOCK), readable: false, writable: true });
  } catch (error) {
    if (!hasCode(error, 'ENXIO')) throw error;
    throw new Error('nobody reads that pipe yet, and who does has to begin first', { cause: error });
  }
}
