import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogFile, type LogFileOptions } from '../../src/supervisor/log-file.js';
import { folder, readLog } from '../support/supervisor/supervised.js';

function logTo(path: string, options: Partial<LogFileOptions> = {}) {
  const problems: string[] = [];
  const time = { nowMs: 0 };
  const log = new LogFile({
    path,
    maxBytes: 1_000,
    keep: 2,
    onProblem: (problem) => void problems.push(problem),
    now: () => time.nowMs,
    ...options,
  });
  onTestFinished(() => log.close());
  const write = (lines: readonly string[]) => {
    for (const line of lines) log.write(line);
    return log.close();
  };
  return { problems, time, log, write };
}

/** Each of 50 bytes with its end. */
const lines = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `line ${from + index} `.padEnd(49, '.'));

describe('the log of a model on the disk', () => {
  it('has each line once, after what was there before, in a folder that is made for it', async () => {
    const path = join(folder(), 'logs', 'model.log');
    await logTo(path).write(['one', '', 'zwei: ü']);
    await logTo(path).write(['three']);
    expect(readFileSync(path, 'utf8')).toBe('one\n\nzwei: ü\nthree\n');
  });

  it('is put aside when it would grow beyond its size, and so many are kept', async () => {
    const path = join(folder(), 'model.log');
    const all = lines(0, 75);
    await logTo(path).write(all);
    expect(readdirSync(join(path, '..')).toSorted()).toEqual(['model.log', 'model.log.1', 'model.log.2']);
    expect(readLog(`${path}.2`)).toEqual(all.slice(20, 40));
    expect(readLog(`${path}.1`)).toEqual(all.slice(40, 60));
    expect(readLog(path)).toEqual(all.slice(60));
  });

  it('never takes more than its size for each file, whatever comes', async () => {
    const path = join(folder(), 'model.log');
    const { write } = logTo(path, { keep: 3 });
    for (let round = 0; round < 30; round++) {
      await write(Array.from({ length: 17 }, (_, index) => 'x'.repeat((round * 37 + index * 61) % 300)));
      for (const name of readdirSync(join(path, '..'))) {
        expect(statSync(join(path, '..', name)).size).toBeLessThanOrEqual(1_000);
      }
    }
    expect(readdirSync(join(path, '..'))).toHaveLength(4);
  });

  it('has a file of its own for a line that is longer than a file may be', async () => {
    const path = join(folder(), 'model.log');
    const long = 'x'.repeat(2_000);
    await logTo(path).write(['before', long, 'after']);
    expect([readLog(`${path}.2`), readLog(`${path}.1`), readLog(path)]).toEqual([
      ['before'],
      [long],
      ['after'],
    ]);
  });

  it('keeps none aside where none is to be kept', async () => {
    const path = join(folder(), 'model.log');
    await logTo(path, { keep: 0 }).write(lines(0, 45));
    expect([readdirSync(join(path, '..')), readLog(path)]).toEqual([['model.log'], lines(40, 5)]);
  });

  it('goes on in a new file when somebody moves, removes or empties it', async () => {
    const path = join(folder(), 'model.log');
    const { log } = logTo(path);
    const written = async (line: string) => {
      log.write(line);
      await expect.poll(() => readFileSync(path, { encoding: 'utf8', flag: 'a+' })).toContain(line);
    };
    await written('one');
    renameSync(path, `${path}.old`);
    await written('two');
    rmSync(path);
    await written('three');
    truncateSync(path);
    await written('four');
    expect([readLog(path), readLog(`${path}.old`)]).toEqual([['four'], ['one']]);
  });

  it('is put aside where the file is that a link leads to', async () => {
    const [path, elsewhere] = [join(folder(), 'model.log'), join(folder(), 'real.log')];
    symlinkSync(elsewhere, path);
    await logTo(path).write(lines(0, 25));
    expect([readLog(`${elsewhere}.1`), readLog(path)]).toEqual([lines(0, 20), lines(20, 5)]);
  });
});

describe('a disk that does not take the log', () => {
  it('is told once when it is full, and costs nothing but the lines', async () => {
    const { write, problems, time } = logTo('/dev/full');
    for (let minute = 0; minute < 10; minute++) {
      await write(['one', 'two']);
      time.nowMs += 60_000;
    }
    expect(problems).toEqual([expect.stringMatching(/^\/dev\/full can't be written: ENOSPC/)]);
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  it('is tried again after a while, and the log says how much is missing', async () => {
    const blocked = join(folder(), 'blocked');
    writeFileSync(blocked, '');
    const path = join(blocked, 'model.log');
    const { write, problems, time } = logTo(path);
    await write(['one', 'two']);
    rmSync(blocked);
    mkdirSync(blocked);
    time.nowMs = 4_999;
    await write(['three']);
    expect(readdirSync(blocked)).toEqual([]);
    time.nowMs = 5_000;
    await write(['four', 'five']);
    expect(readLog(path)).toEqual(['[tsworker: 3 lines are missing here]', 'four', 'five']);
    rmSync(blocked, { recursive: true });
    writeFileSync(blocked, '');
    await write(['six']);
    expect(problems).toHaveLength(2);
  });

  it('that is slow makes nobody wait, and its lines are not kept without end', async () => {
    const path = join(folder(), 'model.log');
    const { log } = logTo(path, { maxBytes: 100_000_000 });
    const line = 'x'.repeat(1_023);
    // All within one turn, in which no disk is fast enough.
    for (let count = 0; count < 5_000; count++) log.write(line);
    await log.close();
    log.write('the last');
    await log.close();
    expect(readLog(path)).toEqual([
      ...Array.from({ length: 1_024 }, () => line),
      '[tsworker: 3976 lines are missing here]',
      'the last',
    ]);
  });

  it('is not waited for where the log is a pipe that nobody reads', async () => {
    const path = join(folder(), 'pipe');
    execFileSync('mkfifo', [path]);
    const { write, problems } = logTo(path);
    await write(['one']);
    expect(problems).toEqual([expect.stringMatching(/pipe can't be written: ENXIO/)]);
  });
});
