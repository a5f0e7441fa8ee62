import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { chatter, PRESETS, type Preset } from './presets.js';

/** In the place of a log file. */
const STANDARD_OUTPUT = '-';

/**
 * The log of an engine: a file that is opened for each entry, so that it may be moved away or cut meanwhile; or the
 * standard output.
 */
export class EngineLog {
  readonly #preset: Preset;
  readonly #file: string | undefined;

  /** Without a file nothing is written. */
  constructor(preset: Preset, file: string | undefined) {
    this.#preset = preset;
    this.#file = file;
    if (file !== undefined && file !== STANDARD_OUTPUT) mkdirSync(dirname(file), { recursive: true });
  }

  starting(): void {
    this.#write(PRESETS[this.#preset].starting);
  }

  loaded(url: string, loadTimeMs: number): void {
    const at = new Date().toISOString();
    this.#write([PRESETS[this.#preset].loaded({ url, loadTimeMs, at })]);
  }

  chatter(text: string): void {
    this.#write(chatter(this.#preset, text));
  }

  outOfMemory(): void {
    this.#write([PRESETS[this.#preset].outOfMemory]);
  }

  #write(lines: readonly string[]): void {
    const text = lines.map((line) => `${line}\n`).join('');
    if (this.#file === STANDARD_OUTPUT) process.stdout.write(text);
    else if (this.#file !== undefined) appendFileSync(this.#file, text);
  }
}
