import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Family } from '../../src/supervisor/family.js';
import { ModelProcess } from '../../src/supervisor/process.js';
import { bootId, findProcess, type ProcessFacts } from '../../src/supervisor/process-table.js';
import { runFilePath } from '../../src/supervisor/run-file.js';
import { Program } from '../support/process.js';
import { folder, lives, pidsIn, supervise } from '../support/supervisor/supervised.js';

const KEEPER = fileURLToPath(new URL('../support/supervisor/keeper.ts', import.meta.url));
const STAYS = 'echo pid $$; exec sleep 1000';
/** A shell with job control, which not every shell has without a terminal. */
const IN_GROUPS = `exec bash -c 'set -m; sleep 1000 & echo child $!; echo pid $$; wait'`;
const WITH_CHILD = 'sleep 1000 & echo child $!; echo pid $$; exec sleep 1000';

/** A worker in a process of its own that runs a model server. Whatever becomes of it, the model ends with the test. */
async function keep(runFile: string, command: string) {
  const keeper = new Program(process.execPath, ['--import', 'tsx', KEEPER, runFile, command]);
  const says = (beginning: string) =>
    keeper.find(beginning, () => {
      const line = keeper.lines.find((each) => each.startsWith(beginning));
      return line === undefined ? undefined : Number(line.slice(beginning.length));
    });
  const pid = await says('pid ');
  onTestFinished(() => killAll(pid));
  return { keeper, pid, says };
}

/** A process that leads a session of its own, and has nothing to do with any worker. */
async function stranger(command: string) {
  const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid = 0 } = child;
  onTestFinished(() => killAll(pid));
  await once(child.stdout, 'data');
  const facts = await findProcess(pid);
  if (facts === null) throw new Error('It is not there.');
  return { child, facts };
}

async function killAll(session: number): Promise<void> {
  for (const pid of await pidsIn(session)) process.kill(pid, 'SIGKILL');
}

function allPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Who is written down. */
function written(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** As a worker that is no more has written it. */
async function write(path: string, leader: Pick<ProcessFacts, 'pid' | 'startTicks'>, change: object = {}) {
  const owner = { pid: process.pid, startTicks: 1 };
  const { pid, startTicks } = leader;
  const record = { version: 1, bootId: await bootId(), owner, leader: { pid, startTicks }, members: [] };
  writeFileSync(path, JSON.stringify({ ...record, ...change }));
}

describe('what a worker leaves that was killed with SIGKILL', () => {
  it('is found and ended by the next start', async () => {
    const runFile = join(folder(), 'model.json');
    const { keeper, pid } = await keep(runFile, STAYS);
    keeper.kill('SIGKILL');
    await keeper.exited;
    expect(await lives(pid)).toBe(true);
    const next = supervise(STAYS, { runFile });
    const nextPid = Number(await next.says('pid '));
    expect([await lives(pid), await lives(nextPid)]).toEqual([false, true]);
    expect(next.emitted[0]).toEqual({ type: 'model.orphaned', orphan: `process ${pid}` });
    await next.stop();
    expect(existsSync(runFile)).toBe(false);
  });

  it('is found and ended though its leader has died and a child lives on', async () => {
    const runFile = join(folder(), 'model.json');
    const { keeper, pid, says } = await keep(runFile, WITH_CHILD);
    const child = await says('child ');
    await expect.poll(() => written(runFile), { timeout: 10_000 }).toContain(`"pid":${child},`);
    keeper.kill('SIGKILL');
    await keeper.exited;
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => lives(pid)).toBe(false);
    expect(await lives(child)).toBe(true);
    const next = supervise(STAYS, { runFile });
    await next.says('pid ');
    expect(await lives(child)).toBe(false);
    expect(next.emitted[0]).toEqual({ type: 'model.orphaned', orphan: `process ${child}` });
  });

  it('is killed when it does not heed the request to end', async () => {
    const runFile = join(folder(), 'model.json');
    const { keeper, pid } = await keep(
      runFile,
      `trap '' TERM; echo pid $$; while :; do sleep 0.1 || :; done`,
    );
    keeper.kill('SIGKILL');
    await keeper.exited;
    const next = supervise(STAYS, { runFile, input: { graceMs: 100 } });
    await next.says('pid ');
    expect(await lives(pid)).toBe(false);
    expect(next.emitted.map(({ type }) => type)).toEqual(['model.orphaned', 'model.killed', 'model.started']);
  });

  it('is ended though the worker is to stop before it has begun', async () => {
    const runFile = join(folder(), 'model.json');
    const { keeper, pid } = await keep(runFile, STAYS);
    keeper.kill('SIGKILL');
    await keeper.exited;
    const next = supervise(STAYS, { runFile });
    await next.stop();
    expect([await lives(pid), existsSync(runFile), next.lines]).toEqual([false, false, []]);
  });
});

