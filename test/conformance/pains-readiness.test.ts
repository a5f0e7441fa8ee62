import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveModel } from '../support/model-server.js';
import { next, untilState } from '../support/worker.js';
import { backendFor, ROUTES, rigAround, startModel, startRig } from './rig.js';
import { Scribe } from './scribe.js';

const OFTEN = { TSWORKER_HEALTH_INTERVAL: '20ms', TSWORKER_HEALTH_TIMEOUT: '100ms' };

it('one 503 from the health route, once, is a strike and no failure', async () => {
  let count = 0;
  const { url, requests } = await serveModel((_request, response) => {
    response.writeHead(++count === 3 ? 503 : 200).end('{}');
  });
  const rig = await startRig({ backend: { model: { url, health: '/health' } }, env: OFTEN });
  await next(rig.worker, 'model', ({ type }) => type === 'health.strike');
  while (requests.length < 6) await rig.autoscaler.nextStatus();
  expect(rig.worker.view().state).toBe('serving');
  expect(rig.states.map(({ state }) => state)).not.toContain('failing');
});

it('a model that hangs is reported, and the reason is not empty', async () => {
  let hangs = false;
  const { url } = await serveModel((_request, response) => {
    if (!hangs) response.end('{}');
  });
  const rig = await startRig({
    backend: { model: { url, health: '/health' } },
    env: { ...OFTEN, TSWORKER_HEALTH_STRIKES: '2' },
  });
  hangs = true;
  const { error_msg } = await rig.autoscaler.untilStatus((status) => status.error_msg !== '');
  expect(error_msg).toContain('no answer within 100 ms');
});

it('a model that answers its health route and hangs on every request is reported, with a reason', async () => {
  const rig = await startRig({
    model: { behaviour: { pauseAfterTokens: 0 } },
    env: { ...OFTEN, TSWORKER_STALL_TIMEOUT: '1s' },
  });
  const client = rig.open('/v1/completions', { max_tokens: 1 });
  const { error_msg } = await rig.autoscaler.untilStatus((status) => status.error_msg !== '');
  expect(error_msg).toContain('sent nothing');
  expect(rig.log.about('model.stalled')).not.toEqual([]);
  rig.model.behave({ pauseAfterTokens: undefined });
  expect((await client.response).statusCode).toBe(200);
  await untilState(rig.worker, 'serving');
});

it('health does not share the connections of requests: it is asked while 130 are under way', async () => {
  const rig = await startRig({ model: { behaviour: { pauseAfterTokens: 0 } }, env: OFTEN });
  for (let count = 0; count < 130; count++) rig.open('/v1/completions', { max_tokens: 1 });
  await rig.model.untilRequest(130);
  expect(rig.model.inFlight).toBe(130);
  await rig.model.untilHealthCheck(rig.model.healthChecks.length + 3);
  expect(rig.worker.view().state).toBe('serving');
});

it('a busy engine that misses health checks is not killed while bytes flow', async () => {
  const rig = await startRig({ env: { ...OFTEN, TSWORKER_HEALTH_STRIKES: '2' } });
  rig.model.behave({ tokensPerSecond: 400, healthStatus: 503 });
  const client = rig.open('/v1/completions', { max_tokens: 10_000, stream: true });
  (await client.response).resume();
  await rig.model.untilHealthCheck(rig.model.healthChecks.length + 8);
  expect(rig.worker.view().state).toBe('serving');
  client.leave();
  // Nothing flows any more: now it counts.
  await untilState(rig.worker, 'failing');
});

it('the benchmark does not block the log watcher', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-pains-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'model.log');
  const [autoscaler, model] = [
    await Scribe.start(),
    await startModel({ behaviour: { pauseAfterTokens: 0 } }),
  ];
  const backend = backendFor(model, {
    maxPerf: 0,
    model: { url: model.url, log: path, logs: { loaded: ['up'], info: ['progress'] } },
    routes: { ...ROUTES, '/v1/completions': { benchmark: { dataset: [{ max_tokens: 1 }], runs: 1 } } },
  });
  const env = { TSWORKER_BENCHMARK_FILE: join(folder, 'benchmarks.json') };
  const rig = await rigAround(autoscaler, model, backend, env, true);
  writeFileSync(path, 'up\n');
  await model.untilRequest();
  appendFileSync(path, 'progress: 50 %\n');
  while (rig.log.about('model.log.info').length === 0) await autoscaler.nextStatus();
  expect([rig.worker.view().state, model.inFlight]).toEqual(['loading', 1]);
  model.behave({ pauseAfterTokens: undefined });
  await untilState(rig.worker, 'serving');
});

