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
      name: join(ROOT, 'test/kettle.test.ts'),
      status: failed > 0 ? 'failed' : 'passed',
      message: '',
      assertionResults: Array.from({ length: failed }, () => ({
        status: 'failed',
        fullName: 'a kettle boils',
        failureMessages: ['Error: it is cold\n    at kettle.ts:1:1'],
      })),
    },
  ],
});
const withUnloaded = {
  ...run(4, 0, 0),
  testResults: [
    {
      name: join(ROOT, 'test/pot.test.ts'),
      status: 'failed',
      message: "Cannot find module './lid.js'",
      assertionResults: [],
    },
    ...run(4, 0, 0).testResults,
  ],
};

it.each<[name: string, files: unknown[], status: number, lines: string[]]>([
  ['adds up', [run(2, 0, 1), run(3, 0, 0, 2)], 0, ['5 passed, 0 failed, 3 skipped']],
  [
    'fails when a test failed, and names it',
    [run(2, 1, 0), run(3, 0, 0)],
    1,
    [
      'failed: test/kettle.test.ts > a kettle boils',
      '  Error: it is cold',
      '      at kettle.ts:1:1',
      '5 passed, 1 failed, 0 skipped',
    ],
  ],
  [
    'a file that did not load has failed',
    [withUnloaded],
    1,
    ['failed: test/pot.test.ts', "  Cannot find module './lid.js'", '4 passed, 1 failed, 0 skipped'],
  ],
  ['a run that wrote nothing has failed', [run(1, 0, 0), undefined], 1, ['1 passed, 1 failed, 0 skipped']],
])('%s', (_name, files, status, lines) => {
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
    lines,
  });
});
