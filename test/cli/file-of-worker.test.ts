import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { fileOfWorker } from '../../src/cli/file-of-worker.js';

it('each worker has a file of its own, and what is no file is shared', () => {
  const folder = mkdtempSync(join(tmpdir(), 'file-of-worker-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const there = join(folder, 'run.jsonl');
  writeFileSync(there, '');
  expect(fileOfWorker(there, 1)).toBe(join(folder, 'run.1.jsonl'));
  expect(fileOfWorker('/not/there/run.today.jsonl', 12)).toBe('/not/there/run.today.12.jsonl');
  expect(fileOfWorker('run', 2)).toBe('run.2');
  expect(fileOfWorker('../run.jsonl', 3)).toBe('../run.3.jsonl');
  expect(fileOfWorker('/run.jsonl', 3)).toBe('/run.3.jsonl');
  const loop = join(folder, 'loop');
  symlinkSync(loop, loop);
  expect(fileOfWorker(loop, 1)).toBe(`${loop}.1`);
  expect([fileOfWorker('/dev/null', 1), fileOfWorker(folder, 1)]).toEqual(['/dev/null', folder]);
});
