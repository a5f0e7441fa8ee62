import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LINE_LIMIT_BYTES, tailLog } from '../../src/model/tail.js';
import { leftBehindBy } from '../support/resources.js';

/** Follows a log in a folder of its own. */
function follow(prepare: (path: string) => void = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-tail-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'model.log');
  prepare(path);
  const lines: string[] = [];
  const problems: string[] = [];
  const told: string[] = [];
  const watchers = new Set<() => void>();
  // Looked at with every line of many: a search through all of them would take longer than the log.
  let hasCaughtUp = false;
  const tell = (list: string[], text: string) => {
    list.push(text);
    for (const watcher of watchers) watcher();
  };
  const end = new AbortController();
  const ended = tailLog({
    path,
    onLine: (line, isOld) => {
      told.push(`${isOld ? 'old' : 'new'} ${line}`);
      tell(lines, line);
    },
    onCaughtUp: () => {
      hasCaughtUp = true;
      tell(told, 'caught up');
    },
    onProblem: (problem) => tell(problems, problem),
    signal: end.signal,
    pollMs: 5,
  });
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  const stop = async () => {
    end.abort();
    await ended;
  };
  onTestFinished(stop);
  return {
    path,
    lines,
    problems,
    /** All that was told, in its order: each line with its age, and that there are no more old ones. */
    ages: told,
    stop,
    /** Until so many lines in all were told. */
    told: (count: number) => until(() => lines.length >= count),
    untilProblem: () => until(() => problems.length > 0),
    untilCaughtUp: () => until(() => hasCaughtUp),
  };
}

