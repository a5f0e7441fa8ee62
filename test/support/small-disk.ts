import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Only some users may mount, and in some containers none. */
export const canMount = mayMount();

/** A disk that others can fill, and free again. It is there until the test ends. */
export function smallDisk(kib: number) {
  const path = mkdtempSync(join(tmpdir(), 'tsworker-disk-'));
  mount(path, kib);
  onTestFinished(() => unmount(path));
  const filler = join(path, 'filler');
  return {
    path,
    /** Takes all that is free. */
    fill: () => {
      for (;;) {
        const { bavail, bsize } = statfsSync(path);
        if (bavail === 0) return;
        writeFileSync(filler, Buffer.alloc(bavail * bsize), { flag: 'a' });
      }
    },
    free: () => rmSync(filler),
  };
}

function mayMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'tsworker-disk-'));
  try {
    mount(path, 4);
    unmount(path);
    return true;
  } catch {
    rmdirSync(path);
    return false;
  }
}

function mount(path: string, kib: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', path], { stdio: 'pipe' });
}

function unmount(path: string): void {
  execFileSync('umount', [path], { stdio: 'pipe' });
  rmdirSync(path);
}
