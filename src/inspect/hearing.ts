import type { Log, LogFields } from '../log.js';

/** A log that somebody hears, but for what is at level debug. */
export function hearing(
  log: Log,
  hear: (level: 'info' | 'warn' | 'error', message: string, fields?: LogFields) => void,
): Log {
  const both = (level: 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    log[level](message, fields);
    hear(level, message, fields);
  };
  return {
    debug: (message, fields) => log.debug(message, fields),
    info: both('info'),
    warn: both('warn'),
    error: both('error'),
  };
}
