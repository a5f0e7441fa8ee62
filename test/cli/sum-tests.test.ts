import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from './project.js';

const run = (passed: number, failed: number, skipped: number, todo = 0) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: skipped,
  numTodoTests: todo,
  testResults: [
    {
      status: failed > 0 ? 'failed' : 'passed',
      assertionResults: Array.from({ length: failed }, () => ({ status: 'failed' })),
    },
  ],
});
const withUnloaded = {
  ...run(4, 0, 0),
  testResults: [{ status: 'failed', assertionResults: [] }, ...run(4, 0, 0).testResults],
};

it.each<[name: string, files: unknown[], status: number, line: string]>([
  ['adds up', [run(2, 0, 1), run(3, 0, 0, 2)], 0, '5 passed, 0 failed, 3 skipped'],
  ['fails when a test failed', [run(2, 1, 0), run(3, 0, 0)], 1, '5 passed, 1 failed, 0 skipped'],
  ['a file that did not load has failed', [withUnloaded], 1, '4 passed, 1 failed, 0 skipped'],
  ['a run that wrote nothing has failed', [run(1, 0, 0), undefined], 1, '1 passed, 1 failed, 0 skipped'],
])('%s', (_name, files, status, line) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsworker-sums-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const paths = files.map((content, index) => {
    const path = join(dir, `${index}.json`);
    if (content !== undefined) writeFileSync(path, JSON.stringify(content));
    return path;
  });
  const ended = spawnSync(process.execPath, ['scripts/sum-tests.mjs', ...paths], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect({ status: ended.status, lines: ended.stdout.trimEnd().split('\n') }).toEqual({
    status,
    lines: [line],
  });
});
