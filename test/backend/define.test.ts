import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as backends from '../../backends/index.js';
import {
  type CompiledRoute,
  defineBackend,
  isBackend,
  RESERVED_PATHS,
  workloadOf,
} from '../../src/backend/index.js';

const handle = () => 'ok';
const GOOD = { name: 'good', maxPerf: 1, routes: { '/run': { handle } } };

/** As JavaScript calls it: nothing was checked before. */
const define = defineBackend as (definition: unknown) => unknown;
const withRoute = (route: unknown, path = '/run') => ({ ...GOOD, routes: { [path]: route } });

describe('what can not work is refused, and named', () => {
  const MAX_PERF =
    'maxPerf must be a positive number of units of work per second, unless a route has a benchmark';
  const WORKLOAD = 'routes["/run"].workload must be a number of units from 0 to 1e12, or a function';
  const NAME = 'name must be letters, digits, ".", "_" or "-"';

  it.each<[definition: unknown, problem: string]>([
    [undefined, 'it takes an object with name, routes, ...'],
    ['good', 'it takes an object with name, routes, ...'],
    [{ ...GOOD, name: undefined }, NAME],
    [{ ...GOOD, name: '' }, NAME],
    [{ ...GOOD, name: 'a b' }, NAME],
    [{ ...GOOD, name: 7 }, NAME],
    [{ ...GOOD, description: 7 }, 'description must be a text'],
    [{ ...GOOD, maxPref: 1 }, 'maxPref is unknown; did you mean maxPerf?'],
    [{ ...GOOD, MaxSessions: 1 }, 'MaxSessions is unknown; did you mean maxSessions?'],
    [
      { ...GOOD, port: 3000 },
      'port is unknown; it takes name, description, dialect, legacyLoad, legacyCapacity, model, maxPerf, maxSessions, init, routes',
    ],
    [{ ...GOOD, dialect: 'other' }, 'dialect "other" is unknown; it takes legacy, current, none'],
    [{ ...GOOD, maxPerf: undefined }, MAX_PERF],
    [{ ...GOOD, maxPerf: 0 }, MAX_PERF],
    [{ ...GOOD, maxPerf: -1 }, MAX_PERF],
    [{ ...GOOD, maxPerf: Number.NaN }, MAX_PERF],
    [{ ...GOOD, maxPerf: '1' }, MAX_PERF],
    [{ ...GOOD, dialect: 'none', maxPerf: Number.POSITIVE_INFINITY }, MAX_PERF],
    [{ ...GOOD, init: {} }, 'init must be a function'],
    [{ ...GOOD, routes: undefined }, 'routes must be an object of routes by their paths'],
    [{ ...GOOD, routes: {} }, 'routes must have at least one path'],
    [withRoute({ handle }, 'run'), 'routes["run"] must be a path such as "/generate"'],
    [withRoute({ handle }, '/run?x'), 'routes["/run?x"] must be a path such as "/generate"'],
    [withRoute({ handle }, '/:id'), 'routes["/:id"] must be a path such as "/generate"'],
    [withRoute({ handle }, '/*'), 'routes["/*"] must be a path such as "/generate"'],
    [withRoute(undefined), 'routes["/run"] must be an object'],
    [withRoute(handle), 'routes["/run"] must be an object'],
    [withRoute({}), 'routes["/run"] needs a handle, as there is no model server'],
    [withRoute({ handle: 'run' }), 'routes["/run"].handle must be a function'],
    [
      withRoute({ handle, method: 'get' }),
      'routes["/run"].method must be one of GET, POST, PUT, PATCH, DELETE',
    ],
    [withRoute({ handle, workload: Number.NaN }), WORKLOAD],
    [withRoute({ handle, workload: 1e308 }), WORKLOAD],
    [withRoute({ handle, workload: -1 }), WORKLOAD],
    [withRoute({ handle, workload: '1' }), WORKLOAD],
    [
      withRoute({ handle, parseRequest: 'number' }),
      'routes["/run"].parseRequest must be a schema or a function',
    ],
    [
      withRoute({ handle, parseRequest: { parse: handle } }),
      'routes["/run"].parseRequest must be a schema or a function',
    ],
  ])('%o', (definition, problem) => {
    expect(() => define(definition)).toThrow(new TypeError(`defineBackend: ${problem}`));
  });
});

