import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../../src/simulate/outcome.js';
import { KNOBS } from '../../src/simulate/setup.js';
import { run as runCommand } from '../support/run-cli.js';

/** Runs `tsworker simulate`. */
const run = (...args: readonly string[]) => runCommand(['simulate', ...args]);

async function fileOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tsworker-simulate-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'file');
  await writeFile(path, text);
  return path;
}

const TRACE = `at,units\n${Array.from({ length: 60 }, (_, nth) => `${nth * 10},100`).join('\n')}\n`;

describe('tsworker simulate', () => {
  it('shows two settings side by side', async () => {
    const trace = await fileOf(TRACE);
    const policy = 'min-workers=1,max-workers=1,cold-mult=0,inactivity-timeout=never,load-time=1m';
    const { code, stdout, stderr } = await run(
      '--trace',
      trace,
      '--policy',
      policy,
      '--compare',
      'load-time=2m',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.replace(trace, 'trace.csv')).toMatchInlineSnapshot(`
      "trace.csv, for 9 min 51 s (seed 1)
      workers do 100 units/s

                                   as given  load-time=2m

      requests
        arrived                          60            60
        served                           60            60
        refused                           0             0
        under way at the end              0             0
        waiting at the end                0             0

      queue time
        p50                            0 ms          0 ms
        p90                          36.3 s    1 min 36 s
        p99                      1 min 30 s    2 min 30 s
        max                      1 min 30 s    2 min 30 s
        mean                         8.25 s        22.1 s

      cost, in hours of workers
        active                        0.164         0.164
          creating                  0.00833       0.00833
          loading                    0.0167        0.0333
          ready                       0.139         0.122
          stopping                        0             0
        inactive                          0             0
          updating                        0             0
          failed                          0             0
        at work, of ready ones         12 %        13.6 %

      workers
        the most at one time              1             1
        created                           1             1
        activated                         0             0
        deactivated                       0             0
        destroyed                         0             0
      "
    `);
  });

  it('prints the same as JSON, again and again', async () => {
    const args = ['--trace', 'bursty', '--duration', '10m', '--rate', '2', '--seed', '3', '--json'];
    const [one, other, third] = [await run(...args), await run(...args), await run(...args, '--seed', '4')];
    expect(one).toEqual(other);
    expect(third.stdout).not.toBe(one.stdout);
    const outcome = JSON.parse(one.stdout) as Outcome;
    expect(outcome).toMatchObject({
      load: 'bursty: 2 requests/s on average, 100 units each',
      workers: 'workers do 100 units/s',
      durationSeconds: 600,
      seed: 3,
    });
    const [only] = outcome.runs;
    expect(outcome.runs).toHaveLength(1);
    expect(only?.stretches).toHaveLength(240);
    expect(only?.settings).toEqual(
      Object.fromEntries(Object.entries(KNOBS).map(([name, { fallback }]) => [name, fallback])),
    );
  });

  it('takes workers as fast as they have measured themselves', async () => {
    const results = {
      a: { backend: 'openai', model: 'llama', gpu: 'RTX 4090', maxPerf: 812.4 },
      b: { backend: 'openai', model: 'llama', gpu: '', maxPerf: 97 },
      c: { backend: 'openai', model: 'llama', gpu: 'none', maxPerf: 5 },
    };
    const file = await fileOf(JSON.stringify({ version: 1, results }));
    const { code, stdout } = await run('--duration', '5m', '--workers-from', file);
    expect(code).toBe(0);
    expect(stdout.split('\n')[1]).toBe(
      `workers do 812 (RTX 4090) or 97 or 5 units/s, as measured in ${file}`,
    );
  });

  it('writes a page, and says before the run when it can not', async () => {
    const page = await fileOf('');
    const { code, stdout } = await run('--duration', '5m', '--report', page);
    expect({ code, told: stdout.includes('queue time') }).toEqual({ code: 0, told: true });
    expect(await readFile(page, 'utf8')).toMatch(/^<!doctype html>[\s\S]+<\/html>\n$/);
    const nowhere = join(page, 'out.html');
    const failed = await run('--duration', '5m', '--report', nowhere);
    expect({ ...failed, stderr: failed.stderr.includes('the report can not be written: ENOTDIR') }).toEqual({
      code: 1,
      stdout: '',
      stderr: true,
    });
  });

  it('tells the settings in its help', async () => {
    const { stdout } = await run('--help');
    for (const name of Object.keys(KNOBS)) expect(stdout).toContain(`  ${name} `);
  });

  it.each<[args: string[], error: string]>([
    [
      ['--trace', 'daily'],
      '--trace is "daily"; it takes constant, diurnal, bursty, or the path of a file such as trace.csv.',
    ],
    [['--rate', '0'], '--rate is "0"; it takes a number over 0.'],
    [
      ['--rate', '1000000000'],
      '--rate is "1000000000"; about 86 400 000 000 000 requests would come, and a simulation takes 1 000 000 000 at most, in about a quarter of an hour; take a lower rate with a larger --cost for the same work, or a shorter --duration.',
    ],
    [
      ['--rate', '280000', '--duration', '1h'],
      '--rate is "280000"; about 1 008 000 000 requests would come, and a simulation takes 1 000 000 000 at most, in about a quarter of an hour; take a lower rate with a larger --cost for the same work, or a shorter --duration.',
    ],
    [
      ['--duration', '1d'],
      '--duration is "1d"; it takes a duration such as 500ms, 10s or 2m, up to 24 days.',
    ],
    [
      ['--cost', '5..1'],
      '--cost is "5..1"; it takes units of work such as 100, or the least and the most such as 50..400.',
    ],
    [
      ['--cost', ''],
      '--cost is ""; it takes units of work such as 100, or the least and the most such as 50..400.',
    ],
    [['--seed', 'x'], '--seed is "x"; it takes a whole number.'],
    [['--perf', '0'], '--perf is "0"; it takes a number over 0.'],
    [['--model', 'llama'], '--model is for --workers-from: it names a model of that file.'],
    [
      ['--perf', '1', '--workers-from', 'x'],
      '--perf and --workers-from exclude each other: both say how fast workers are.',
    ],
    [['--policy', 'target-util=2'], '--policy: "target-util" is "2"; it takes a number over 0 and up to 1.'],
    [['--compare', ' '], '--compare is empty; it takes settings such as target-util=0.7.'],
    [
      ['--compare', 'min-workers=20'],
      '--compare: "min-workers" is 20, more than "max-workers", which is 16.',
    ],
  ])('%j is told what is wrong with it', async (args, error) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr: `error: ${error}\n` });
  });

  it('tells what is wrong with a file, with exit code 1', async () => {
    const trace = await fileOf('at,rate\n0,much\n');
    expect(await run('--trace', trace)).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: ${trace}: line 2: "rate" is "much"; it takes a number from 0 to 1e9.\n`,
    });
    const rushed = await fileOf('at,rate\n0,0\n10,1e9\n11.5,0\n20,0\n');
    expect((await run('--trace', rushed)).stderr).toBe(
      `error: ${rushed}: about 1 500 000 000 requests would come, and a simulation takes 1 000 000 000 at most, in about a quarter of an hour; take a lower rate with a larger --cost for the same work, or a shorter --duration.\n`,
    );
    const still = await fileOf('at,rate\n0,5\n');
    expect((await run('--trace', still)).stderr).toBe(
      `error: ${still}: it ends when it begins; its last row says when it ends.\n`,
    );
    expect((await run('--trace', trace, '--rate', '2')).stderr).toBe(
      'error: --rate is for constant, diurnal, bursty: a file says itself how much comes.\n',
    );
    const results = await fileOf('{"version": 1, "results": {}}');
    expect(await run('--workers-from', results)).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: ${results}: it has no result yet.\n`,
    });
  });
});
