import { expect, it } from 'vitest';
import { type CompiledRoute, defineBackend } from '../../src/backend/index.js';
import { Lanes } from '../../src/http/lanes.js';

const { routes } = defineBackend({
  name: 'lanes',
  dialect: 'none',
  model: { url: 'http://127.0.0.1:9' },
  routes: {
    '/serial': {},
    '/serial-too': { parallel: false },
    '/two': { parallel: 2 },
    '/two-others': { parallel: 2 },
    '/all': { parallel: true },
    '/here': { handle: () => 'ok' },
  },
});

function route(path: string): CompiledRoute {
  const found = routes.get(path);
  if (found === undefined) throw new Error(`no route ${path}`);
  return found;
}

/** How many begin at once. */
function room(lanes: Lanes, path: string): number {
  const entered = Array.from({ length: 50 }, () =>
    lanes.of(route(path)).enter(new AbortController().signal, Number.POSITIVE_INFINITY),
  );
  return entered.filter((each) => typeof each === 'function').length;
}

it('routes that allow no parallel requests share one lane, the others have their own', () => {
  const lanes = new Lanes(routes.values());
  expect([...routes.keys()].map((path) => [path, room(lanes, path)])).toEqual([
    ['/serial', 1],
    ['/serial-too', 0],
    ['/two', 2],
    ['/two-others', 2],
    ['/all', 50],
    ['/here', 50],
  ]);
});

it('who waits in a lane that is shared is counted once', () => {
  const lanes = new Lanes(routes.values());
  expect(lanes.waiting).toBe(0);
  room(lanes, '/serial');
  room(lanes, '/two');
  expect(lanes.waiting).toBe(49 + 48);
});

it('a route of another backend has no lane', () => {
  const lanes = new Lanes([]);
  expect(() => lanes.of(route('/two'))).toThrow('There is no lane for /two.');
  expect(lanes.waiting).toBe(0);
});
