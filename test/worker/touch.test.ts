import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { touch } from '../../src/touch.js';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'tsworker-touch-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

it('makes a file that is not there', async () => {
  const path = join(folder(), 'file');
  await touch(path);
  expect(readFileSync(path, 'utf8')).toBe('');
});

it('gives one that is there the time of now, and leaves what it holds', async () => {
  const path = join(folder(), 'file');
  writeFileSync(path, 'kept');
  utimesSync(path, 0, 0);
  const before = Date.now();
  await touch(path);
  expect(statSync(path).mtimeMs).toBeGreaterThanOrEqual(before - 1);
  expect(readFileSync(path, 'utf8')).toBe('kept');
});

it('rejects where it can not', async () => {
  await expect(touch(join(folder(), 'missing', 'file'))).rejects.toMatchObject({ code: 'ENOENT' });
});
