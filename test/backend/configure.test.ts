import { describe, expect, it } from 'vitest';
import { type BackendSettings, configure, defineBackend } from '../../src/backend/index.js';

const handle = () => 'ok';
const backend = defineBackend({
  name: 'x',
  maxPerf: 5,
  maxSessions: 3,
  model: { url: 'http://127.0.0.1:8000', log: '/log', logs: { loaded: ['ready'] } },
  routes: {
    '/model': { benchmark: { dataset: ['a'], runs: 4 }, maxQueueTime: '10s', timeouts: { firstByte: 5 } },
    '/here': { handle, parallel: 1, maxQueueTime: '20s' },
  },
});
const here = defineBackend({ name: 'y', dialect: 'none', routes: { '/here': { handle } } });

/** What may be changed of a backend. */
function shown(settings: BackendSettings, of = backend) {
  const { dialect, model, maxPerf, maxSessions, routes } = configure(of, settings);
  const waits = [...routes.values()].map(({ maxQueueMs }) => maxQueueMs);
  const limits = [...routes.values()].map(({ timeouts }) => Object.values(timeouts));
  return { dialect, model, maxPerf, maxSessions, waits, limits, runs: routes.get('/model')?.benchmark?.runs };
}

const NEVER = Number.POSITIVE_INFINITY;

const AS_DEFINED = {
  dialect: 'current',
  model: {
    url: 'http://127.0.0.1:8000',
    command: null,
    log: '/log',
    logs: { loaded: ['ready'] },
    health: null,
    readiness: 'log',
    readinessIsDefault: true,
  },
  maxPerf: 5,
  maxSessions: 3,
  waits: [10_000, 20_000],
  limits: [
    [5, NEVER, NEVER],
    [NEVER, NEVER, NEVER],
  ],
  runs: 4,
};

/** Those of the route to the model server; the one that is handled here has none of them. */
const limited = (...ofModel: number[]) => [ofModel, [NEVER, NEVER, NEVER]];

describe('what the environment says in place of the backend', () => {
  it.each<[settings: BackendSettings, changed: object]>([
    [{}, {}],
    [{ dialect: 'legacy' }, { dialect: 'legacy' }],
    [
      { modelServerUrl: 'http://127.0.0.1:9000' },
      { model: { ...AS_DEFINED.model, url: 'http://127.0.0.1:9000' } },
    ],
    [{ modelCommand: 'serve' }, { model: { ...AS_DEFINED.model, command: 'serve' } }],
    [{ modelLog: '/other' }, { model: { ...AS_DEFINED.model, log: '/other' } }],
    [{ modelHealth: '/health' }, { model: { ...AS_DEFINED.model, health: '/health', readiness: 'both' } }],
    [{ readiness: 'none' }, { model: { ...AS_DEFINED.model, readiness: 'none' } }],
    [
      { modelHealth: '/health', readiness: 'log' },
      { model: { ...AS_DEFINED.model, health: '/health', readiness: 'log' } },
    ],
    [{ maxPerf: 7 }, { maxPerf: 7, runs: undefined }],
    [{ benchmarkRuns: 1 }, { runs: 1 }],
    [
      { maxPerf: 7, benchmarkRuns: 1 },
      { maxPerf: 7, runs: undefined },
    ],
    [{ maxQueueMs: 1 }, { waits: [1, 20_000] }],
    [{ maxSessions: 0 }, { maxSessions: 0 }],
    [{ firstByteTimeoutMs: 1, betweenBytesTimeoutMs: 2, totalTimeoutMs: 3 }, { limits: limited(1, 2, 3) }],
    [{ firstByteTimeoutMs: NEVER }, { limits: limited(NEVER, NEVER, NEVER) }],
    [{ totalTimeoutMs: 9 }, { limits: limited(5, NEVER, 9) }],
  ])('%j', (settings, changed) => {
    expect(shown(settings)).toEqual({ ...AS_DEFINED, ...changed });
  });

  it('does not make a backend report that reports nothing, nor gives it a model server', () => {
    const settings = {
      dialect: 'current',
      modelServerUrl: 'http://127.0.0.1:9000',
      readiness: 'log',
    } as const;
    expect(shown(settings, here)).toMatchObject({ dialect: 'none', model: null });
  });

  it('leaves the readiness that the backend chose itself, be it the one that it would have had', () => {
    const health = defineBackend({
      name: 'x',
      maxPerf: 1,
      model: { url: 'http://127.0.0.1:8000', health: '/health', readiness: 'health' },
      routes: { '/run': {} },
    });
    expect(configure(health, { modelLog: '/log' }).model).toMatchObject({ log: '/log', readiness: 'health' });

    const own = defineBackend({
      name: 'x',
      maxPerf: 1,
      model: { url: 'http://127.0.0.1:8000', log: '/log', health: '/health', readiness: 'log' },
      routes: { '/run': {} },
    });
    expect(configure(own, { modelHealth: '/other' }).model).toMatchObject({
      health: '/other',
      readiness: 'log',
    });
  });

  it('leaves the backend that was defined as it is', () => {
    const before = structuredClone(shown({}));
    configure(backend, { maxPerf: 1, maxQueueMs: 1, modelLog: '/x', maxSessions: 1, dialect: 'legacy' });
    expect(shown({})).toEqual(before);
    expect(Object.isFrozen(configure(backend, {}))).toBe(true);
  });
});
