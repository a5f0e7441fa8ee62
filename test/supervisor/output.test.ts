import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { redactor } from '../../src/redact.js';
import { modelEnvironment } from '../../src/supervisor/environment.js';
import { LastLines } from '../../src/supervisor/last-lines.js';
import { killedForMemory } from '../../src/supervisor/memory-events.js';
import { readLines } from '../../src/supervisor/output.js';
import { ModelProcess } from '../../src/supervisor/process.js';
import { findProcess, parseStat } from '../../src/supervisor/process-table.js';
import { garbageCollector } from '../support/garbage.js';
import { folder, readLog, type SupervisedOptions, supervise } from '../support/supervisor/supervised.js';

/** A model server that talks, once so many of its lines were heard. */
async function talking(
  command: string,
  count: number,
  onLine: () => void,
  logFile: SupervisedOptions['logFile'] = null,
) {
  let heard = 0;
  let enough = () => {};
  const done = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const hear = () => {
    onLine();
    heard += 1;
    if (heard === count) enough();
  };
  const model = supervise(command, { logFile, forgetful: true, onLine: hear });
  await done;
  return model;
}

/** What this thread holds; the resident set is that of all who test in this process. */
// What the next collection would free is not held, and there is more of it on a busy machine.
const collectGarbage = garbageCollector();

function heldMib(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

describe('what a model says', () => {
  it('is told line by line, from both of its streams, and written to the log', async () => {
    const logFile = { path: join(folder(), 'model.log'), maxBytes: 1_000_000, keep: 1 };
    // What comes last has no end of a line; the other stream tells that it was said.
    const model = supervise(
      'echo one; printf "50%%\\r100%%\\r\\n"; echo bad >&2; printf end; echo later >&2; exec sleep 1000',
      { logFile },
    );
    await model.find('five lines', () => (model.lines.length >= 5 ? true : undefined));
    await model.stop();
    const said = ['one', '50%', '100%', 'bad', 'end', 'later'].toSorted();
    expect(model.lines.toSorted()).toEqual(said);
    expect(readLog(logFile.path)).toEqual(model.lines);
  });

  it('last is heard before its end is told, be it ever so much', async () => {
    const lines: string[] = [];
    const { ended } = await ModelProcess.launch({
      command: 'yes | head -n 60000; echo the end; exit 1',
      env: process.env,
      onLeader: async () => {},
      onLine: (line) => void lines.push(line),
      onLongLine: () => {},
    });
    expect(await ended).toEqual({ code: 1, signal: null });
    expect([lines.length, lines.at(-1)]).toEqual([60_001, 'the end']);
  });

  it('last is told of its end', async () => {
    const command = 'i=0; while [ $i -lt 30 ]; do echo "line $i"; i=$((i+1)); done; exit 1';
    const model = supervise(command, { input: { maxCrashes: 1 } });
    const died = await model.emits('model.died');
    expect(died.lastLines).toEqual(Array.from({ length: 20 }, (_, index) => `line ${10 + index}`));
  });

  it('without end does not fill the memory, and the log stays bounded', async () => {
    const path = join(folder(), 'model.log');
    const maxBytes = 4_000_000;
    const before = heldMib();
    // About 90 MB.
    const model = await talking("exec yes 'a line of a model that talks without end'", 2_000_000, () => {}, {
      path,
      maxBytes,
      keep: 1,
    });
    expect(heldMib() - before).toBeLessThan(60);
    await model.stop();
    expect(statSync(path).size).toBeLessThanOrEqual(maxBytes);
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(maxBytes);
  }, 60_000);

  it('without end leaves others their turn', async () => {
    let [inThisTurn, most] = [0, 0];
    const turnOver = () => {
      most = Math.max(most, inThisTurn);
      inThisTurn = 0;
      immediate = setImmediate(turnOver);
    };
    let immediate = setImmediate(turnOver);
    const model = await talking('exec yes', 300_000, () => {
      inThisTurn += 1;
    });
    clearImmediate(immediate);
    await model.stop();
    // Two bytes each, at most 8 KiB of them at a time.
    expect(most).toBeLessThanOrEqual(8_192);
  });

  it('goes on to those who listen when the disk takes nothing, and that is told once', async () => {
    const logFile = { path: '/dev/full', maxBytes: 1_000_000, keep: 1 };
    const model = supervise('i=0; while sleep 0.01; do i=$((i+1)); echo "line $i"; done', { logFile });
    await model.says('line 20');
    await model.stop();
    expect(model.log.about('supervisor.problem').map(({ message }) => message)).toEqual([
      expect.stringMatching(/ENOSPC/),
    ]);
  });

  it('in lines that are too long is cut, and that is told once', async () => {
    const model = supervise(
      'for n in 1 2; do head -c 100000 /dev/zero | tr "\\0" x; echo; done; exec sleep 1000',
    );
    await model.find('two lines', () => (model.lines.length === 2 ? true : undefined));
    expect(model.lines.map((line) => line.length)).toEqual([65_536, 65_536]);
    expect(model.log.about('supervisor.longLine')).toHaveLength(1);
  });

  it('is heard up to where its stream breaks', async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    const read = readLines(stream, { onLine: (line) => void lines.push(line), onLongLine: () => {} });
    stream.write('one\ntwo');
    await expect.poll(() => lines).toEqual(['one']);
    stream.destroy(new Error('broken'));
    await read;
    expect(lines).toEqual(['one', 'two']);
  });
});