describe("a log line with a traceback in a user's prompt", () => {
  it('marks nothing failed, neither before nor after the model has loaded', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsworker-pains-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const logFile = join(folder, 'model.log');
    const [autoscaler, model] = [
      await Scribe.start(),
      await startModel({ logFile, behaviour: { chatty: true } }),
    ];
    const backend = backendFor(model, {
      model: {
        url: model.url,
        health: '/health',
        log: logFile,
        logs: { loaded: ['Application startup complete'], failed: [{ prefix: 'Traceback (most recent' }] },
      },
    });
    const rig = await rigAround(autoscaler, model, backend, OFTEN);
    expect(
      (await rig.ask('/v1/completions', { prompt: 'Traceback (most recent call last)', max_tokens: 1 }))
        .status,
    ).toBe(200);
    await model.untilHealthCheck(model.healthChecks.length + 5);
    expect(rig.states.map(({ state }) => state)).toEqual(['loading', 'loaded', 'serving']);
  });

  it('after loading even a line that means failure is told and changes nothing: health decides', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsworker-pains-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'model.log');
    const [autoscaler, model] = [await Scribe.start(), await startModel()];
    const backend = backendFor(model, {
      model: { url: model.url, health: '/health', log: path, logs: { loaded: ['up'], failed: ['FATAL'] } },
    });
    writeFileSync(path, 'up\n');
    const rig = await rigAround(autoscaler, model, backend, OFTEN);
    writeFileSync(path, 'up\nFATAL: of one request\n');
    while (rig.log.about('model.log.failed').length === 0) await autoscaler.nextStatus();
    await model.untilHealthCheck(model.healthChecks.length + 3);
    expect(rig.worker.view().state).toBe('serving');
  });
});

describe('readiness by log line differs by engine, so it may be', () => {
  it.each(['health', 'none'])('%s alone, by setting, though the backend has a log', async (readiness) => {
    const [autoscaler, model] = [await Scribe.start(), await startModel()];
    const backend = backendFor(model, {
      model: { url: model.url, health: '/health', log: '/no/such/model.log', logs: { loaded: ['up'] } },
    });
    const rig = await rigAround(autoscaler, model, backend, { TSWORKER_READINESS: readiness });
    expect(rig.worker.view().state).toBe('serving');
  });
});

it('a load that failed is not final: the health route is asked on, and its 200 leads back to serving', async () => {
  const rig = await startRig({
    loading: true,
    model: { behaviour: { healthStatus: 503 } },
    env: { ...OFTEN, TSWORKER_LOAD_TIMEOUT: '200ms' },
  });
  await untilState(rig.worker, 'failing');
  rig.model.behave({ healthStatus: undefined });
  await untilState(rig.worker, 'serving');
  expect((await rig.autoscaler.nextStatus()).error_msg).toBe('');
});

describe('a model that loads for ever', () => {
  it('fails at the deadline for loading, with the reason', async () => {
    const rig = await startRig({
      loading: true,
      model: { loadTimeMs: 3_600_000 },
      env: { TSWORKER_LOAD_TIMEOUT: '200ms' },
    });
    const { error_msg } = await rig.autoscaler.untilStatus((status) => status.error_msg !== '');
    expect(error_msg).not.toBe('');
    expect(rig.worker.view().state).toBe('failing');
  });

  it('fails when its log stands still, with the reason', async () => {
    const rig = await startRig({
      loading: true,
      env: {
        MODEL_LOG: '/no/such/model.log',
        TSWORKER_READINESS: 'log',
        TSWORKER_LOAD_STALL_TIMEOUT: '200ms',
      },
    });
    const { error_msg } = await rig.autoscaler.untilStatus((status) => status.error_msg !== '');
    expect(error_msg).not.toBe('');
  });
});
