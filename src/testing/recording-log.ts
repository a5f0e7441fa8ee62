import type { Log, LogFields } from '../log.js';

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** A log that remembers each line. */
export class RecordingLog implements Log {
  readonly lines: Line[] = [];

  debug = (message: string, fields?: LogFields) => this.#add('debug', message, fields);
  info = (message: string, fields?: LogFields) => this.#add('info', message, fields);
  warn = (message: string, fields?: LogFields) => this.#add('warn', message, fields);
  error = (message: string, fields?: LogFields) => this.#add('error', message, fields);

  /** The lines about one kind of event. */
  about(event: string): Line[] {
    return this.lines.filter(({ fields }) => fields.event === event);
  }

  /** Everything that was said, fields included, to look for what must not be there. */
  get text(): string {
    return JSON.stringify(this.lines);
  }

  #add(level: Line['level'], message: string, fields: LogFields = {}): void {
    this.lines.push({ level, message, fields });
  }
}
