import { messageOf } from '../errors.js';
import type { Log } from '../log.js';
import type { Now, RecordingEnd, RecordingHeader, RecordingLine } from './contract.js';
import { LineFile } from './line-file.js';

export interface RecorderOptions {
  readonly path: string;
  /** The setting or the option that names it. */
  readonly namedBy: string;
  readonly maxBytes: number;
  readonly log: Pick<Log, 'warn'>;
}

/** Kept free for the last line. */
const LAST_LINE_BYTES = 200;

/** Writes a run into a file, one thing that happened a line, until it has as many bytes as it may have. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #file: LineFile;
  #left: number;
  #isSlow = false;
  #missed = 0;
  #written = 0;
  #hasEnded = false;
  #problem: string | null = null;

  constructor(options: RecorderOptions, header: RecordingHeader) {
    this.#options = options;
    this.#left = options.maxBytes - LAST_LINE_BYTES;
    this.#file = new LineFile({ path: options.path, onProblem: (error) => this.#tellProblem(error) });
    this.#write(header);
  }

  /** How many happenings it has written. */
  get written(): number {
    return this.#written;
  }

  /** Why the file could not be written; null: it could. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Whether nothing more is written. */
  get isOver(): boolean {
    return this.#hasEnded || this.#problem !== null;
  }

  /** @param text a happening as JSON */
  happened(text: string): void {
    if (this.#writeText(text)) this.#written += 1;
    else if (!this.isOver) this.#missed += 1;
  }

  /** So many happenings never came to it. */
  miss(count: number): void {
    this.#missed += count;
  }

  /** How the worker is now. The lines of the model's log may say what clients asked, and are left out. */
  show(now: Now): void {
    this.#write({ now: { ...now, modelLog: [] } });
  }

  /** Resolves when all is on its way to the disk. */
  async end(ended: RecordingEnd['ended']): Promise<void> {
    this.#finish(ended);
    await this.#file.close();
    const { lost } = this.#file;
    if (lost > 0) this.#tell(`${lost} lines of the recording were not written`);
  }

  #finish(ended: RecordingEnd['ended']): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const end: RecordingEnd = { ended, atMs: Date.now(), events: this.#written, missed: this.#missed };
    this.#file.write(JSON.stringify(end));
  }

  #write(line: RecordingLine): void {
    this.#writeText(JSON.stringify(line));
  }

  #writeText(text: string): boolean {
    if (this.#hasEnded) return false;
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > this.#left && this.#problem === null) {
      this.#finish('full');
      this.#tell(`the recording has as many bytes as it may have (${this.#options.maxBytes}), and ends`);
      return false;
    }
    const isTaken = this.#file.write(text);
    if (isTaken) this.#left -= bytes;
    else if (this.#problem === null) this.#tellSlow();
    return isTaken;
  }

  #tellSlow(): void {
    if (this.#isSlow) return;
    this.#isSlow = true;
    this.#tell(`${this.#options.path} takes the recording too slowly, which has a gap`);
  }

  #tellProblem(error: unknown): void {
    this.#problem = messageOf(error);
    const { path, namedBy } = this.#options;
    this.#tell(
      `the recording can not be written to ${path}, which ${namedBy} names, and ends: ${this.#problem}`,
    );
  }

  #tell(message: string): void {
    this.#options.log.warn(message, { event: 'recording.problem', file: this.#options.path });
  }
}
