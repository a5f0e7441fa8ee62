import { keptOf, type Redact } from '../redact.js';

export interface LastLinesOptions {
  readonly lines: number;
  /** Of all of them together. */
  readonly characters: number;
  readonly redact: Redact;
}

/** Remembers the last lines of a text that never ends, but for empty ones. */
export class LastLines {
  readonly #options: LastLinesOptions;
  #lines: string[] = [];

  constructor(options: LastLinesOptions) {
    this.#options = options;
  }

  add(line: string): void {
    if (line.trim() === '') return;
    const { lines, characters, redact } = this.#options;
    this.#lines.push(keptOf(line, characters, redact));
    // Many are dropped at once, so that a line costs the same however many are kept.
    if (this.#lines.length >= 2 * lines) this.#lines = this.#lines.slice(-lines);
  }

  /** Those that fit, the oldest first, without secrets. */
  get(): readonly string[] {
    const { lines, characters, redact } = this.#options;
    const kept: string[] = [];
    let length = 0;
    for (const line of this.#lines.toReversed()) {
      length += line.length;
      if (kept.length === lines || length > characters) break;
      kept.unshift(redact(line));
    }
    return kept;
  }

  clear(): void {
    this.#lines = [];
  }
}
