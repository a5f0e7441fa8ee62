import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type FunctionContext, functionBackend } from '../../backends/function.js';
import { deferred, untilView } from '../support/worker.js';
import { ask, stand, workOf } from './stand.js';

describe('what a function says of itself', () => {
  const serving = (own: object) => () => functionBackend({ draw: Object.assign(() => 7, own) });

  it.each([
    ['maxQueTime', 'maxQueueTime'],
    ['workLoad', 'workload'],
    ['benchmarks', 'benchmark'],
  ])('as %s is refused: it is meant to be %s', (property, meant) => {
    expect(serving({ [property]: 1 })).toThrow(
      new TypeError(`draw.${property} is unknown; did you mean ${meant}?`),
    );
  });

  it('may be beside properties of its own', () => expect(serving({ calls: 0, workload: 1 })).not.toThrow());
});

describe('a function is served', () => {
  it('at its name, and what it returns is the result', async () => {
    const running = await stand(
      functionBackend({
        greet: async ({ name }: { name: string }) => `Hello ${name}`,
        plain: () => 7,
        nothing: () => {},
        version: '1',
        default: () => 'not served',
      }),
    );
    expect((await ask(running, '/greet', { name: 'you' })).body).toEqual({ result: 'Hello you' });
    expect((await ask(running, '/plain', {})).body).toEqual({ result: 7 });
    expect((await ask(running, '/nothing', {})).body).toEqual({ result: null });
    expect((await ask(running, '/version', {})).status).toBe(404);
    expect((await ask(running, '/default', {})).status).toBe(404);
    expect(workOf(running)).toEqual([100, 100, 100]);
    expect((await untilView(running, () => true)).maxPerf).toBe(100);
  });

  it('as a stream of what it yields', async () => {
    async function* count({ to }: { to: number }) {
      for (let n = 1; n <= to; n++) yield `${n} `;
    }
    async function* rows() {
      yield { row: 1 };
      yield { row: 2 };
    }
    const running = await stand(functionBackend({ count, rows }));
    expect((await ask(running, '/count', { to: 3 })).body).toBe('1 2 3 ');
    expect((await ask(running, '/rows', {})).body).toBe('{"row":1}\n{"row":2}\n');
  });

  it('by what it says of itself', async () => {
    const release = deferred();
    const draw = async ({ steps }: { steps: number }) => {
      await release.promise;
      return steps * 2;
    };
    draw.parseRequest = z.object({ steps: z.number() });
    draw.workload = ({ steps }: { steps: number }) => steps * 10;
    draw.parallel = false;
    draw.maxQueueTime = Number.POSITIVE_INFINITY;
    const running = await stand(functionBackend({ draw }), { TSWORKER_MAX_PERF: '5' });
    expect((await ask(running, '/draw', { steps: 'many' })).status).toBe(422);
    const both = [1, 2].map((steps) => ask(running, '/draw', { steps }));
    await untilView(
      running,
      ({ requestsQueued, requestsUnderWay }) => requestsQueued === 1 && requestsUnderWay === 2,
    );
    release.resolve();
    expect((await Promise.all(both)).map(({ body }) => body)).toEqual([{ result: 2 }, { result: 4 }]);
    expect(workOf(running)).toEqual([10, 20]);
    expect((await untilView(running, () => true)).maxPerf).toBe(5);
  });

  it('as fast as its benchmark finds', async () => {
    const bodies: unknown[] = [];
    const work = async (body: unknown) => void bodies.push(body);
    work.benchmark = { dataset: [{ a: 1 }], runs: 2, concurrency: 1 };
    const running = await stand(functionBackend({ work }));
    expect(bodies).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }]);
    expect(running.measured()).toBe((await untilView(running, () => true)).maxPerf);
  });

  it('with the signal, the log and the query of its request', async () => {
    const tell = async (_: unknown, { signal, log, query }: FunctionContext) => {
      log.info('told');
      return { aborted: signal.aborted, query: query.get('a') };
    };
    const running = await stand(functionBackend({ tell }));
    const answer = await ask(running, '/tell?a=b&api_key=secret', {});
    expect(answer.body).toEqual({ result: { aborted: false, query: 'b' } });
    expect(running.log.lines.map(({ message }) => message)).toContain('told');
  });
});

it.each<[name: string, handlers: Record<string, unknown>, problem: string]>([
  ['no function', { a: 1 }, 'there is no exported function to serve'],
  ['none but the default', { default: () => 1 }, 'there is no exported function to serve'],
  [
    'a workload that is none',
    { work: Object.assign(() => 1, { workload: -1 }) },
    'defineBackend: routes["/work"].workload must be a number of units from 0 to 1e12, or a function',
  ],
  [
    'a name that is no path',
    { $: () => 1 },
    'defineBackend: routes["/$"] must be a path such as "/generate"',
  ],
])('a module with %s is refused', (_name, handlers, problem) => {
  expect(() => functionBackend(handlers)).toThrow(new TypeError(problem));
});
