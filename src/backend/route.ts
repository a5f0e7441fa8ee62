import { DURATION_TAKES, LONGEST_MS, parseDuration } from '../duration.js';
import { isObject } from './check.js';
import { checkFields, type KnownFields } from './known-fields.js';
import { compileParser, isParser } from './parse.js';
import { refuseReserved } from './reserved.js';
import type {
  Benchmark,
  Duration,
  Method,
  ModelAnswer,
  Route,
  RouteRequest,
  RouteTimeouts,
} from './types.js';
import { DEFAULT_WORKLOAD, isWorkload } from './workload.js';

export interface CompiledRoute {
  readonly path: string;
  readonly method: Method;
  readonly public: boolean;
  /** Rejects with a WorkerError that names the field. Null: the body goes on as the client wrote it. */
  readonly parse: ((json: unknown) => Promise<unknown>) | null;
  readonly rewrite: ((text: string) => string) | null;
  readonly workload: number | ((body: unknown) => number);
  readonly example: unknown;
  /** How many at once; `shared`: one of all the routes that say so. */
  readonly lane: number | 'shared';
  /** Infinity: there is no limit. */
  readonly maxQueueMs: number;
  /** Infinity: there is no limit. */
  readonly timeouts: {
    readonly firstByteMs: number;
    readonly betweenBytesMs: number;
    readonly totalMs: number;
  };
  readonly benchmark: CompiledBenchmark | null;
  readonly upstreamPath: string;
  readonly transformResponse:
    | ((answer: ModelAnswer, request: RouteRequest<unknown, unknown>) => unknown)
    | null;
  /** Null: the request goes on to the model server. */
  readonly handle: ((request: RouteRequest<unknown, unknown>) => unknown) | null;
}

export interface CompiledBenchmark {
  /** The body, or a promise of it. */
  readonly bodyOf: (index: number) => unknown;
  readonly runs: number;
  readonly concurrency: number;
  readonly warmup: number;
  readonly timeoutMs: number;
  /** What the bodies are made from: a saved result holds for the same alone. */
  readonly source: unknown;
}

const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const DEFAULT_QUEUE_MS = 30_000;
const DEFAULT_BENCHMARK_MS = 600_000;

const FIELDS: KnownFields<Route<unknown, unknown>> = {
  method: true,
  public: true,
  parseRequest: true,
  rewrite: true,
  workload: true,
  example: true,
  parallel: true,
  maxQueueTime: true,
  timeouts: true,
  benchmark: true,
  upstreamPath: true,
  transformResponse: true,
  handle: true,
};

const TIMEOUT_FIELDS: KnownFields<RouteTimeouts> = { firstByte: true, betweenBytes: true, total: true };

const BENCHMARK_FIELDS: KnownFields<Benchmark<unknown>> = {
  dataset: true,
  generate: true,
  runs: true,
  concurrency: true,
  warmup: true,
  timeout: true,
};

