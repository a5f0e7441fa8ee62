import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { chatter, PRESETS, type Preset } from './presets.js';

/** The log file of an engine. It is opened for each entry, so it may be moved away or cut meanwhile. */
export class EngineLog {
  readonly #preset: Preset;
  readonly #file: string | undefined;

  /** Without a file nothing is written. */
  constructor(preset: Preset, file: string | undefined) {
    this.#preset = preset;
    this.#file = file;
    if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
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
    if (this.#file !== undefined) appendFileSync(this.#file, lines.map((line) => `${line}\n`).join(''));
  }
}
