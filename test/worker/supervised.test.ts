import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { ModelServer } from '../../src/backend/index.js';
import { ROUTES, startRig } from '../conformance/rig.js';
import { post } from '../support/client.js';
import { modelToRun } from '../support/supervisor/model.js';
import { folder, lives, readLog, runFiles } from '../support/supervisor/supervised.js';
import {
  type Env,
  makeWorker,
  next,
  quietBackend,
  type RunningWorker,
  serve,
  startWorker,
  untilState,
} from '../support/worker.js';

const CUDA = 'CUDA error: an illegal memory access was encountered';
const QUICK = { TSWORKER_MODEL_MAX_BACKOFF: '1ms', TSWORKER_HEALTH_INTERVAL: '50ms' };

/** A model server to run, and a backend for it with a benchmark whose result is kept. */
async function modelAndBackend(server: Partial<ModelServer> = {}) {
  const scratch = folder();
  const log = join(scratch, 'model.log');
  const model = await modelToRun(log);
  const { url, command } = model;
  const backend = quietBackend({
    model: { url, command, log, health: '/health', readiness: 'health', ...server },
    routes: {
      '/run': { parallel: true, benchmark: { dataset: [{}], runs: 1, concurrency: 1, warmup: 0 } },
    },
  });
  const stateDir = join(scratch, 'state');
  const env: Env = {
    ...QUICK,
    TSWORKER_STATE_DIR: stateDir,
    TSWORKER_BENCHMARK_FILE: join(scratch, 'benchmarks.json'),
  };
  return { model, backend, env, stateDir };
}

/** In failing it may be told twice, when the health route was found closed before the end of the process was known. */
const entered = ({ states }: Pick<RunningWorker, 'states'>) =>
  states
    .map(({ state }) => state)
    .filter((state, index, all) => state !== 'failing' || all[index - 1] !== state);

