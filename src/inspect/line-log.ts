import { keptOf, type Redact } from '../redact.js';
import type { Lines } from './source.js';

const LINES = 200;
const CHARACTERS = 1_000;

/** The last lines that the model server said, by their numbers. */
export class LineLog {
  #lines: string[] = [];
  #last = 0;
  readonly #redact: Redact;

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  add(line: string): void {
    this.#last += 1;
    this.#lines.push(keptOf(line, CHARACTERS, this.#redact));
    if (this.#lines.length >= 2 * LINES) this.#lines = this.#lines.slice(-LINES);
  }

  after(number: number): Lines {
    const fresh = Math.min(this.#last - number, LINES);
    return { last: this.#last, lines: fresh > 0 ? this.#lines.slice(-fresh).map(this.#redact) : [] };
  }
}
