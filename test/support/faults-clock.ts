import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './worker-program.js';

const HOME = '/usr/lib';

/** Where Debian's libfaketime is, whatever the machine; undefined: nowhere. */
export const FAKETIME = existsSync(HOME)
  ? readdirSync(HOME)
      .map((folder) => join(HOME, folder, 'faketime/libfaketimeMT.so.1'))
      .find((path) => existsSync(path))
  : undefined;

/** A clock that the test moves for the processes that have its environment. Their monotonic clock is real. */
export class FakeClock {
  readonly env: Readonly<Record<string, string>>;
  readonly #file = join(temporaryFolder(), 'clock');

  constructor() {
    this.set(0);
    this.env = {
      LD_PRELOAD: FAKETIME ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** So many seconds before or after the real time. */
  set(seconds: number): void {
    writeFileSync(this.#file, `${seconds < 0 ? '' : '+'}${seconds}`);
  }
}
