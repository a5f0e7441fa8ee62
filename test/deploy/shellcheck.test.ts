import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { find, REPO } from './sandbox.js';

const SCRIPTS = ['deploy', 'scripts'].flatMap((dir) =>
  readdirSync(join(REPO, dir), { encoding: 'utf8', recursive: true })
    .filter((file) => file.endsWith('.sh'))
    .map((file) => join(dir, file)),
);

test('the scripts are found', () => {
  expect(SCRIPTS).toEqual(expect.arrayContaining(['deploy/vast/start_server.sh', 'scripts/setup-debian.sh']));
});

describe.each(SCRIPTS)('%s', (script) => {
  test('may be executed', () => {
    expect(statSync(join(REPO, script)).mode & 0o111).toBe(0o111);
  });

  test('leaves shellcheck nothing to say', ({ skip }) => {
    // On a developer's machine the linter may be missing; CI has to have it.
    skip(find('shellcheck') === undefined && !process.env.CI, 'no shellcheck: run scripts/setup-debian.sh');
    const { status, stdout, error } = spawnSync('shellcheck', [script], { cwd: REPO, encoding: 'utf8' });
    expect({ status, stdout, error }).toEqual({ status: 0, stdout: '', error: undefined });
  });
});
