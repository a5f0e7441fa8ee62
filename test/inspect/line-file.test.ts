import { execFile, execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { messageOf } from '../../src/errors.js';
import { LineFile } from '../../src/inspect/line-file.js';
import { temporaryFolder } from '../support/worker-program.js';

function open(path: string) {
  const problems: string[] = [];
  return { file: new LineFile({ path, onProblem: (error) => problems.push(messageOf(error)) }), problems };
}

describe('a file of lines', () => {
  it('is new: one that was there is put aside, where a link leads to it, and the link stays', async () => {
    const folder = temporaryFolder();
    const [path, link] = [join(folder, 'run'), join(folder, 'link')];
    writeFileSync(path, 'old\n');
    symlinkSync(path, link);
    const { file, problems } = open(link);
    expect(file.write('new')).toBe(true);
    await file.close();
    expect([problems, file.lost]).toEqual([[], 0]);
    const contents = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
    expect(contents).toEqual([
      ['link', 'new\n'],
      ['run', 'new\n'],
      ['run.previous', 'old\n'],
    ]);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
  });

  it('that is the standard output of the process goes on there', async () => {
    const path = join(temporaryFolder(), 'log');
    const code = `
      import { LineFile } from ${JSON.stringify(new URL('../../src/inspect/line-file.ts', import.meta.url).href)};
      const file = new LineFile({ path: '/dev/stdout', onProblem: (error) => { throw error; } });
      file.write('second');
      await file.close();
    `;
    const command = `echo first > "$0" && exec "$@" >> "$0"`;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', code];
    await promisify(execFile)('sh', ['-c', command, path, ...node]);
    expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n');
    expect(lstatSync('/dev/stdout').isSymbolicLink()).toBe(true);
  });

  it.each<[what: string, problem: string, make: (path: string) => unknown]>([
    ['a folder', 'it is a folder', (path) => mkdirSync(path)],
    ['a socket', 'it is neither a file nor a pipe', listenAt],
    [
      'a pipe without a reader',
      'nobody reads that pipe yet, and who does has to begin first',
      (path) => execFileSync('mkfifo', [path]),
    ],
  ])('that is %s is told, and stays what and where it is', async (_, problem, make) => {
    const folder = temporaryFolder();
    const path = join(folder, 'it');
    await make(path);
    const before = lstatSync(path);
    const { file, problems } = open(path);
    file.write('line');
    await file.close();
    expect(problems).toEqual([problem]);
    expect(file.lost).toBe(1);
    expect(file.write('more')).toBe(false);
    expect([readdirSync(folder), lstatSync(path).ino]).toEqual([['it'], before.ino]);
  });

  it('that is a device is written into', async () => {
    const link = join(temporaryFolder(), 'link');
    symlinkSync('/dev/null', link);
    const { file, problems } = open(link);
    expect(file.write('line')).toBe(true);
    await file.close();
    expect([problems, file.lost, lstatSync(link).isSymbolicLink()]).toEqual([[], 0, true]);
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

async function listenAt(path: string): Promise<void> {
  const server = createServer();
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  await new Promise<void>((resolve) => server.listen(path, resolve));
}
