import type { Redact } from './copy.js';
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
    // A secret that is cut is no longer known for one. The rest is redacted when somebody looks.
    this.#lines.push(line.length > CHARACTERS ? `${this.#redact(line).slice(0, CHARACTERS)}…` : line);
    if (this.#lines.length >= 2 * LINES) this.#lines = this.#lines.slice(-LINES);
  }

  after(number: number): Lines {
    const fresh = Math.min(this.#last - number, LINES);
    return { last: this.#last, lines: fresh > 0 ? this.#lines.slice(-fresh).map(this.#redact) : [] };
  }
}