describe('a model server that the worker runs', () => {
  it('is started, heard, written down and served', async () => {
    const { model, backend, env, stateDir } = await modelAndBackend();
    const running = await serve(backend, env);
    expect(model.lines().slice(1)).toEqual(['the model is ready', 'answered']);
    expect((await post(running.port, '/run', {})).body).toEqual({ text: 'done' });
    expect(running.log.about('model.started').map(({ message }) => message)).toEqual([
      'the model server is started',
    ]);
    expect(runFiles(stateDir)).toEqual([expect.stringMatching(/^model-7-.+\.json$/)]);
  });

  it('is known to have loaded by what it says, where it has no health route', async () => {
    const { backend, env } = await modelAndBackend({
      logs: { loaded: ['the model is ready'], failed: [] },
      readiness: 'log',
    });
    const { log } = await serve(backend, env);
    expect(log.about('model.log.loaded').map(({ message }) => message)).toEqual([
      'the model server said: the model is ready',
    ]);
  });

  it('that dies: failing with the reason, and over loading to serving again, with the benchmark of before', async () => {
    const { model, backend, env } = await modelAndBackend();
    const running = await serve(backend, env);
    const { worker, log, port } = running;
    // Its health route may be found closed a moment before.
    const died = next(worker, 'lifecycle', ({ reason }) => /has died/.test(reason));
    await model.tell('die');
    await died;
    const { reason, errorMessage, maxPerf } = worker.view();
    expect(reason).toBe('the model server has died (1 of 5): exit code 3');
    expect(errorMessage.split('\n')).toEqual([
      reason,
      'its last lines:',
      expect.stringMatching(/^pid \d+$/),
      'the model is ready',
      'answered',
      CUDA,
    ]);
    const refusal = await post(port, '/run', {});
    expect([refusal.status, JSON.stringify(refusal.body)]).toEqual([
      503,
      expect.not.stringContaining('CUDA'),
    ]);
    await untilState(worker, 'serving');
    expect(entered(running)).toEqual([
      'loading',
      'loaded',
      'serving',
      'failing',
      'loading',
      'loaded',
      'serving',
    ]);
    expect(log.about('benchmark.reused')).toHaveLength(1);
    expect(worker.view().maxPerf).toBe(maxPerf);
    expect((await post(port, '/run', {})).status).toBe(200);
    expect(log.about('state.entered').filter(({ message }) => message.includes('\n'))).toEqual([]);
  });

  it('that dies is recorded without a line of its own: some write down what they were asked', async () => {
    const { model, backend, env } = await modelAndBackend();
    const recording = join(folder(), 'run.jsonl');
    const { worker } = await serve(backend, { ...env, TSWORKER_RECORD: recording });
    const died = next(worker, 'lifecycle', ({ reason }) => /has died/.test(reason));
    await model.tell('die');
    await died;
    await untilState(worker, 'serving');
    await worker.stop('the end of the test');
    const recorded = readFileSync(recording, 'utf8');
    expect(recorded.match(/the model server has died[^"]*/g)?.at(0)).toBe(
      'the model server has died (1 of 5): exit code 3',
    );
    expect(recorded).not.toMatch(/its last lines|CUDA|answered/);
  });

  it('in a crash loop is given up with the reason, and the worker stays', async () => {
    const command = 'echo loading; echo no such model; exit 1';
    const { backend, env } = await modelAndBackend({ command });
    const running = await startWorker(backend, { ...env, TSWORKER_MODEL_MAX_CRASHES: '2' });
    await next(running.worker, 'model', ({ type }) => type === 'model.gaveUp');
    expect(running.worker.view()).toMatchObject({
      state: 'failing',
      reason: 'the model server is not started again, since it has died 2 times in a row: exit code 1',
      errorMessage: expect.stringContaining('\nloading\nno such model'),
    });
    expect((await post(running.port, '/run', {})).status).toBe(503);
  });

  it('that hangs is ended and started again', async () => {
    const { model, backend, env } = await modelAndBackend();
    const running = await serve(backend, env);
    const again = next(running.worker, 'model', ({ type }) => type === 'model.started');
    await model.tell('hang');
    expect(await again).toEqual({ type: 'model.started', restarts: 1 });
    await untilState(running.worker, 'serving');
    const [died] = running.log.about('model.died');
    expect(died?.fields.reason).toBe(
      'it was ended because it hung: the model server is not well: it answered with status 503',
    );
    const [first = 0, second = 0] = model.pids();
    expect([await lives(first), await lives(second)]).toEqual([false, true]);
  });

  it('is ended when the last request is answered, and not before', async () => {
    const { model, backend, env, stateDir } = await modelAndBackend();
    const running = await serve(backend, { ...env, TSWORKER_DRAIN_TIMEOUT: '20s' });
    await model.tell('hold');
    const answer = post(running.port, '/run', {});
    await vi.waitFor(() => expect(model.lines()).toContain('held'));
    const stopped = running.worker.stop('SIGTERM was received');
    await untilState(running.worker, 'draining');
    await model.tell('release');
    expect((await answer).body).toEqual({ text: 'done' });
    expect(await stopped).toBe('clean');
    expect(model.lines().slice(-3)).toEqual(['held', 'answered', 'asked to end']);
    expect(await lives(model.pids()[0] ?? 0)).toBe(false);
    expect(runFiles(stateDir)).toEqual([]);
    expect(running.log.about('model.ending')).toHaveLength(1);
  });

  it('is ended when it was told of the sessions that were cut, and not before', async () => {
    const { model, env } = await modelAndBackend();
    const { url, command } = model;
    const log = join(folder(), 'model.log');
    const rig = await startRig({
      backend: { model: { url, command, log, health: '/health', readiness: 'health' }, routes: ROUTES },
      env: { ...env, TSWORKER_DRAIN_TIMEOUT: '200ms' },
    });
    await rig.hold({ lifetime: 60, on_close_route: '/slow' }, { request_idx: 1 });
    await rig.worker.stop('it is time');
    expect(readLog(log).slice(-2)).toEqual(['answered slowly', 'asked to end']);
  });

  it('that does not heed the request to end is killed after the grace', async () => {
    const { model, env } = await modelAndBackend();
    const stubborn = quietBackend({
      model: { url: model.url, command: `trap '' TERM; echo stays; while :; do sleep 0.1; done` },
      maxPerf: 1,
      routes: { '/run': {} },
    });
    const { worker, log } = await startWorker(stubborn, { ...env, TSWORKER_MODEL_GRACE: '50ms' });
    await vi.waitFor(() => expect(log.about('model.started')).toHaveLength(1));
    await worker.stop('the test says so');
    expect(log.about('model.killed')).toHaveLength(1);
  });

  it('that was given up is not waited for when the worker stops', async () => {
    const model = { url: 'http://127.0.0.1:1', command: 'exit 127' };
    const { worker, log } = await startWorker(quietBackend({ model, maxPerf: 1, routes: { '/run': {} } }), {
      ...QUICK,
      TSWORKER_STATE_DIR: folder(),
    });
    await vi.waitFor(() => expect(log.about('model.gaveUp')).toHaveLength(1));
    await worker.stop('the test says so');
    expect(log.about('model.ending')).toEqual([]);
  });

  it('of another worker is left alone by one whose port is taken', async () => {
    const { model, backend, env } = await modelAndBackend();
    const first = await serve(backend, env);
    const second = makeWorker(backend, { ...env, WORKER_PORT: String(first.port) });
    await expect(second.worker.start()).rejects.toThrow('EADDRINUSE');
    await second.worker.stop('it could not start');
    expect([second.log.about('model.started'), second.log.about('model.ending')]).toEqual([[], []]);
    expect([model.pids().length, await lives(model.pids()[0] ?? 0)]).toEqual([1, true]);
    expect((await post(first.port, '/run', {})).status).toBe(200);
  });

  it('is not started where the worker never begins', async () => {
    const { model, backend, env, stateDir } = await modelAndBackend();
    const { worker } = makeWorker(backend, env);
    expect(await worker.stop('it is not wanted')).toBe('clean');
    expect([model.lines(), runFiles(stateDir)]).toEqual([[], []]);
  });
});
