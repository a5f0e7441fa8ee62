import {
  type Backend,
  defineBackend,
  isStream,
  nearestTo,
  type Route,
  type RouteRequest,
} from '../src/backend/index.js';

/** What a function gets beside its payload. */
export type FunctionContext = Pick<RouteRequest<undefined, unknown>, 'signal' | 'log' | 'query'>;

/** What the route of a function may say of itself. */
export type FunctionOptions<Payload> = Pick<Route<undefined, Payload>, (typeof OPTIONS)[number]>;

const OPTIONS = [
  'parseRequest',
  'workload',
  'example',
  'parallel',
  'maxQueueTime',
  'benchmark',
] as const satisfies readonly (keyof Route<undefined, unknown>)[];

/**
 * A function that is served, with what its route says of itself as properties. What it returns is answered as
 * `{"result": ...}`; what an async generator yields is streamed as it is.
 */
export type FunctionHandler<Payload> = FunctionOptions<Payload> &
  ((payload: Payload, context: FunctionContext) => unknown);

/** The most work of functions that do not measure themselves, in units per second: one call of 100 units. */
const DEFAULT_MAX_PERF = 100;

/**
 * Serves each function of a module by POST at its name. What else the module holds is let be.
 *
 * @throws {TypeError} when it has no function, or one of them says what can't work or is a slip of the pen
 */
export function functionBackend(handlers: Readonly<Record<string, unknown>>): Backend {
  const functions = Object.entries(handlers).filter(isNamedFunction);
  if (functions.length === 0) throw new TypeError('there is no exported function to serve');
  for (const [name, handler] of functions) refuseSlips(name, handler);
  const isMeasured = functions.some(([, handler]) => handler.benchmark !== undefined);
  return defineBackend<undefined, Record<string, unknown>>({
    name: 'function',
    description: 'Serves functions, without a model server.',
    dialect: 'current',
    ...(!isMeasured && { maxPerf: DEFAULT_MAX_PERF }),
    routes: Object.fromEntries(functions.map(([name, handler]) => [`/${name}`, routeOf(handler)])),
  });
}

function isNamedFunction(entry: [string, unknown]): entry is [string, FunctionHandler<unknown>] {
  return typeof entry[1] === 'function' && entry[0] !== 'default';
}

/** A function may have properties of its own, but one that is nearly an option is meant to be it. */
function refuseSlips(name: string, handler: FunctionHandler<unknown>): void {
  const options: readonly string[] = OPTIONS;
  for (const property of Object.keys(handler)) {
    const meant = options.includes(property) ? undefined : nearestTo(property, options);
    if (meant !== undefined) throw new TypeError(`${name}.${property} is unknown; did you mean ${meant}?`);
  }
}

function routeOf(handler: FunctionHandler<unknown>): Route<undefined, unknown> {
  const { parseRequest, workload, example, parallel, maxQueueTime, benchmark } = handler;
  return {
    ...(parseRequest !== undefined && { parseRequest }),
    ...(workload !== undefined && { workload }),
    ...(example !== undefined && { example }),
    ...(parallel !== undefined && { parallel }),
    ...(maxQueueTime !== undefined && { maxQueueTime }),
    ...(benchmark !== undefined && { benchmark }),
    handle: async ({ body, signal, log, query }) => {
      const value = await handler(body, { signal, log, query });
      return isStream(value) ? value : { result: value ?? null };
    },
  };
}
