import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { type Benchmark, defineBackend, type Route } from '../../src/backend/index.js';
import { Benchmarking } from '../../src/model/benchmarking.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import { configOf } from '../support/worker.js';

type Answer = (body: unknown) => Promise<void>;

/** A benchmark of a route that is handled here; `answer` stands for the model. Without one it answers at once. */
function benchmarking(
  benchmark: Benchmark<unknown>,
  answer: Answer = async () => {},
  workload: Route<undefined, unknown>['workload'] = 19_519.6,
  folder = mkdtempSync(join(tmpdir(), 'tsworker-benchmarking-')),
) {
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [log, file] = [new RecordingLog(), join(folder, 'benchmarks.json')];
  let nowMs = 0;
  const whole = new Benchmarking({
    backend: defineBackend({
      name: 'x',
      routes: { '/run': { workload, handle: () => 'ok', benchmark } },
    }),
    config: configOf(),
    log,
    now: () => {
      nowMs += 1_000;
      return nowMs - 1_000;
    },
    benchmarkFile: file,
    answerHere: (_, body) => answer(body),
  });
  onTestFinished(() => whole.close());
  const machine = whole.machine().provide({
    actions: {
      'say that the result is used again': () => {},
      'say that it has begun': () => {},
      'say that it is tried again': () => {},
      'say that it is saved': () => {},
      'say that it is not saved': () => {},
    },
  });
  const run = () => toPromise(createActor(machine, { input: { ...whole.input(), probeRetryMs: 1 } }).start());
  return { whole, log, file, folder, run };
}

const ONE_ROUND = { dataset: ['a'], runs: 1, concurrency: 1 };

describe('the rounds in the log', () => {
  it('say how fast in plain figures, and how many requests failed', async () => {
    let requests = 0;
    const { run, log } = benchmarking({ ...ONE_ROUND, runs: 2, concurrency: 2, warmup: 0 }, async () => {
      if (++requests > 3) throw new Error('it is tired');
    });
    expect(await run()).toEqual({ ok: true, maxPerf: 39_039.2, measured: true });
    expect(log.about('benchmark.round')).toEqual([
      {
        level: 'info',
        message: 'benchmark round 1 of 2: 39040 units/s',
        fields: { event: 'benchmark.round', round: 1, perf: 39_039.2, failed: 0 },
      },
      {
        level: 'info',
        message: 'benchmark round 2 of 2: 19520 units/s (1 of 2 requests failed)',
        fields: { event: 'benchmark.round', round: 2, perf: 19_519.6, failed: 1 },
      },
    ]);
  });
});

describe('a load that is begun anew', () => {
  it('measures again after one that failed, and uses the result of one that did not', async () => {
    let [requests, answers] = [0, false];
    const { run } = benchmarking({ ...ONE_ROUND, timeout: 500 }, async () => {
      requests++;
      if (!answers) throw new Error('not yet');
    });
    expect(await run()).toEqual({
      ok: false,
      reason: expect.stringMatching(
        /^no request of the benchmark succeeded: not yet \(measured .+ in 0\.5 s\)$/,
      ),
    });
    [requests, answers] = [0, true];
    expect(await run()).toEqual({ ok: true, maxPerf: 19_519.6, measured: true });
    expect(await run()).toEqual({ ok: true, maxPerf: 19_519.6, measured: false });
    expect(requests).toBe(2);
  });
});

describe('what a result depends on', () => {
  /** Stands in the place of nvidia-smi, and notes each time that it is asked. */
  function gpuOf(folder: string) {
    const [program, asked] = [join(folder, 'nvidia-smi'), join(folder, 'asked')];
    writeFileSync(program, `#!/bin/sh\necho asked >> '${asked}'\necho 'NVIDIA A100'\n`);
    chmodSync(program, 0o755);
    vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    return () => (existsSync(asked) ? readFileSync(asked, 'utf8').split('\n').length - 1 : 0);
  }

  it('the GPU is asked for once a run, and stands in the file', async () => {
    const { run, folder, file } = benchmarking(ONE_ROUND);
    const timesAsked = gpuOf(folder);
    await run();
    expect([timesAsked(), readFileSync(file, 'utf8')]).toEqual([
      1,
      expect.stringContaining('"gpu": "NVIDIA A100"'),
    ]);
    expect(await run()).toMatchObject({ measured: false });
    expect(timesAsked()).toBe(2);
  });

  it.each([
    ['another number', 200],
    ['another function', (body: unknown) => String(body).length],
  ])('the units in which work is counted: %s', async (_, workload) => {
    const { run, folder } = benchmarking(ONE_ROUND, undefined, 100);
    expect(await run()).toEqual({ ok: true, maxPerf: 100, measured: true });
    const again = benchmarking(ONE_ROUND, undefined, workload, folder);
    expect(await again.run()).toMatchObject({ ok: true, measured: true });
    expect(await again.run()).toMatchObject({ ok: true, measured: false });
    expect(await run()).toEqual({ ok: true, maxPerf: 100, measured: false });
  });

  it('a file that can not be read is told once, and written anew', async () => {
    const { run, log, file } = benchmarking(ONE_ROUND);
    writeFileSync(file, '{');
    expect(await run()).toMatchObject({ ok: true, measured: true });
    expect(await run()).toMatchObject({ ok: true, measured: false });
    expect(log.about('benchmark.unreadable')).toEqual([
      {
        level: 'warn',
        message: expect.stringContaining(`the saved benchmarks are not used: ${file} can't be used: `),
        fields: { event: 'benchmark.unreadable', problem: expect.stringContaining(file) },
      },
    ]);
  });
});

it('is wanted where a route has one', () => {
  expect(benchmarking({ ...ONE_ROUND, timeout: '7s' }).whole).toMatchObject({ wanted: true });
  expect(benchmarking({ ...ONE_ROUND, timeout: '7s' }).whole.input()).toEqual({
    timeoutMs: 7_000,
    probeRetryMs: 2_000,
    at: '',
  });
});
