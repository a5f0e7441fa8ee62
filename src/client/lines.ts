/** As much as one line may hold, so that a stream without any end of line does not take all memory. */
export const MAX_LINE_CHARS = 64 * 1024 * 1024;

/** Splits text that comes in pieces into lines, ended by CRLF, LF or CR. */
export class Lines {
  readonly #maxChars: number;
  #rest: string[] = [];
  #restChars = 0;
  /** A CR was the last of the piece before: an LF at the beginning of this one belongs to it. */
  #afterCr = false;

  constructor(maxChars = MAX_LINE_CHARS) {
    this.#maxChars = maxChars;
  }

  /**
   * The lines that this piece completes.
   *
   * @throws {RangeError} for a line that is too long
   */
  push(piece: string): string[] {
    const text = this.#afterCr && piece.startsWith('\n') ? piece.slice(1) : piece;
    if (piece !== '') this.#afterCr = piece.endsWith('\r');
    const parts = text.split(/\r\n|\n|\r/);
    const last = parts.pop() ?? '';
    const lines = parts.map((part, index) => (index === 0 ? this.#takeRest() + part : part));
    if (last !== '') this.#rest.push(last);
    this.#restChars += last.length;
    if (this.#restChars > this.#maxChars)
      throw new RangeError(`a line is longer than ${this.#maxChars} characters`);
    return lines;
  }

  /** What stands behind the last end of line; undefined: nothing does. */
  end(): string | undefined {
    return this.#rest.length === 0 ? undefined : this.#takeRest();
  }

  #takeRest(): string {
    const rest = this.#rest.join('');
    this.#rest = [];
    this.#restChars = 0;
    return rest;
  }
}