describe('the tail of a log', () => {
  it('tells what was there before, and what comes', async () => {
    const log = follow((path) => writeFileSync(path, 'one\ntwo\n'));
    await log.told(2);
    appendFileSync(log.path, 'three\n');
    await log.told(3);
    expect([log.lines, log.problems]).toEqual([['one', 'two', 'three'], []]);
  });

  it('waits for a file that is not there yet, and says so once', async () => {
    const log = follow();
    await log.untilProblem();
    writeFileSync(log.path, 'one\n');
    await log.told(1);
    await log.stop();
    expect([log.lines, log.problems]).toEqual([['one'], [`${log.path} is not there yet`]]);
  });

  it('a log line written in two parts is not missed, and is told when it is whole', async () => {
    const log = follow((path) => writeFileSync(path, 'one\nApplication start'));
    await log.told(1);
    appendFileSync(log.path, 'up complete\n');
    await log.told(2);
    expect(log.lines).toEqual(['one', 'Application startup complete']);
  });

  it('truncation is not missed', async () => {
    const log = follow((path) => writeFileSync(path, 'one\ntwo\nthr'));
    await log.told(2);
    truncateSync(log.path);
    await log.told(3);
    appendFileSync(log.path, 'four\n');
    await log.told(4);
    expect(log.lines).toEqual(['one', 'two', 'thr', 'four']);
  });

  it('truncation is not missed although the file has grown beyond where it was', async () => {
    const log = follow((path) => writeFileSync(path, 'one\n'));
    await log.told(1);
    writeFileSync(log.path, 'a new and much longer beginning\nand more\n');
    await log.told(3);
    expect(log.lines).toEqual(['one', 'a new and much longer beginning', 'and more']);
  });

  it('a rotated file does not lose its tail', async () => {
    const log = follow((path) => writeFileSync(path, 'one\n'));
    await log.told(1);
    appendFileSync(log.path, 'two\nthe last wor');
    appendFileSync(log.path, 'ds');
    renameSync(log.path, `${log.path}.1`);
    writeFileSync(log.path, 'new\n');
    await log.told(4);
    expect(log.lines).toEqual(['one', 'two', 'the last words', 'new']);
  });

  it('a file that was moved away is read on until there is a new one', async () => {
    const log = follow((path) => writeFileSync(path, 'one\n'));
    await log.told(1);
    renameSync(log.path, `${log.path}.1`);
    await log.untilProblem();
    appendFileSync(`${log.path}.1`, 'two\n');
    await log.told(2);
    appendFileSync(`${log.path}.1`, 'three\n');
    writeFileSync(log.path, 'new\n');
    await log.told(4);
    expect(log.lines).toEqual(['one', 'two', 'three', 'new']);
  });

  it('a file that was deleted and made anew is read from its beginning, be it longer or shorter', async () => {
    const log = follow((path) => writeFileSync(path, 'the first one\n'));
    await log.told(1);
    rmSync(log.path);
    writeFileSync(log.path, 'the second one, which is longer\n');
    await log.told(2);
    rmSync(log.path);
    await log.untilProblem();
    writeFileSync(log.path, 'third\n');
    await log.told(3);
    expect(log.lines).toEqual(['the first one', 'the second one, which is longer', 'third']);
  });

  it('keeps every line over many rotations and truncations of a busy log', async () => {
    const log = follow((path) => writeFileSync(path, ''));
    const written: string[] = [];
    for (let turn = 0; turn < 30; turn++) {
      for (let line = 0; line < 200; line++) written.push(`turn ${turn} line ${line}`);
      appendFileSync(log.path, `${written.slice(-200).join('\n')}\n`);
      await log.told(written.length);
      if (turn % 3 === 0) truncateSync(log.path);
      if (turn % 3 === 1) renameSync(log.path, `${log.path}.${turn}`);
    }
    expect(log.lines).toEqual(written);
  });

  it('reads on after invalid UTF-8 and lines of megabytes, and says once that they were cut', async () => {
    const log = follow((path) => {
      writeFileSync(
        path,
        Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.alloc(3_000_000, 'x'), Buffer.from('\n')]),
      );
      appendFileSync(path, Buffer.concat([Buffer.alloc(3_000_000, 'y'), Buffer.from('\nshort\n')]));
    });
    await log.told(4);
    expect(log.lines.map((line) => line.length)).toEqual([1, LINE_LIMIT_BYTES, LINE_LIMIT_BYTES, 5]);
    expect(log.problems).toEqual([
      `${log.path} has lines of more than 65536 bytes; what they have beyond is dropped`,
    ]);
  });

  it('at the end reads what is left, and tells the line that has no end', async () => {
    const log = follow((path) => writeFileSync(path, 'one\n'));
    await log.told(1);
    appendFileSync(log.path, 'two\nthree');
    await log.stop();
    expect(log.lines).toEqual(['one', 'two', 'three']);
  });

  it.each<[string, (path: string) => void, RegExp]>([
    ['a folder', (path) => mkdirSync(path), /can't be read: it is not a file$/],
    ['a pipe without a writer', (path) => execFileSync('mkfifo', [path]), /can't be read: it is not a file$/],
    ['a path through a file', (path) => writeFileSync(path, 'x'), /can't be read: ENOTDIR/],
  ])('waits, and says why, where the path is %s', async (what, make, problem) => {
    const folder = mkdtempSync(join(tmpdir(), 'tsworker-tail-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const made = join(folder, 'made');
    make(made);
    const end = new AbortController();
    const problems: string[] = [];
    const path = what === 'a path through a file' ? join(made, 'model.log') : made;
    await new Promise<void>((resolve) => {
      const onProblem = (text: string) => {
        problems.push(text);
        end.abort();
      };
      void tailLog({ path, onLine: () => {}, onProblem, signal: end.signal, pollMs: 5 }).then(resolve);
    });
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  describe('tells apart what is old', () => {
    it('which is what stood in the file when it was first opened', async () => {
      const log = follow((path) => writeFileSync(path, 'one\ntwo\n'));
      await log.untilCaughtUp();
      appendFileSync(log.path, 'three\n');
      await log.told(3);
      expect(log.ages).toEqual(['old one', 'old two', 'caught up', 'new three']);
    });

    it('and a line that ended later is new', async () => {
      const log = follow((path) => writeFileSync(path, 'one\ntw'));
      await log.untilCaughtUp();
      appendFileSync(log.path, 'o\n');
      await log.told(2);
      expect(log.ages).toEqual(['old one', 'caught up', 'new two']);
    });

    it('and what is written while the old is read is new', async () => {
      const old = Array.from({ length: 20_000 }, (_, index) => `line ${index}`);
      const log = follow((path) => writeFileSync(path, `${old.join('\n')}\n`));
      await log.told(1);
      appendFileSync(log.path, 'one\ntwo\n');
      await log.told(old.length + 2);
      expect(log.ages).toEqual([...old.map((line) => `old ${line}`), 'caught up', 'new one', 'new two']);
    });

    it('of which a file that was not there at first has nothing', async () => {
      const log = follow();
      await log.untilProblem();
      writeFileSync(log.path, 'one\n');
      await log.told(1);
      expect(log.ages).toEqual(['caught up', 'new one']);
    });

    it('of which an empty file has nothing', async () => {
      const log = follow((path) => writeFileSync(path, ''));
      await log.untilCaughtUp();
      appendFileSync(log.path, 'one\n');
      await log.told(1);
      expect(log.ages).toEqual(['caught up', 'new one']);
    });

    it.each<[string, (path: string) => void]>([
      ['rotated', (path) => renameSync(path, `${path}.1`)],
      ['truncated', (path) => truncateSync(path)],
      ['deleted', (path) => rmSync(path)],
    ])('of which a file that was %s has nothing', async (_, change) => {
      const log = follow((path) => writeFileSync(path, 'one\n'));
      await log.untilCaughtUp();
      change(log.path);
      writeFileSync(log.path, 'another\n');
      await log.told(2);
      expect(log.ages).toEqual(['old one', 'caught up', 'new another']);
    });

    it('of which nothing is left where the file is emptied before it was read', async () => {
      const log = follow((path) => writeFileSync(path, 'line\n'.repeat(100_000)));
      await log.told(1);
      writeFileSync(log.path, 'another\n');
      await log.untilCaughtUp();
      await log.told(log.lines.length + 1);
      expect(log.ages.slice(-2)).toEqual(['caught up', 'new another']);
      expect(log.ages.slice(0, -2).every((age) => age.startsWith('old '))).toBe(true);
      expect(log.lines.length).toBeLessThan(100_000);
    });

    it('of which the rest is gone where the file is cut short before it was read', async () => {
      const log = follow((path) => writeFileSync(path, 'line\n'.repeat(100_000)));
      await log.told(1);
      truncateSync(log.path, 5 * 40_000);
      await log.untilCaughtUp();
      appendFileSync(log.path, 'another\n');
      await log.told(40_001);
      expect(log.ages).toEqual([...Array(40_000).fill('old line'), 'caught up', 'new another']);
    });

    it('and reads no more of it once it is to end', async () => {
      const log = follow((path) => writeFileSync(path, 'line\n'.repeat(1_000_000)));
      await log.told(1);
      await log.stop();
      expect(log.lines.length).toBeLessThan(1_000_000);
      expect(log.ages.filter((age) => !age.startsWith('old l'))).toEqual([]);
    });
  });

  it('leaves no file open and no timer behind', async () => {
    const left = await leftBehindBy(async () => {
      const log = follow((path) => writeFileSync(path, 'one\n'));
      await log.told(1);
      renameSync(log.path, `${log.path}.1`);
      writeFileSync(log.path, 'two\n');
      await log.told(2);
      await log.stop();
    });
    expect(left).toEqual({});
  });
});
