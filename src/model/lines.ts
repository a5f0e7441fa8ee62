import { stripVTControlCharacters } from 'node:util';

const NUL = 0x00;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

const NO_BYTES = new Uint8Array(0);

export interface LineSplitterOptions {
  /** Hears each line, without its end, without colours, and with whole characters. */
  readonly onLine: (line: string) => void;
  /** A line is kept up to here; the rest of it is dropped. */
  readonly limitBytes: number;
  /** Hears of each line that was over the limit, when that is noticed. */
  readonly onLongLine: () => void;
}

/**
 * Splits bytes into lines. A line ends at a line feed, at a carriage return (with which progress bars draw
 * themselves anew), or at both, whatever the borders of the chunks are.
 */
export class LineSplitter {
  readonly #options: LineSplitterOptions;
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #length = 0;
  #isLong = false;
  #endedByReturn = false;

  constructor(options: LineSplitterOptions) {
    this.#options = options;
  }

  push(chunk: Uint8Array): void {
    let from = this.#startOf(chunk);
    while (from < chunk.length) {
      const end = endOfLine(chunk, from);
      const bytes = chunk.subarray(from, end);
      if (end === chunk.length) {
        // The caller may use the memory of the chunk again.
        this.#keep(Buffer.from(bytes));
        return;
      }
      this.#keep(bytes);
      this.#tell();
      this.#endedByReturn = chunk[end] === CARRIAGE_RETURN;
      from = end + 1;
      if (from < chunk.length) from += this.#startOf(chunk.subarray(from));
    }
  }

  /** Tells what is left as a line of its own: nothing more of it will come. */
  end(): void {
    if (this.#length > 0) this.#tell();
    this.#endedByReturn = false;
  }

  /** How much of a chunk belongs to the end of the line before it. */
  #startOf(chunk: Uint8Array): number {
    const skips = this.#endedByReturn && chunk[0] === LINE_FEED;
    if (chunk.length > 0) this.#endedByReturn = false;
    return skips ? 1 : 0;
  }

  #keep(bytes: Uint8Array): void {
    // A file that was emptied under a writer which does not append begins with zeros, as many as it had bytes.
    const text = this.#length === 0 ? withoutLeadingZeros(bytes) : bytes;
    const kept = text.subarray(0, this.#options.limitBytes - this.#length);
    if (kept.length > 0) {
      this.#parts.push(kept);
      this.#length += kept.length;
    }
    if (kept.length < text.length && !this.#isLong) {
      this.#isLong = true;
      this.#options.onLongLine();
    }
  }

  #tell(): void {
    const [first = NO_BYTES] = this.#parts;
    const bytes = this.#parts.length > 1 ? Buffer.concat(this.#parts) : first;
    const line = this.#decoder.decode(this.#isLong ? withoutCutCharacter(bytes) : bytes);
    this.#parts = [];
    this.#length = 0;
    this.#isLong = false;
    this.#options.onLine(stripVTControlCharacters(line));
  }
}

function endOfLine(bytes: Uint8Array, from: number): number {
  const feed = indexOf(bytes, LINE_FEED, from);
  const carriageReturn = indexOf(bytes.subarray(0, feed), CARRIAGE_RETURN, from);
  return Math.min(feed, carriageReturn);
}

function indexOf(bytes: Uint8Array, byte: number, from: number): number {
  const index = bytes.indexOf(byte, from);
  return index < 0 ? bytes.length : index;
}

function withoutLeadingZeros(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== NUL) return bytes;
  const start = bytes.findIndex((byte) => byte !== NUL);
  return start < 0 ? bytes.subarray(bytes.length) : bytes.subarray(start);
}

/** Drops the beginning of a character whose rest was cut off. */
function withoutCutCharacter(bytes: Uint8Array): Uint8Array {
  let lead = bytes.length - 1;
  while (lead > bytes.length - 4 && isContinuation(bytes[lead])) lead--;
  return bytes.length - lead < sizeOfCharacter(bytes[lead]) ? bytes.subarray(0, lead) : bytes;
}

function isContinuation(byte = 0): boolean {
  return byte >> 6 === 0b10;
}

function sizeOfCharacter(lead = 0): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}