describe('the last lines', () => {
  it('are as many as fit, without empty ones', () => {
    const last = new LastLines({ lines: 3, characters: 10, redact: (text) => text });
    for (const line of ['one', '', 'two', ' ', 'three', 'four']) last.add(line);
    expect(last.get()).toEqual(['three', 'four']);
    for (const line of ['a', 'b', 'c', 'd']) last.add(line);
    expect(last.get()).toEqual(['b', 'c', 'd']);
    last.add('a line that is too long');
    expect(last.get()).toEqual(['a line th…']);
    last.clear();
    expect(last.get()).toEqual([]);
  });

  it('have no secret, nor the beginning of one where a line is cut', () => {
    const redact = redactor({ HF_TOKEN: 'hf_1234567890' });
    const last = new LastLines({ lines: 3, characters: 40, redact });
    last.add('uses hf_1234567890');
    expect(last.get()).toEqual(['uses [redacted]']);
    last.add(`${'x'.repeat(35)}hf_1234567890`);
    expect(last.get()).toEqual([`${'x'.repeat(35)}[red…`]);
    last.clear();
    last.add('GET /m?api_key=sk-live-1');
    expect(last.get()).toEqual(['GET /m?api_key=[redacted]']);
    last.add(`${'x'.repeat(25)} token=tok_${'9'.repeat(20)}`);
    expect(last.get()).toEqual([`${'x'.repeat(25)} token=[redacted]`]);
  });
});

describe('the environment', () => {
  it('of a model has no secret of the worker', () => {
    const env = {
      PATH: '/bin',
      MASTER_TOKEN: 'a',
      TSWORKER_API_KEY: 'b',
      HF_TOKEN: 'c',
      OPENAI_API_KEY: 'd',
    };
    expect(modelEnvironment(env)).toEqual({ PATH: '/bin', HF_TOKEN: 'c', OPENAI_API_KEY: 'd' });
  });

  it('has secrets that are taken out of texts', () => {
    const redact = redactor({
      HF_TOKEN: 'hf_12345678',
      S3_SECRET: 'hf_1234567890',
      AWS_ACCESS_KEY: 'short',
      PATH: '/usr/local/bin',
    });
    expect(redact('hf_1234567890 and hf_12345678 are short in /usr/local/bin')).toBe(
      '[redacted] and [redacted] are short in /usr/local/bin',
    );
  });
});

describe('what the kernel has killed for want of memory', () => {
  it.each([
    ['low 0\nhigh 2\nmax 8\noom 3\noom_kill 2\noom_group_kill 1\n', 2],
    ['oom_kill_disable 0\nunder_oom 0\noom_kill 5\n', 5],
    ['nothing of the kind\n', 0],
  ])('is counted in %j', async (text, count) => {
    const path = join(folder(), 'memory.events');
    writeFileSync(path, text);
    expect(await killedForMemory(path)).toBe(count);
    rmSync(path);
    expect(await killedForMemory(path)).toBe(0);
  });

  it('is a count here, too', async () => {
    expect(await killedForMemory()).toBeGreaterThanOrEqual(0);
  });
});

describe('the table of processes', () => {
  const rest = '1 7 5 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 8192 1';

  it.each([
    ['sh', 'S', false],
    ['a) S 1 (b', 'R', false],
    ['sh', 'Z', true],
    ['sh', 'X', true],
  ])('reads a process called %s in the state %s', (name, state, isDead) => {
    expect(parseStat(`9 (${name}) ${state} ${rest}`)).toEqual({
      pid: 9,
      group: 7,
      session: 5,
      startTicks: 12345,
      isDead,
    });
  });

  it('has this process, and no other of a number that is not given', async () => {
    expect(await findProcess(process.pid)).toMatchObject({ pid: process.pid, isDead: false });
    expect(await findProcess(2 ** 30)).toBeNull();
    expect(parseStat('')).toBeNull();
  });
});
