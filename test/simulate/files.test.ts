import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBenchmarkStore } from '../../src/model/benchmark-store.js';
import { readMeasured } from '../../src/simulate/measured.js';
import { readTrace } from '../../src/simulate/trace-file.js';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tsworker-simulate-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function fileOf(text: string): Promise<string> {
  const path = join(await folder(), 'a file');
  await writeFile(path, text);
  return path;
}

const SIZES = { least: 50, most: 50 };

async function requestsOf(text: string, untilMs?: number) {
  const trace = await readTrace(await fileOf(text));
  const arrivals = trace.arrivals(untilMs ?? trace.durationMs, SIZES, 1);
  const all: string[] = [];
  for (; arrivals.atMs < Number.POSITIVE_INFINITY; arrivals.next())
    all.push(`${arrivals.atMs}: ${arrivals.units}`);
  return { durationMs: trace.durationMs, all };
}

describe('a trace in a file', () => {
  it('lists requests, with the work that each is', async () => {
    expect(await requestsOf('at,units\n0,10\n1.5,20\n1.5,30\n')).toEqual({
      durationMs: 2_000,
      all: ['0: 10', '1500: 20', '1500: 30'],
    });
  });

  it('lists requests of the size that is usual, in any case, with what else it knows of them', async () => {
    expect(await requestsOf('\uFEFF"Id", "At"\r\n"a", 1\r\n\r\n"b", 2\r\n')).toEqual({
      durationMs: 3_000,
      all: ['1000: 50', '2000: 50'],
    });
  });

  it('ends sooner where less of it is wanted', async () => {
    expect((await requestsOf('at\n1\n2\n3\n', 2_000)).all).toEqual(['1000: 50']);
  });

  it('tells rates, each until the next', async () => {
    const { durationMs, all } = await requestsOf('at,rate\n100,10\n200,0\n300,10\n400,0');
    const seconds = all.map((each) => Number.parseFloat(each) / 1_000);
    expect(durationMs).toBe(400_000);
    expect(seconds.filter((at) => at < 100 || (at >= 200 && at < 300))).toEqual([]);
    expect(Math.abs(seconds.length - 2_000)).toBeLessThan(4 * Math.sqrt(2_000));
  });

  it('tells rates that change at any time, and hold beyond its end where more of it is wanted', async () => {
    const timesOf = async (text: string, untilMs?: number) =>
      (await requestsOf(text, untilMs)).all.map((each) => Number.parseFloat(each));
    const early = await timesOf('at,rate\n0,1000\n0.5,0\n1,0');
    expect(Math.abs(early.length - 500)).toBeLessThan(4 * Math.sqrt(500));
    expect(early.every((atMs) => atMs < 500)).toBe(true);
    const late = await timesOf('at,rate\n0.25,0\n0.75,1000\n1,0');
    expect(Math.abs(late.length - 250)).toBeLessThan(4 * Math.sqrt(250));
    expect(late.every((atMs) => atMs >= 750)).toBe(true);
    const on = await timesOf('at,rate\n0,0\n0.5,1000', 1_500);
    expect(Math.abs(on.length - 1_000)).toBeLessThan(4 * Math.sqrt(1_000));
    expect(await timesOf('at,rate\n0,1000\n0.5,0', 10_000)).toHaveLength(early.length);
  });

  it('may be long', async () => {
    const rows = Array.from({ length: 5_000 }, (_, nth) => `${nth},${nth + 1}`);
    const { durationMs, all } = await requestsOf(`at,units\n${rows.join('\n')}`);
    expect([durationMs, all.length, all[1_024], all.at(-1)]).toEqual([
      5_000_000,
      5_000,
      '1024000: 1025',
      '4999000: 5000',
    ]);
  });

  it.each([
    ['', 'it is empty; it takes a heading such as "at,rate", and rows.'],
    ['at,rate\n', 'it has a heading and no rows.'],
    ['time,rate\n0,1', 'line 1: the heading is "time,rate"; it takes a column "at", in seconds.'],
    ['at,rate,units\n0,1,1', 'line 1: it has both "rate" and "units": rows are either rates or requests.'],
    ['at,rate\n0,x', 'line 2: "rate" is "x"; it takes a number from 0 to 1e9.'],
    ['at,rate\n0', 'line 2: "rate" is ""; it takes a number from 0 to 1e9.'],
    ['at,rate\n\n-1,1', 'line 3: "at" is "-1"; it takes a number from 0 to 1e9.'],
    ['at\n2\n1', 'line 3: "at" is 1, before the row above it (2).'],
    ['at,units\n0,0', 'line 2: "units" is 0; a request is some work.'],
  ])('%j is told what is wrong with it', async (text, problem) => {
    await expect(readTrace(await fileOf(text))).rejects.toThrow(problem);
  });

  it('has to be there', async () => {
    await expect(readTrace(join(await folder(), 'none.csv'))).rejects.toThrow('it can not be read: ENOENT');
  });
});

async function measuredBy(
  keys: readonly { backend: string; model: string; gpu: string; perf: number }[],
): Promise<string> {
  const path = join(await folder(), 'benchmarks.json');
  const store = createBenchmarkStore(path);
  for (const { perf, ...key } of keys) await store.save({ ...key, settings: {} }, perf);
  return path;
}

describe('what workers have measured', () => {
  const llama = { backend: 'openai', model: 'llama', gpu: 'A', perf: 100 };

  it('is read from the file in which they keep it', async () => {
    const path = await measuredBy([llama, { ...llama, gpu: 'B', perf: 250.5 }]);
    expect(await readMeasured(path, '')).toEqual([
      { backend: 'openai', model: 'llama', gpu: 'A', maxPerf: 100 },
      { backend: 'openai', model: 'llama', gpu: 'B', maxPerf: 250.5 },
    ]);
  });

  it('is of one model, which is named where there are several', async () => {
    const others = [
      { ...llama, model: 'qwen' },
      { ...llama, backend: 'ours', model: '' },
    ];
    const path = await measuredBy([llama, ...others]);
    await expect(readMeasured(path, '')).rejects.toThrow(
      'it has results of several models, which count in units of their own; name one with --model: openai/llama, openai/qwen, ours',
    );
    await expect(readMeasured(path, 'mistral')).rejects.toThrow(
      'it has no result of "mistral"; it has openai/llama, openai/qwen, ours',
    );
    const modelsOf = async (name: string) => (await readMeasured(path, name)).map(({ model }) => model);
    expect([await modelsOf('qwen'), await modelsOf('openai/qwen'), await modelsOf('ours')]).toEqual([
      ['qwen'],
      ['qwen'],
      [''],
    ]);
  });

  it.each([
    ['{"version": 1, "results": {}}', 'it has no result yet'],
    ['{"version": 2}', 'it does not have the form of results that a worker has measured (version: '],
    [
      '{"version": 1, "results": {"a": {"backend": "b", "model": "", "gpu": "", "maxPerf": 0}}}',
      'results.a.maxPerf: ',
    ],
    ['{\n"a":\n  tru,\n}', /^it can not be read: Unexpected token ',', "{ "a": tru, }" is not valid JSON$/],
  ])('%s is told what is wrong with it', async (text, problem) => {
    await expect(readMeasured(await fileOf(text), '')).rejects.toThrow(problem);
  });
});
