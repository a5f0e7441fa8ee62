import { type Logger, pino } from 'pino';
import type { LogLevel } from './log-levels.js';

/** What the worker and its backends log with: a message for people, fields for machines. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Fields that never reach a log, wherever a caller puts them: at the top or one level down. */
const SECRETS = [
  'mtoken',
  'masterToken',
  'signature',
  'authorization',
  'cookie',
  'api_key',
  'apiKey',
  'payload',
  'body',
];

/** Where a log goes: a stream, or anything that takes lines. */
export interface LogDestination {
  write(line: string): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** A terminal gets readable lines, anything else JSON lines. */
  readonly terminal: boolean;
  /** On a terminal. True if left out. */
  readonly color?: boolean;
  readonly destination?: LogDestination;
}

/** Makes the log of a process. The pretty printer is loaded only where there is a terminal. */
export async function createLog(given: LogOptions): Promise<Log> {
  const { level, terminal, color = true, destination = process.stdout } = given;
  const options = {
    level,
    base: null,
    redact: { paths: SECRETS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
  };
  const stream = terminal ? await prettyStream(destination, color) : destination;
  return wrap(pino(options, stream));
}

async function prettyStream(destination: LogDestination, color: boolean): Promise<LogDestination> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({
    colorize: color,
    translateTime: 'SYS:HH:MM:ss',
    // The message says it all to a person; the fields are for machines.
    hideObject: true,
    sync: true,
    destination: destination as NodeJS.WritableStream,
  });
}

/** A log that says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  };
}
