import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProcess } from '../../src/supervisor/process-table.js';
import { leftBehindBy } from '../support/resources.js';
import { folder, lives, pidsIn, supervise } from '../support/supervisor/supervised.js';

/** Says its number, and stays. */
const STAYS = 'echo pid $$; exec sleep 1000';
/** Neither it nor its child heeds a SIGTERM. */
const STUBBORN = `trap '' TERM; sh -c 'trap "" TERM; echo grandchild $$; while :; do sleep 0.1; done' & echo pid $$; wait`;

describe('a model server that the worker runs', () => {
  it('leads a session and a group of its own, and ends when it is asked to', async () => {
    const runFile = join(folder(), 'state', 'model.json');
    const model = supervise(STAYS, { runFile });
    const pid = Number(await model.says('pid '));
    expect(await pidsIn(pid)).toEqual([pid]);
    expect(JSON.parse(readFileSync(runFile, 'utf8'))).toMatchObject({ leader: { pid } });
    await model.stop();
    expect(await lives(pid)).toBe(false);
    expect(existsSync(runFile)).toBe(false);
    expect(model.emitted).toEqual([{ type: 'model.started', restarts: 0 }]);
  });

  it('may be a program and its arguments, which no shell reads', async () => {
    const model = supervise(['printf', '%s\n', '$HOME; "two  words"', '*']);
    await model.says('*');
    expect(model.lines.slice(0, 2)).toEqual(['$HOME; "two  words"', '*']);
  });

  it('gets the environment without the secrets of the worker, and nothing on its standard input', async () => {
    const env = {
      PATH: process.env.PATH,
      MASTER_TOKEN: 'secret-1',
      TSWORKER_API_KEY: 'secret-2',
      VAST_API_KEY: 'secret-3',
      CONTAINER_API_KEY: 'secret-4',
      TSWORKER_METRICS_TOKEN: 'secret-5',
      HF_TOKEN: 'for the model',
      TSWORKER_MODEL_COMMAND: 'serve',
    };
    const model = supervise('env; cat; echo the end; exec sleep 1000', { env });
    await model.says('the end');
    expect(model.lines).toContain('HF_TOKEN=for the model');
    expect(model.lines).toContain('TSWORKER_MODEL_COMMAND=serve');
    expect(model.lines.join('\n')).not.toContain('secret');
  });

  it('that ignores SIGTERM is killed after the grace, and its grandchildren with it', async () => {
    const model = supervise(STUBBORN, { input: { graceMs: 100 } });
    const [pid, grandchild] = [Number(await model.says('pid ')), Number(await model.says('grandchild '))];
    await model.stop();
    expect([await lives(pid), await lives(grandchild), await pidsIn(pid)]).toEqual([false, false, []]);
    expect(model.emitted.map(({ type }) => type)).toEqual(['model.started', 'model.killed']);
  });

  it('is ended with children that a shell has put into groups of their own', async () => {
    // Not every shell has job control without a terminal.
    const model = supervise(['bash', '-c', 'set -m; sleep 1000 & echo child $!; echo pid $$; wait']);
    const [pid, child] = [Number(await model.says('pid ')), Number(await model.says('child '))];
    expect((await findProcess(child))?.group).toBe(child);
    await model.stop();
    expect([await lives(pid), await lives(child)]).toEqual([false, false]);
  });

  it.each([
    ['exit 3', 'exit code 3'],
    ['kill -SEGV $$', 'killed by SIGSEGV'],
    ['kill -9 $$', 'killed by SIGKILL'],
    ['no-such-program', 'exit code 127 (the command was not found)'],
    ['/etc/passwd', 'exit code 126 (the command can not be executed)'],
    [['no-such-program'], 'exit code 127 (the command was not found)'],
  ])('%j has died: %s', async (command, reason) => {
    const model = supervise(command, { input: { maxCrashes: 1 } });
    expect(await model.emits('model.died')).toMatchObject({ reason, crashes: 1 });
  });

  it.each([
    ['kill -9 $$', 'the kernel killed it for want of memory'],
    // The shell tells of a child that was killed.
    ['sh -c "kill -9 \\$\\$"; exit $?', 'the kernel killed it for want of memory'],
    ['exit 1', 'exit code 1; while it ran the kernel killed a process for want of memory'],
  ])('out of memory is told where the kernel says so: %s', async (end, reason) => {
    const memoryEvents = join(folder(), 'memory.events');
    writeFileSync(memoryEvents, 'low 0\noom 4\noom_kill 7\n');
    const model = supervise(`echo oom_kill 8 > ${memoryEvents}; ${end}`, {
      memoryEvents,
      input: { maxCrashes: 1 },
    });
    expect(await model.emits('model.died')).toMatchObject({ reason });
  });

  it('was not out of memory where the kernel has killed nothing since', async () => {
    const memoryEvents = join(folder(), 'memory.events');
    writeFileSync(memoryEvents, 'oom_kill 7\n');
    const model = supervise('kill -9 $$', { memoryEvents, input: { maxCrashes: 1 } });
    expect(await model.emits('model.died')).toMatchObject({ reason: 'killed by SIGKILL' });
  });

  it('in a crash loop is given up, with the reason and the last lines of its log, and without secrets', async () => {
    const command = 'echo starting; echo "using $HF_TOKEN"; echo; echo "no such model" >&2; exit 1';
    const env = { ...process.env, HF_TOKEN: 'hf_0123456789' };
    const model = supervise(command, { env });
    await model.reaches('given up');
    const died = model.told.filter(({ type }) => type === 'backend.failed');
    expect(died.map(({ message }) => message.split('\n')[0])).toEqual([
      'the model server has died (1 of 3): exit code 1',
      'the model server has died (2 of 3): exit code 1',
      'the model server has died (3 of 3): exit code 1',
      'the model server is not started again, since it has died 3 times in a row: exit code 1',
    ]);
    for (const { message } of died) {
      // The two streams come one by one, in no order that is sure.
      expect(message.split('\n').slice(1).toSorted()).toEqual([
        'its last lines:',
        'no such model',
        'starting',
        'using [redacted]',
      ]);
    }
    expect(model.told.filter(({ type }) => type === 'model.started').map(({ restarts }) => restarts)).toEqual(
      [0, 1, 2],
    );
  });

  it('that leaves a child behind when it dies is started again when that has ended', async () => {
    const path = join(folder(), 'second');
    const command = `[ -e ${path} ] && { echo again; exec sleep 1000; }; touch ${path}; sleep 1000 & echo child $!; exit 1`;
    const model = supervise(command);
    const child = Number(await model.says('child '));
    await model.says('again');
    expect(await lives(child)).toBe(false);
  });

  it('is started anew when that is asked for', async () => {
    const model = supervise(STAYS);
    const first = Number(await model.says('pid '));
    const before = model.lines.length;
    model.restart('it hangs');
    const second = Number(await model.says('pid ', before));
    expect([await lives(first), await lives(second)]).toEqual([false, true]);
    expect(model.told).toEqual([
      { type: 'model.started', restarts: 0 },
      { type: 'model.ended' },
      { type: 'backend.failed', message: 'the model server is started anew: it hangs' },
      { type: 'model.started', restarts: 1 },
    ]);
  });

  it('that is to end while it is being started does not get away', async () => {
    const runFile = join(folder(), 'model.json');
    const model = supervise(STAYS, { runFile });
    await model.emits('model.started');
    await model.stop();
    expect(existsSync(runFile)).toBe(false);
    const [pid] = model.lines.map((line) => Number(line.slice('pid '.length)));
    expect(pid !== undefined && (await lives(pid))).toBe(false);
  });

  it('that is to be started anew while it is being started does not run twice', async () => {
    const model = supervise(STAYS);
    await model.emits('model.started');
    model.restart('it hangs');
    await model.find('the second start', () => (model.emitted.length === 2 ? true : undefined));
    await model.says('pid ');
    const alive = () =>
      Promise.all(model.lines.map((line) => lives(Number(line.slice('pid '.length))))).then(
        (all) => all.filter(Boolean).length,
      );
    await expect.poll(alive).toBe(1);
    await model.stop();
    expect(await alive()).toBe(0);
  });

  it('is killed when what supervises it is let go of without a stop', async () => {
    const model = supervise(STUBBORN);
    const pid = Number(await model.says('pid '));
    await model.says('grandchild ');
    model.root.stop();
    await model.supervision.close();
    await expect.poll(() => pidsIn(pid)).toEqual([]);
  });

  it('runs all the same where it can not be written down what runs, and that is told once', async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    const model = supervise(STAYS, { runFile: join(path, 'model.json'), noteEveryMs: 10 });
    const pid = Number(await model.says('pid '));
    await expect.poll(() => lives(pid)).toBe(true);
    await model.stop();
    expect(model.log.about('supervisor.problem').map(({ message }) => message)).toEqual([
      expect.stringMatching(/model\.json can't be .*: .*ENOTDIR/),
    ]);
  });

  it('leaves nothing behind, however often it is started', async () => {
    const left = await leftBehindBy(async () => {
      const model = supervise('exit 1', { input: { maxCrashes: 12 } });
      await model.reaches('given up');
      await model.stop();
    });
    expect(left).toEqual({});
  });
});
