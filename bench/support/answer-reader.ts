/** What a reader has seen of an answer that is now whole. */
export interface ReadAnswer {
  readonly status: number;
  readonly bodyBytes: number;
}

const HEAD_END = '\r\n\r\n';
const LINE_FEED = 0x0a;

/**
 * Reads the answers of one HTTP/1.1 connection, one after the other, and counts their bytes. It knows what the
 * servers of the benchmark send (a length, or chunks) and is no client for anything else: a general one would
 * cost the load generator more than some of the servers cost.
 */
export class AnswerReader {
  readonly #onAnswer: (answer: ReadAnswer) => void;
  readonly #onBody: (bytes: number) => void;
  #part: 'head' | 'body' | 'chunk size' | 'chunk' | 'end' = 'head';
  #head = '';
  #line = '';
  #status = 0;
  #bodyBytes = 0;
  /** Of the body, or of the chunk with the line end behind it. */
  #missing = 0;

  /** @param onBody hears of each piece of a body as it comes */
  constructor(onAnswer: (answer: ReadAnswer) => void, onBody: (bytes: number) => void) {
    this.#onAnswer = onAnswer;
    this.#onBody = onBody;
  }

  read(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#part === 'head') at = this.#readHead(piece, at);
      else if (this.#part === 'body' || this.#part === 'chunk') at = this.#skip(piece, at);
      else at = this.#readLine(piece, at);
    }
  }

  #readHead(piece: Buffer, at: number): number {
    const before = this.#head.length;
    this.#head += piece.toString('latin1', at);
    const end = this.#head.indexOf(HEAD_END, Math.max(before - HEAD_END.length, 0));
    if (end < 0) return piece.length;
    const head = this.#head.slice(0, end);
    this.#head = '';
    this.#status = Number(head.slice(9, 12));
    this.#bodyBytes = 0;
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) this.#part = 'chunk size';
    else this.#expect('body', Number(length));
    return at + end + HEAD_END.length - before;
  }

  #skip(piece: Buffer, at: number): number {
    const skipped = Math.min(this.#missing, piece.length - at);
    this.#missing -= skipped;
    if (this.#missing === 0) {
      if (this.#part === 'body') this.#finish();
      else this.#part = 'chunk size';
    }
    return at + skipped;
  }

  /** The size of a chunk, or the empty line after the last one. */
  #readLine(piece: Buffer, at: number): number {
    const end = piece.indexOf(LINE_FEED, at);
    this.#line += piece.toString('latin1', at, end < 0 ? piece.length : end);
    if (end < 0) return piece.length;
    const size = Number.parseInt(this.#line, 16);
    this.#line = '';
    if (this.#part === 'end') this.#finish();
    else if (size === 0) this.#part = 'end';
    else this.#expect('chunk', size);
    return end + 1;
  }

  #expect(part: 'body' | 'chunk', bytes: number): void {
    this.#part = part;
    this.#bodyBytes += bytes;
    this.#onBody(bytes);
    this.#missing = part === 'chunk' ? bytes + '\r\n'.length : bytes;
    if (this.#missing === 0) this.#finish();
  }

  #finish(): void {
    this.#part = 'head';
    this.#onAnswer({ status: this.#status, bodyBytes: this.#bodyBytes });
  }
}
