import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type Backend,
  type BackendContext,
  type BackendDefinition,
  type Config,
  type ConfigResult,
  createLog,
  defineBackend,
  type ERRORS,
  type ErrorCode,
  type FunctionHandler,
  functionBackend,
  type LoadSettings,
  type Log,
  type Method,
  type ModelAnswer,
  type Outcome,
  type RequestParser,
  type RouteRequest,
  readConfig,
  silentLog,
  Worker,
  WorkerError,
  type WorkState,
} from '../../src/index.js';

const handle = () => 'ok';

describe('a backend', () => {
  it('knows its state from init, and each body from its schema', () => {
    const backend = defineBackend({
      name: 'typed',
      maxPerf: 1,
      init: async ({ signal, log, fail, recovered }) => {
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        expectTypeOf(log).toEqualTypeOf<Log>();
        expectTypeOf(fail).parameters.toEqualTypeOf<[message: string]>();
        expectTypeOf(recovered).parameters.toEqualTypeOf<[]>();
        return { count: 0 };
      },
      routes: {
        '/schema': {
          parseRequest: z.object({ amount: z.number(), note: z.string().optional() }),
          example: { amount: 1 },
          workload: (body) => {
            expectTypeOf(body).toEqualTypeOf<{ amount: number; note?: string | undefined }>();
            return body.amount;
          },
          handle: ({ state, body, query }) => {
            expectTypeOf(state).toEqualTypeOf<{ count: number }>();
            expectTypeOf(body).toEqualTypeOf<{ amount: number; note?: string | undefined }>();
            expectTypeOf(query).toEqualTypeOf<URLSearchParams>();
          },
        },
        '/transformed': {
          parseRequest: z.string().transform((text) => text.length),
          handle: ({ body }) => expectTypeOf(body).toEqualTypeOf<number>(),
        },
        '/function': {
          // The type of its parameter must be written down, or the body is unknown.
          parseRequest: (_json: unknown) => 7 as const,
          handle: ({ body }) => expectTypeOf(body).toEqualTypeOf<7>(),
        },
        '/later': {
          parseRequest: async () => new Date(),
          handle: ({ body }) => expectTypeOf(body).toEqualTypeOf<Date>(),
        },
        '/anything': { method: 'GET', handle: ({ body }) => expectTypeOf(body).toEqualTypeOf<unknown>() },
      },
    });
    expectTypeOf(backend).toEqualTypeOf<Backend>();
  });

  it('without init has no state', () => {
    defineBackend({
      name: 'stateless',
      dialect: 'none',
      routes: { '/run': { handle: ({ state }) => expectTypeOf(state).toEqualTypeOf<undefined>() } },
    });
  });
});

describe('a route to the model server', () => {
  it('needs no handle, and knows its body in all that is said of it', () => {
    defineBackend({
      name: 'proxy',
      model: { url: 'http://127.0.0.1:8000' },
      init: () => ({ count: 0 }),
      routes: {
        '/plain': {},
        '/schema': {
          parseRequest: z.object({ amount: z.number() }),
          parallel: 4,
          maxQueueTime: '30s',
          timeouts: { firstByte: '10s', betweenBytes: 500, total: Number.POSITIVE_INFINITY },
          benchmark: { dataset: [{ amount: 1 }], generate: async (index) => ({ amount: index }) },
          transformResponse: (answer, { body, state, signal }) => {
            expectTypeOf(answer).toEqualTypeOf<ModelAnswer>();
            expectTypeOf(body).toEqualTypeOf<{ amount: number }>();
            expectTypeOf(state).toEqualTypeOf<{ count: number }>();
            expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
            return answer.json();
          },
        },
      },
    });
    expectTypeOf<ModelAnswer['status']>().toEqualTypeOf<number>();
    expectTypeOf<ModelAnswer['body']>().toEqualTypeOf<AsyncIterable<Uint8Array>>();
    expectTypeOf<ModelAnswer['json']>().returns.toEqualTypeOf<Promise<unknown>>();
    expectTypeOf<ModelAnswer['text']>().returns.toEqualTypeOf<Promise<string>>();
  });
});

describe('functions', () => {
  it('are a backend, and may say of themselves what a route may', () => {
    const parseRequest = z.object({ x: z.number() });
    const double: FunctionHandler<{ x: number }> = Object.assign(({ x }: { x: number }) => x * 2, {
      parseRequest,
      workload: ({ x }: { x: number }) => x,
      benchmark: { dataset: [{ x: 1 }] },
    });
    const plain: FunctionHandler<{ x: number }> = ({ x }, { signal, query }) => {
      expectTypeOf(x).toEqualTypeOf<number>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(query).toEqualTypeOf<URLSearchParams>();
    };
    expectTypeOf(functionBackend).toBeCallableWith({ plain });
    expectTypeOf(functionBackend({ double })).toEqualTypeOf<Backend>();
  });

  it('and files get the settings', () => {
    const load = ({ env, modelName }: LoadSettings) => [env.A, modelName];
    expectTypeOf(load).parameter(0).toEqualTypeOf<LoadSettings>();
    expectTypeOf<LoadSettings['env'][string]>().toEqualTypeOf<string | undefined>();
  });
});

