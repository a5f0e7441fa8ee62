import type { Config } from '../config/index.js';
import { STANDARD_OUTPUT } from '../inspect/line-file.js';
import { createLog, type Log } from '../log.js';
import type { LogLevel } from '../log-levels.js';
import { hasColors, type Io } from './io.js';

/** The log of a command that keeps running: readable lines on a terminal, else JSON lines. */
export function logOf(level: LogLevel, io: Io): Promise<Log> {
  const { stdout } = io;
  return createLog({ level, terminal: stdout.isTTY === true, color: hasColors(io), destination: stdout });
}

/** What a worker tells people goes to standard error where its standard output is Stately's inspector's. */
export function besideInspected(io: Io, { inspectTo }: Pick<Config, 'inspectTo'>): Io {
  return inspectTo === STANDARD_OUTPUT ? { ...io, stdout: io.stderr } : io;
}
