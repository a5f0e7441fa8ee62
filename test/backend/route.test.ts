import { describe, expect, it } from 'vitest';
import { type CompiledRoute, defineBackend } from '../../src/backend/index.js';

const handle = () => 'ok';
const MODEL = { url: 'http://127.0.0.1:8000' };
const NEVER = Number.POSITIVE_INFINITY;

/** As JavaScript calls it: nothing was checked before. */
const define = defineBackend as (definition: unknown) => ReturnType<typeof defineBackend>;

function compile(route: unknown, path = '/run'): CompiledRoute {
  const found = define({ name: 'x', dialect: 'none', model: MODEL, routes: { [path]: route } }).routes.get(
    path,
  );
  if (found === undefined) throw new Error('there is no route');
  return found;
}

describe('what can not work is refused, and named', () => {
  const DURATION = 'must be a number of ms, or a duration such as 500ms, 10s or 2m, up to 24 days';
  const COUNT = 'must be a whole number from';
  const BODIES = '.benchmark needs a dataset with at least one body, or a function generate';
  const PARALLEL = '.parallel must be true, false or a whole number from 1';
  const dataset = [{}];

  it.each<[route: unknown, problem: string]>([
    [{ parallel: 0 }, PARALLEL],
    [{ parallel: -1 }, PARALLEL],
    [{ parallel: 1.5 }, PARALLEL],
    [{ parallel: NEVER }, PARALLEL],
    [{ parallel: '2' }, PARALLEL],
    [{ parallel: null }, PARALLEL],
    [{ upstreamPath: 'run' }, '.upstreamPath must be a path such as "/generate"'],
    [{ upstreamPath: '/run?a=b' }, '.upstreamPath must be a path such as "/generate"'],
    [{ upstreamPath: 'http://elsewhere/' }, '.upstreamPath must be a path such as "/generate"'],
    [{ transformResponse: {} }, '.transformResponse must be a function'],
    [{ handle: null }, '.handle must be a function'],
    [{ maxQueueTime: 'soon' }, `.maxQueueTime ${DURATION}`],
    [{ maxQueueTime: 0 }, `.maxQueueTime ${DURATION}`],
    [{ maxQueueTime: -1 }, `.maxQueueTime ${DURATION}`],
    [{ maxQueueTime: Number.NaN }, `.maxQueueTime ${DURATION}`],
    [{ maxQueueTime: '25d' }, `.maxQueueTime ${DURATION}`],
    [{ maxQueueTime: '1000h' }, `.maxQueueTime ${DURATION}`],
    [{ maxQueueTime: 2 ** 31 }, `.maxQueueTime ${DURATION}`],
    [{ maxQueueTime: null }, `.maxQueueTime ${DURATION}`],
    [{ timeouts: { firstByte: '1' } }, `.timeouts.firstByte ${DURATION}`],
    [{ timeouts: { betweenBytes: 0 } }, `.timeouts.betweenBytes ${DURATION}`],
    [{ timeouts: { total: true } }, `.timeouts.total ${DURATION}`],
    [{ timeouts: null }, '.timeouts must be an object'],
    [{ timeouts: '30s' }, '.timeouts must be an object'],
    [{ maxQueTime: '10s' }, '.maxQueTime is unknown; did you mean maxQueueTime?'],
    [{ parrallel: 2 }, '.parrallel is unknown; did you mean parallel?'],
    [{ handler: () => 'ok' }, '.handler is unknown; did you mean handle?'],
    [
      { queue: 2 },
      '.queue is unknown; it takes method, public, parseRequest, rewrite, workload, example, parallel, maxQueueTime, timeouts, benchmark, upstreamPath, transformResponse, handle',
    ],
    [{ timeouts: { firstbytes: 1 } }, '.timeouts.firstbytes is unknown; did you mean firstByte?'],
    [{ timeouts: { connect: 1 } }, '.timeouts.connect is unknown; it takes firstByte, betweenBytes, total'],
    [
      { benchmark: { dataset, concurency: 1 } },
      '.benchmark.concurency is unknown; did you mean concurrency?',
    ],
    [
      { benchmark: { dataset, path: '/' } },
      '.benchmark.path is unknown; it takes dataset, generate, runs, concurrency, warmup, timeout',
    ],
    [{ benchmark: true }, '.benchmark must be an object'],
    [{ benchmark: null }, '.benchmark must be an object'],
    [{ benchmark: {} }, BODIES],
    [{ benchmark: { dataset: [] } }, BODIES],
    [{ benchmark: { dataset: {} } }, BODIES],
    [{ benchmark: { dataset, generate: 'one' } }, BODIES],
    [{ benchmark: { dataset, runs: 0 } }, `.benchmark.runs ${COUNT} 1`],
    [{ benchmark: { dataset, runs: 1.5 } }, `.benchmark.runs ${COUNT} 1`],
    [{ benchmark: { dataset, concurrency: 0 } }, `.benchmark.concurrency ${COUNT} 1`],
    [{ benchmark: { dataset, warmup: -1 } }, `.benchmark.warmup ${COUNT} 0`],
    [{ benchmark: { dataset, timeout: 'long' } }, `.benchmark.timeout ${DURATION}`],
  ])('%j', (route, problem) => {
    expect(() => compile(route)).toThrow(new TypeError(`defineBackend: routes["/run"]${problem}`));
  });

  it('two routes with a benchmark', () => {
    const routes = { '/a': { benchmark: { dataset } }, '/b': { benchmark: { dataset } } };
    expect(() => define({ name: 'x', model: MODEL, routes })).toThrow(
      new TypeError('defineBackend: only one route can have a benchmark'),
    );
  });
});

