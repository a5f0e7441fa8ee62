import { createLog, type Log } from '../log.js';
import type { LogLevel } from '../log-levels.js';
import type { Io } from './io.js';

/** The log of a command that keeps running: readable lines on a terminal, else JSON lines. */
export function logOf(level: LogLevel, { stdout }: Io): Promise<Log> {
  return createLog({ level, terminal: stdout.isTTY === true, destination: stdout });
}
