import { Lines } from './lines.js';

/** One server-sent event. */
export interface ServerSentEvent {
  /** `message` where the stream does not say. */
  readonly event: string;
  /** The last id that the stream has told; empty: none. */
  readonly id: string;
  readonly data: string;
}

/** Reads server-sent events from text that comes in pieces. */
export class SseReader {
  readonly #lines: Lines;
  #isFirst = true;
  #event = '';
  #id = '';
  #data: string[] = [];

  constructor(lines = new Lines()) {
    this.#lines = lines;
  }

  /** The events that this piece completes. */
  push(piece: string): ServerSentEvent[] {
    return this.#take(this.#lines.push(piece));
  }

  /** The event that the end of the stream completes: HTTP has told that nothing is missing. */
  end(): ServerSentEvent[] {
    const rest = this.#lines.end();
    return this.#take(rest === undefined ? [''] : [rest, '']);
  }

  #take(lines: readonly string[]): ServerSentEvent[] {
    return lines.flatMap((line) => {
      // A byte order mark may stand before the first line.
      const text = this.#isFirst && line.startsWith('\uFEFF') ? line.slice(1) : line;
      this.#isFirst = false;
      if (text === '') return this.#dispatch();
      this.#field(text);
      return [];
    });
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
  }

  #dispatch(): ServerSentEvent[] {
    const [event, data] = [this.#event || 'message', this.#data];
    this.#event = '';
    this.#data = [];
    return data.length === 0 ? [] : [{ event, id: this.#id, data: data.join('\n') }];
  }
}