describe('what is left out', () => {
  const NO_LIMITS = { firstByteMs: NEVER, betweenBytesMs: NEVER, totalMs: NEVER };

  it('has a default on the way to the model server', () => {
    expect(compile({})).toEqual({
      path: '/run',
      method: 'POST',
      public: false,
      parse: null,
      workload: 100,
      example: undefined,
      lane: 'shared',
      maxQueueMs: 30_000,
      timeouts: NO_LIMITS,
      benchmark: null,
      upstreamPath: '/run',
      rewrite: null,
      transformResponse: null,
      handle: null,
    });
  });

  it('has another where nothing waits', () => {
    expect(compile({ handle })).toMatchObject({
      lane: NEVER,
      maxQueueMs: NEVER,
      timeouts: NO_LIMITS,
      handle,
    });
  });

  it.each<[route: object, lane: unknown, maxQueueMs: number]>([
    [{ parallel: false }, 'shared', 30_000],
    [{ parallel: true }, NEVER, 30_000],
    [{ parallel: 3 }, 3, 30_000],
    [{ parallel: true, maxQueueTime: 7 }, NEVER, 7],
    [{ handle, parallel: false }, 'shared', 30_000],
    [{ handle, parallel: 3 }, 3, 30_000],
    [{ handle, parallel: true }, NEVER, NEVER],
    [{ handle, maxQueueTime: '7s' }, NEVER, 7_000],
    [{ handle, parallel: 1, maxQueueTime: NEVER }, 1, NEVER],
  ])('the wait of %o', (route, lane, maxQueueMs) => {
    expect(compile(route)).toMatchObject({ lane, maxQueueMs });
  });

  it('has a default in a benchmark', () => {
    const dataset = ['a', 'b'];
    const { benchmark } = compile({ parallel: true, benchmark: { dataset } });
    expect(benchmark).toEqual({
      bodyOf: expect.any(Function),
      runs: 8,
      concurrency: 10,
      warmup: 1,
      timeoutMs: 600_000,
      source: dataset,
    });
    expect([0, 1, 2, 3].map((index) => benchmark?.bodyOf(index))).toEqual(['a', 'b', 'a', 'b']);
  });
});

it('all that can be said of a route', () => {
  const transformResponse = () => 'ok';
  const generate = (index: number) => index;
  const { benchmark, ...route } = compile({
    method: 'PUT',
    public: true,
    workload: 0.5,
    example: { a: 1 },
    parallel: 4,
    maxQueueTime: '2m',
    timeouts: { firstByte: '1.5s', betweenBytes: 0.5, total: NEVER },
    upstreamPath: '/v1/~run.json',
    transformResponse,
    benchmark: { dataset: ['not used'], generate, runs: 2, concurrency: 3, warmup: 0, timeout: '1h' },
  });
  expect(route).toEqual({
    path: '/run',
    method: 'PUT',
    public: true,
    parse: null,
    workload: 0.5,
    example: { a: 1 },
    lane: 4,
    maxQueueMs: 120_000,
    timeouts: { firstByteMs: 1_500, betweenBytesMs: 0.5, totalMs: NEVER },
    upstreamPath: '/v1/~run.json',
    rewrite: null,
    transformResponse,
    handle: null,
  });
  expect(benchmark).toEqual({
    bodyOf: generate,
    runs: 2,
    concurrency: 3,
    warmup: 0,
    timeoutMs: 3_600_000,
    source: String(generate),
  });
});

it.each<[parallel: unknown, concurrency: number]>([
  [undefined, 1],
  [false, 1],
  [1, 1],
  [4, 4],
  [20, 10],
  [true, 10],
])('a benchmark never asks for more at once than the route allows: parallel %s', (parallel, concurrency) => {
  expect(compile({ parallel, benchmark: { dataset: ['a'] } }).benchmark?.concurrency).toBe(concurrency);
});