describe("a route with a path of the worker's own is refused, whatever dialect it is of", () => {
  const DIALECTS = ['legacy', 'current', 'none'];
  it.each(RESERVED_PATHS.flatMap((path) => DIALECTS.map((dialect) => ({ path, dialect }))))(
    '$path, $dialect',
    ({ path, dialect }) => {
      expect(() => define({ ...withRoute({ handle }, path), dialect })).toThrow(
        new TypeError(
          `defineBackend: routes["${path}"] is a path of the worker's own; docs/backends.md lists them. ` +
            'Choose another: upstreamPath says where it leads on the model server',
        ),
      );
    },
  );

  it('which are in the docs', () => {
    const docs = readFileSync('docs/backends.md', 'utf8');
    expect(RESERVED_PATHS.filter((path) => !docs.includes(`\`${path}\``))).toEqual([]);
  });

  it('and which may lead there on the model server', () => {
    const model = { url: 'http://127.0.0.1:8000' };
    const { routes } = defineBackend({
      ...GOOD,
      model,
      routes: { '/new': { upstreamPath: '/session/create' } },
    });
    expect(routes.get('/new')?.upstreamPath).toBe('/session/create');
  });
});

describe('what is left out', () => {
  it('has a default', () => {
    const backend = defineBackend(GOOD);
    expect({ ...backend, routes: [...backend.routes.keys()] }).toMatchObject({
      name: 'good',
      description: '',
      dialect: 'legacy',
      maxPerf: 1,
      routes: ['/run'],
    });
    const route = backend.routes.get('/run');
    expect(route).toMatchObject({ path: '/run', method: 'POST', workload: 100, example: undefined });
    expect(route?.parse).toBeNull();
    expect(Object.isFrozen(backend)).toBe(true);
  });

  it('may be the speed, where nothing is reported', () => {
    expect(defineBackend({ name: 'quiet', dialect: 'none', routes: GOOD.routes }).maxPerf).toBe(0);
  });
});

it('a backend is known by its mark, of another copy of this package too', () => {
  const backend = defineBackend(GOOD);
  expect([backend, { ...backend }, GOOD, undefined, null, 'good', handle].map(isBackend)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

describe('the backends of the package', () => {
  const SETTINGS = {
    env: {},
    functions: './functions.js',
    importModule: async () => ({ double: (params: { x: number }) => params.x * 2 }),
  };

  it.each(Object.entries(backends.backends))(
    '%s is called so, and says what it is for',
    async (name, entry) => {
      const backend = await entry.load(SETTINGS);
      expect(isBackend(backend)).toBe(true);
      expect(backend.name).toBe(name);
      expect(entry.description).not.toBe('');
      expect(backend.description).not.toBe('');
      const examples = [...backend.routes.values()].filter(({ example }) => example !== undefined);
      for (const { parse, rewrite, example } of examples) {
        const parsed = parse === null ? example : await parse(example);
        const text = JSON.stringify(parsed);
        expect(JSON.parse(rewrite === null ? text : rewrite(text))).toEqual(withSeeds(example));
      }
    },
  );
});

/** What stands for a number of each request's own is a number once it is on its way. */
function withSeeds(example: unknown): unknown {
  return JSON.parse(JSON.stringify(example), (_key, value) =>
    value === '__RANDOM_INT__' ? expect.any(Number) : value,
  );
}

describe('the workload of a request', () => {
  const route = (workload: unknown) =>
    defineBackend(withRoute({ handle, workload }) as typeof GOOD).routes.get('/run') as CompiledRoute;
  const fails = (thrown: unknown) => () => {
    throw thrown;
  };

  it.each<[name: string, workload: unknown, counted: number, problems: string[]]>([
    ['a number', 7, 7, []],
    ['nothing', 0, 0, []],
    ['a fraction', 0.5, 0.5, []],
    ['of the body', (body: { tokens: number }) => body.tokens, 12, []],
    ['that is not a number', () => Number.NaN, 100, ['it answered NaN']],
    ['that is more than sums can bear', () => 1e308, 100, ['it answered 1e+308']],
    ['that is as much as may be', () => 1e12, 1e12, []],
    ['without end', () => Number.POSITIVE_INFINITY, 100, ['it answered Infinity']],
    ['below nothing', () => -1, 100, ['it answered -1']],
    ['that is a text', () => '7', 100, ['it answered 7']],
    ['that is left out', () => undefined, 100, ['it answered undefined']],
    ['that is a promise', async () => 7, 100, ['it answered [object Promise]']],
    ['that can not be told', () => Object.create(null), 100, ['Cannot convert object to primitive value']],
    ['that throws', fails(new Error('no tokens')), 100, ['no tokens']],
    ['that throws no error', fails(undefined), 100, ['undefined']],
  ])('%s', (_name, workload, counted, problems) => {
    const heard: string[] = [];
    expect(workloadOf(route(workload), { tokens: 12 }, (problem) => heard.push(problem))).toBe(counted);
    expect(heard).toEqual(problems);
  });
});
