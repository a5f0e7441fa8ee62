import { describe, expect, it, onTestFinished } from 'vitest';
import { configure, defineBackend, type ModelServer } from '../../src/backend/index.js';
import { Model } from '../../src/model/model.js';
import { shownUrl } from '../../src/model/probe.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import { serveModel } from '../support/model-server.js';
import { configOf, deferred } from '../support/worker.js';

function modelOf(
  definition: object,
  readiness?: 'log' | 'health' | 'both' | 'none',
  env: Readonly<Record<string, string>> = {},
): Model {
  const define = defineBackend as (given: unknown) => ReturnType<typeof defineBackend>;
  const model = new Model({
    backend: configure(define({ name: 'x', maxPerf: 5, ...definition }), { readiness }),
    config: configOf({
      TSWORKER_LOAD_TIMEOUT: '1m',
      TSWORKER_LOAD_STALL_TIMEOUT: '2m',
      TSWORKER_HEALTH_INTERVAL: '3s',
      TSWORKER_HEALTH_STRIKES: '4',
      ...env,
    }),
    log: new RecordingLog(),
    now: () => 0,
    init: async () => {},
    answerHere: async () => {},
    tell: () => {},
    env: {},
    redact: (text) => text,
    isDown: () => false,
    onLine: () => {},
    onRefused: () => {},
  });
  onTestFinished(() => model.close());
  return model;
}

const routes = { '/run': {} };
const LOG = { log: '/log' };
const HEALTH = { health: '/health' };
const HEALTH_INPUT = { intervalMs: 3_000, strikes: 4, stallTimeoutMs: 1_800_000 };

describe('what has to happen before the worker is ready', () => {
  it.each<
    [
      server: Omit<ModelServer, 'url'>,
      set: 'log' | 'health' | 'both' | 'none' | undefined,
      log: boolean,
      health: boolean,
    ]
  >([
    [{}, undefined, false, false],
    [{}, 'both', false, false],
    [LOG, undefined, true, false],
    [LOG, 'none', false, false],
    [HEALTH, undefined, false, true],
    [HEALTH, 'none', false, false],
    [{ ...LOG, ...HEALTH }, undefined, true, true],
    [{ command: 'serve' }, undefined, false, false],
    [{ command: 'serve' }, 'log', true, false],
    [{ command: 'serve', logs: { loaded: ['ready'] } }, undefined, true, false],
    [{ ...LOG, ...HEALTH }, 'health', false, true],
    [{ ...LOG, ...HEALTH }, 'none', false, false],
  ])('%j, set to %s', (server, set, log, health) => {
    const model = modelOf({ model: { url: 'http://127.0.0.1:9', ...server }, routes }, set);
    expect(model.readinessInput(true)).toEqual({
      waitsFor: { log, health, benchmark: false, key: true },
      loadTimeoutMs: 60_000,
      stallTimeoutMs: 120_000,
      healthUrl: 'health' in server ? 'http://127.0.0.1:9/health' : '',
      benchmark: { timeoutMs: 1, probeRetryMs: 2_000, at: 'http://127.0.0.1:9' },
      maxPerf: 5,
    });
    expect(model.healthInput()).toEqual(HEALTH_INPUT);
  });

  it('is the benchmark too, where a route has one', () => {
    const measured = { '/run': { benchmark: { dataset: ['a'], timeout: '7s' } } };
    const { waitsFor, benchmark } = modelOf({
      model: { url: 'http://127.0.0.1:9' },
      routes: measured,
    }).readinessInput(false);
    expect([waitsFor.benchmark, waitsFor.key, benchmark.timeoutMs]).toEqual([true, false, 7_000]);
  });

  it('is nothing without a model server, which has no way to it either', () => {
    const model = modelOf({ routes: { '/run': { handle: () => 'ok' } } });
    expect(model.readinessInput(false).waitsFor).toEqual({
      log: false,
      health: false,
      benchmark: false,
      key: false,
    });
    expect([model.upstream, model.healthInput()]).toEqual([null, null]);
  });

  it('is told to the lifecycle with whether the worker runs the model server', () => {
    const facts = (server: object) =>
      modelOf({ model: { url: 'http://127.0.0.1:9', ...server }, routes }).lifecycleFacts(false);
    const [unsupervised, supervised] = [facts({}), facts({ command: 'serve' })];
    expect([unsupervised.isSupervised, supervised.isSupervised]).toEqual([false, true]);
    expect(supervised).toEqual({ ...unsupervised, isSupervised: true });
  });
});

describe('the address of the health route', () => {
  it.each([
    ['http://127.0.0.1:9', 'http://127.0.0.1:9/health'],
    ['http://127.0.0.1:9/v1/', 'http://127.0.0.1:9/v1/health'],
  ])('of %s is shown as %s', (url, shown) => {
    const model = modelOf({ model: { url, health: '/health' }, routes });
    expect(model.readinessInput(false).healthUrl).toBe(shown);
  });

  it('is shown without its user and its query', () => {
    expect(shownUrl('http://me:secret@[::1]:9/health?key=secret#top')).toBe('http://[::1]:9/health');
  });
});

describe('how long the model server may be silent', () => {
  it.each([
    ['7s', 7_000],
    ['none', Number.POSITIVE_INFINITY],
    ['', 600_000],
  ])('set to %j', (setting, ms) => {
    const patient = { '/run': { timeouts: { firstByte: '1m', betweenBytes: '1m' } } };
    const definition = { model: { url: 'http://127.0.0.1:9' }, routes: patient };
    const model = modelOf(definition, undefined, { TSWORKER_STALL_TIMEOUT: setting });
    expect(model.healthInput()?.stallTimeoutMs).toBe(ms);
  });
});

describe('as many connections as requests may be worked on at once, and two more', () => {
  it.each<[routes: object, most: number]>([
    [{ '/a': {}, '/b': {} }, 3],
    [{ '/a': { parallel: 2 }, '/b': { parallel: 3 } }, 7],
    [{ '/a': { parallel: 2 }, '/b': {}, '/c': { handle: () => 'ok', parallel: 9 } }, 5],
    [{ '/a': { parallel: true } }, 12],
  ])('%o', async (given, most) => {
    const [asked, go] = [deferred(), deferred()];
    const server = await serveModel((_request, response) => {
      if (server.requests.length === most) asked.resolve();
      void go.promise.then(() => response.end());
    });
    const { upstream } = modelOf({ model: { url: server.url }, routes: given });
    const never = Number.POSITIVE_INFINITY;
    const sent = Array.from({ length: 12 }, () =>
      upstream?.request({
        method: 'GET',
        path: '/',
        headers: {},
        body: null,
        signal: new AbortController().signal,
        timeouts: { firstByteMs: never, betweenBytesMs: never, totalMs: never },
      }),
    );
    await asked.promise;
    go.resolve();
    for (const answer of await Promise.all(sent)) await answer?.text();
    expect([server.most, server.requests.length]).toEqual([most, 12]);
  });
});
