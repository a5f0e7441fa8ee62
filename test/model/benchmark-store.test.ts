import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BenchmarkKey, createBenchmarkStore } from '../../src/model/benchmark-store.js';

const KEY: BenchmarkKey = {
  backend: 'openai',
  model: 'llama',
  settings: { runs: 8, concurrency: 10, body: { prompt: 'x', max_tokens: 5 } },
  gpu: 'NVIDIA A100',
};

function open() {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'benchmarks.json');
  const problems: string[] = [];
  return { folder, path, problems, store: createBenchmarkStore(path, (problem) => problems.push(problem)) };
}

describe('the results of benchmarks', () => {
  it('are found again by the next worker, and written so that people can read them', async () => {
    const { folder, path, store, problems } = open();
    expect(await store.lookUp(KEY)).toBeNull();
    await store.save(KEY, 1234.5);
    expect(await createBenchmarkStore(path).lookUp({ ...KEY })).toBe(1234.5);
    const { version, results } = JSON.parse(readFileSync(path, 'utf8'));
    expect([version, Object.values(results)]).toEqual([1, [{ ...KEY, maxPerf: 1234.5 }]]);
    expect([readdirSync(folder), problems]).toEqual([['benchmarks.json'], []]);
  });

  it.each<[string, Partial<BenchmarkKey>]>([
    ['backend', { backend: 'tgi' }],
    ['model', { model: 'qwen' }],
    ['settings', { settings: { runs: 8, concurrency: 11, body: { prompt: 'x', max_tokens: 5 } } }],
    ['GPU', { gpu: 'NVIDIA H100' }],
  ])('are keyed by the %s', async (_, other) => {
    const { store } = open();
    await store.save(KEY, 1);
    expect(await store.lookUp({ ...KEY, ...other })).toBeNull();
    await store.save({ ...KEY, ...other }, 2);
    expect([await store.lookUp(KEY), await store.lookUp({ ...KEY, ...other })]).toEqual([1, 2]);
  });

  it('are the same whatever order the settings are written in', async () => {
    const { store } = open();
    await store.save(KEY, 1);
    const settings = { body: { max_tokens: 5, prompt: 'x' }, concurrency: 10, runs: 8 };
    expect(await store.lookUp({ ...KEY, settings })).toBe(1);
    expect(await store.lookUp({ ...KEY, settings: [settings] })).toBeNull();
  });

  it.each<[string, string]>([
    ['empty', ''],
    ['cut off', '{"version": 1, "results": {'],
    ['of another form', '[1, 2]'],
    ['of another version', '{"version": 2, "results": {}}'],
  ])('in a file that is %s are measured again, and the file begun anew', async (_, text) => {
    const { path, store, problems } = open();
    writeFileSync(path, text);
    expect(await store.lookUp(KEY)).toBeNull();
    await store.save(KEY, 3);
    expect(await store.lookUp(KEY)).toBe(3);
    expect(problems).toEqual([expect.stringContaining(`${path} can't be used: `)]);
  });

  it('that can not be read are told, and are no failure', async () => {
    const { path, store, problems } = open();
    mkdirSync(path);
    expect(await store.lookUp(KEY)).toBeNull();
    expect(problems).toEqual([expect.stringContaining('EISDIR')]);
  });

  it.each(['0', '-1', 'null', '"12"', '1e999', '{}'])(
    'are no result where the number is %s, and the others stay',
    async (number) => {
      const { path, store, problems } = open();
      await store.save(KEY, 1);
      await store.save({ ...KEY, gpu: 'none' }, 222);
      writeFileSync(path, readFileSync(path, 'utf8').replace('222', number));
      expect([await store.lookUp({ ...KEY, gpu: 'none' }), await store.lookUp(KEY)]).toEqual([null, 1]);
      expect(problems).toEqual([`${path} has a result that is no positive number`]);
    },
  );

  it('that can not be written are told; what was there stays, and no other file', async () => {
    const { folder, path, store } = open();
    mkdirSync(path);
    writeFileSync(join(path, 'kept'), '');
    await expect(store.save(KEY, 1)).rejects.toThrow();
    expect([readdirSync(folder), readdirSync(path)]).toEqual([['benchmarks.json'], ['kept']]);
  });

  it('make the folder that they are kept in', async () => {
    const { folder } = open();
    const store = createBenchmarkStore(join(folder, 'a', 'b', 'benchmarks.json'));
    await store.save(KEY, 1);
    expect(await store.lookUp(KEY)).toBe(1);
  });

  it('are never written into the file that is there, but into one that takes its place', async () => {
    const { folder, path, store } = open();
    await store.save(KEY, 1);
    linkSync(path, join(folder, 'old'));
    await store.save(KEY, 2);
    expect(await createBenchmarkStore(join(folder, 'old')).lookUp(KEY)).toBe(1);
    expect(await store.lookUp(KEY)).toBe(2);
  });

  it('are never seen half written', async () => {
    const { path, store } = open();
    await store.save(KEY, 1);
    const reader = createBenchmarkStore(path, (problem) => {
      throw new Error(problem);
    });
    const key = { ...KEY, settings: 'x'.repeat(1_000_000) };
    const writing = Array.from({ length: 5 }, (_, index) => store.save(key, index + 1));
    const reading = Array.from({ length: 20 }, () => reader.lookUp(KEY));
    await Promise.all(writing);
    expect(new Set(await Promise.all(reading))).toEqual(new Set([1]));
  });
});