describe('what runs', () => {
  it('is killed when the worker ends at once, by itself', async () => {
    const { keeper, pid } = await keep(join(folder(), 'model.json'), STAYS);
    keeper.kill('SIGUSR2');
    await keeper.exited;
    await expect.poll(() => lives(pid)).toBe(false);
  });

  it('is killed then with children that a shell has put into groups of their own', async () => {
    const { keeper, pid, says } = await keep(join(folder(), 'model.json'), IN_GROUPS);
    const child = await says('child ');
    keeper.kill('SIGUSR2');
    await keeper.exited;
    await expect.poll(() => Promise.all([lives(pid), lives(child)])).toEqual([false, false]);
  });

  it('for another worker that lives is left alone, and nothing is started beside it', async () => {
    const runFile = join(folder(), 'model.json');
    const { keeper, pid } = await keep(runFile, STAYS);
    const next = supervise(STAYS, { runFile });
    await next.reaches('given up');
    expect(next.told).toEqual([
      {
        type: 'backend.failed',
        message: `the model server is not started: another worker, process ${keeper.pid}, runs it already (${runFile})`,
      },
    ]);
    await next.stop();
    expect([await lives(pid), existsSync(runFile)]).toEqual([true, true]);
  });

  it('has been written down before the command is run: where that fails, it is not run', async () => {
    const path = join(folder(), 'ran');
    let pid = 0;
    const launched = ModelProcess.launch({
      command: `touch ${path}`,
      env: process.env,
      onLine: () => {},
      onLongLine: () => {},
      onLeader: (family) => {
        pid = family.leader.pid;
        return Promise.reject(new Error('killed meanwhile'));
      },
    });
    await expect(launched).rejects.toThrow('killed meanwhile');
    await expect.poll(() => lives(pid)).toBe(false);
    expect(existsSync(path)).toBe(false);
  });

  it('is told when it could not be started at all', async () => {
    const model = supervise('x'.repeat(200_000), { input: { maxCrashes: 1 } });
    expect(await model.emits('model.died')).toMatchObject({
      reason: 'it could not be started: spawn E2BIG',
    });
  });
});

describe('a process that is not the one that was written down is left alone', () => {
  const startBeside = async (facts: ProcessFacts, change?: object, startTicks = facts.startTicks) => {
    const runFile = join(folder(), 'model.json');
    await write(runFile, { pid: facts.pid, startTicks }, change);
    const next = supervise(STAYS, { runFile });
    await next.says('pid ');
    expect(next.emitted).toEqual([{ type: 'model.started', restarts: 0 }]);
    await next.stop();
  };

  it('when its number was given again: it was started at another time', async () => {
    const { facts } = await stranger(STAYS);
    await startBeside(facts, {}, facts.startTicks - 1);
    expect(await lives(facts.pid)).toBe(true);
  });

  it('when the machine was started anew since', async () => {
    const { facts } = await stranger(STAYS);
    await startBeside(facts, { bootId: 'another' });
    expect(await lives(facts.pid)).toBe(true);
  });

  it('when the leader is gone and nobody who was written down is left: the session may be another', async () => {
    const { child, facts } = await stranger(WITH_CHILD);
    const [one] = (await pidsIn(facts.pid)).filter((pid) => pid !== facts.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await startBeside(facts);
    expect([one !== undefined && (await lives(one)), await pidsIn(facts.pid)]).toEqual([true, [one]]);
  });

  it.each([
    ['', /model\.json can't be read, so it is not known whether a model was left: Unexpected end/],
    ['{"version":2}', /it has another form$/],
  ])('when what was written down is %j', async (text, problem) => {
    const runFile = join(folder(), 'model.json');
    writeFileSync(runFile, text);
    const next = supervise(STAYS, { runFile });
    await next.says('pid ');
    await next.stop();
    expect(next.log.about('supervisor.problem').map(({ message }) => message)).toEqual([
      expect.stringMatching(problem),
    ]);
  });
});

describe('the processes of one model server', () => {
  it('are those that live: a dead one whose end nobody asks for is not waited for', async () => {
    // The leader makes way for a program that does not know that it has a child.
    const { facts } = await stranger('sleep 0.05 & echo $!; exec sleep 1000');
    const everybody = async () =>
      (await Promise.all(allPids().map(findProcess))).filter((one) => one !== null);
    const dead = async () =>
      (await everybody()).filter(({ session, isDead }) => session === facts.pid && isDead);
    await expect.poll(async () => (await dead()).length).toBe(1);
    expect((await new Family(facts).members()).map(({ pid }) => pid)).toEqual([facts.pid]);
  });

  it('are none when their leader is another than it was', async () => {
    const { facts } = await stranger(STAYS);
    const family = new Family({ pid: facts.pid, startTicks: facts.startTicks - 1 });
    expect(await family.members()).toEqual([]);
    await family.signal('SIGKILL');
    await family.gone(new AbortController().signal);
    expect(await lives(facts.pid)).toBe(true);
  });
});

describe('the file in which it is written down', () => {
  it('is one for each instance', () => {
    expect(runFilePath('/state', '7-3000')).toBe('/state/model-7-3000.json');
    expect(runFilePath('/state', '../a b')).toBe('/state/model-.._a_b.json');
  });
});