/** Never called: the compiler alone reads what is wrong in it. */
function wrong(): void {
  const parseRequest = z.object({ amount: z.number() });
  const base = { name: 'wrong', maxPerf: 1 } as const;

  // @ts-expect-error a name is needed
  defineBackend({ maxPerf: 1, routes: { '/run': { handle } } });
  // @ts-expect-error routes are needed
  defineBackend({ ...base });
  // @ts-expect-error a handle is a function
  defineBackend({ ...base, routes: { '/run': { handle: 'run' } } });
  // @ts-expect-error the name of a setting is wrong
  defineBackend({ ...base, maxperf: 1, routes: { '/run': { handle } } });
  // @ts-expect-error the name of a setting of a route is wrong
  defineBackend({ ...base, routes: { '/run': { handle, parserequest: parseRequest } } });
  // @ts-expect-error there is no such dialect
  defineBackend({ ...base, dialect: 'other', routes: { '/run': { handle } } });
  // @ts-expect-error there is no such method
  defineBackend({ ...base, routes: { '/run': { method: 'get', handle } } });
  // @ts-expect-error a workload is a number
  defineBackend({ ...base, routes: { '/run': { workload: '7', handle } } });
  // @ts-expect-error a workload is not a promise
  defineBackend({ ...base, routes: { '/run': { workload: async () => 7, handle } } });
  // @ts-expect-error an example is a body
  defineBackend({ ...base, routes: { '/run': { parseRequest, example: { amount: '7' }, handle } } });
  // @ts-expect-error the body has no such field
  defineBackend({ ...base, routes: { '/run': { parseRequest, handle: ({ body }) => body.amounts } } });
  defineBackend({
    ...base,
    init: () => ({ count: 0 }),
    // @ts-expect-error the state has no such field
    routes: { '/run': { handle: ({ state }) => state.counts } },
  });
  // @ts-expect-error the request has no such field
  defineBackend({ ...base, routes: { '/run': { handle: ({ payload }) => payload } } });
  const model = { url: 'http://127.0.0.1:8000' };
  // @ts-expect-error the body of a benchmark is one that parseRequest returns
  defineBackend({ ...base, model, routes: { '/run': { parseRequest, benchmark: { dataset: [{}] } } } });
  // @ts-expect-error and so is one that is made
  defineBackend({ ...base, model, routes: { '/run': { parseRequest, benchmark: { generate: () => 7 } } } });
  // @ts-expect-error there is no such time-out
  defineBackend({ ...base, model, routes: { '/run': { timeouts: { idle: '1s' } } } });
  // @ts-expect-error how many at once is no text
  defineBackend({ ...base, model, routes: { '/run': { parallel: '2' } } });
  // @ts-expect-error a model server has a url
  defineBackend({ ...base, model: { log: '/log' }, routes: { '/run': {} } });
  // @ts-expect-error a model is not ready by nothing
  defineBackend({ ...base, model: { ...model, readiness: 'none' }, routes: { '/run': {} } });
  // @ts-expect-error there is no such rule
  defineBackend({ ...base, model: { ...model, logs: { ready: ['x'] } }, routes: { '/run': {} } });
  defineBackend({
    ...base,
    model,
    // @ts-expect-error the body has no such field
    routes: { '/run': { parseRequest, transformResponse: (_, { body }) => body.b } },
  });
  // @ts-expect-error a failure needs a message
  defineBackend({ ...base, routes: { '/run': { handle: ({ fail }) => fail() } } });
  // @ts-expect-error only what defineBackend made is a backend
  const backend: Backend = { ...base, routes: new Map() };

  // @ts-expect-error there is no such error
  new WorkerError('no_such_error');
  // @ts-expect-error a log is needed
  new Worker(backend, {} as Config, {});
  // @ts-expect-error a result is looked at before its config is used
  readConfig({}).config;
  // @ts-expect-error there is no such level
  void createLog({ level: 'loud', terminal: false });
}

it('what is wrong does not compile', () => {
  expectTypeOf(wrong).toBeFunction();
});

describe('what is public', () => {
  it('has these types', () => {
    expectTypeOf<Method>().toEqualTypeOf<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'>();
    expectTypeOf<Outcome>().toEqualTypeOf<'clean' | 'unreported' | 'cut'>();
    expectTypeOf<WorkState>().toEqualTypeOf<
      'loading' | 'loaded' | 'serving' | 'failing' | 'draining' | 'stopped'
    >();
    expectTypeOf<ErrorCode>().toEqualTypeOf<keyof typeof ERRORS>();
    expectTypeOf(silentLog).toEqualTypeOf<Log>();
    expectTypeOf<RouteRequest<number, string>>().toExtend<BackendContext>();
    expectTypeOf<RouteRequest<number, string>['state']>().toEqualTypeOf<number>();
    expectTypeOf<RouteRequest<number, string>['body']>().toEqualTypeOf<string>();
    expectTypeOf<BackendDefinition<number, { '/run': string }>['routes']['/run']['handle']>()
      .parameter(0)
      .toEqualTypeOf<RouteRequest<number, string>>();
    expectTypeOf(z.number()).toExtend<RequestParser<number>>();
    expectTypeOf<Worker['stop']>().toEqualTypeOf<(reason: string) => Promise<Outcome>>();
    expectTypeOf<Worker['stopped']>().toEqualTypeOf<Promise<Outcome>>();
  });

  it('has a configuration in which what has a default is there', () => {
    expectTypeOf(readConfig).returns.toEqualTypeOf<ConfigResult>();
    expectTypeOf<Config['workerPort']>().toEqualTypeOf<number>();
    expectTypeOf<Config['containerId']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Config['reportAddresses']>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<Config['useTls']>().toEqualTypeOf<boolean>();
    expectTypeOf<Config['logLevel']>().toEqualTypeOf<'debug' | 'info' | 'warn' | 'error' | 'silent'>();
  });
});