/** @throws {TypeError} when the route can't work, naming the field */
export function compileRoute(path: string, route: Route<never, never>): CompiledRoute {
  const where = `routes["${path}"]`;
  const check = (ok: boolean, problem: string) => {
    if (!ok) throw new TypeError(`defineBackend: ${where}${problem}`);
  };
  const ms = (value: Duration | undefined, field: string, fallback: number) =>
    compileDuration(value, fallback, (problem) => check(false, `.${field} ${problem}`));
  check(/^\/[\w./~-]*$/.test(path), ' must be a path such as "/generate"');
  refuseReserved(path);
  check(isObject(route), ' must be an object');
  checkFields(where, route, FIELDS);
  const { method = 'POST', workload = DEFAULT_WORKLOAD, handle, transformResponse, timeouts = {} } = route;
  const { rewrite } = route;
  const { parallel = handle !== undefined, upstreamPath = path, benchmark } = route;
  check(rewrite === undefined || typeof rewrite === 'function', '.rewrite must be a function');
  check(METHODS.includes(method), `.method must be one of ${METHODS.join(', ')}`);
  check(handle === undefined || typeof handle === 'function', '.handle must be a function');
  check(
    transformResponse === undefined || typeof transformResponse === 'function',
    '.transformResponse must be a function',
  );
  check(
    route.parseRequest === undefined || isParser(route.parseRequest),
    '.parseRequest must be a schema or a function',
  );
  check(
    typeof workload === 'function' || isWorkload(workload),
    '.workload must be a number of units from 0 to 1e12, or a function',
  );
  check(
    typeof parallel === 'boolean' || (Number.isInteger(parallel) && parallel >= 1),
    '.parallel must be true, false or a whole number from 1',
  );
  check(/^\/[\w./~-]*$/.test(upstreamPath), '.upstreamPath must be a path such as "/generate"');
  check(isObject(timeouts), '.timeouts must be an object');
  checkFields(`${where}.timeouts`, timeouts, TIMEOUT_FIELDS);
  const lane = parallel === false ? 'shared' : parallel === true ? Number.POSITIVE_INFINITY : parallel;
  const waits = handle === undefined || lane !== Number.POSITIVE_INFINITY;
  return {
    path,
    method,
    public: route.public === true,
    parse: route.parseRequest === undefined ? null : compileParser(route.parseRequest),
    rewrite: rewrite ?? null,
    workload: workload as CompiledRoute['workload'],
    example: route.example,
    lane,
    maxQueueMs: ms(route.maxQueueTime, 'maxQueueTime', waits ? DEFAULT_QUEUE_MS : Number.POSITIVE_INFINITY),
    timeouts: {
      firstByteMs: ms(timeouts.firstByte, 'timeouts.firstByte', Number.POSITIVE_INFINITY),
      betweenBytesMs: ms(timeouts.betweenBytes, 'timeouts.betweenBytes', Number.POSITIVE_INFINITY),
      totalMs: ms(timeouts.total, 'timeouts.total', Number.POSITIVE_INFINITY),
    },
    benchmark: benchmark === undefined ? null : compileBenchmark(where, benchmark, lane, ms, check),
    upstreamPath,
    transformResponse: (transformResponse ?? null) as CompiledRoute['transformResponse'],
    handle: (handle ?? null) as CompiledRoute['handle'],
  };
}

function compileBenchmark(
  where: string,
  benchmark: Benchmark<never>,
  lane: CompiledRoute['lane'],
  ms: (value: Duration | undefined, field: string, fallback: number) => number,
  check: (ok: boolean, problem: string) => void,
): CompiledBenchmark {
  check(isObject(benchmark), '.benchmark must be an object');
  checkFields(`${where}.benchmark`, benchmark, BENCHMARK_FIELDS);
  const { dataset, generate, runs = 8, concurrency = 10, warmup = 1 } = benchmark;
  const isCount = (value: number, least: number) => Number.isInteger(value) && value >= least;
  check(
    generate === undefined ? Array.isArray(dataset) && dataset.length > 0 : typeof generate === 'function',
    '.benchmark needs a dataset with at least one body, or a function generate',
  );
  check(isCount(runs, 1), '.benchmark.runs must be a whole number from 1');
  check(isCount(concurrency, 1), '.benchmark.concurrency must be a whole number from 1');
  check(isCount(warmup, 0), '.benchmark.warmup must be a whole number from 0');
  return {
    bodyOf: generate ?? ((index) => dataset?.[index % dataset.length]),
    runs,
    concurrency: lane === 'shared' ? 1 : Math.min(concurrency, lane),
    warmup,
    timeoutMs: ms(benchmark.timeout, 'benchmark.timeout', DEFAULT_BENCHMARK_MS),
    source: generate === undefined ? dataset : String(generate),
  };
}

function compileDuration(
  value: Duration | undefined,
  fallback: number,
  refuse: (problem: string) => void,
): number {
  if (value === undefined) return fallback;
  if (value === Number.POSITIVE_INFINITY) return value;
  const ms = typeof value === 'number' ? value : parseDuration(value);
  if (ms !== undefined && ms > 0 && ms <= LONGEST_MS) return ms;
  refuse(`must be a number of ms, or ${DURATION_TAKES}`);
  return fallback;
}
