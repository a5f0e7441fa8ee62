import { messageOf } from '../errors.js';
import { compileParser, isParser } from './parse.js';
import type { BackendContext, BackendDefinition, DialectName, Method, Route, RouteRequest } from './types.js';

/** The workload of a request about which the backend says nothing. */
export const DEFAULT_WORKLOAD = 100;

/** The most units of work that one request can be. */
export const MAX_WORKLOAD = 1e12;

/** A backend as the worker runs it: every default filled in, types of state and bodies forgotten. */
export interface Backend {
  readonly [BRAND]: true;
  readonly name: string;
  readonly description: string;
  readonly dialect: DialectName | 'none';
  readonly maxPerf: number;
  readonly init: (context: BackendContext) => unknown;
  readonly routes: ReadonlyMap<string, CompiledRoute>;
}

export interface CompiledRoute {
  readonly path: string;
  readonly method: Method;
  /** Rejects with a WorkerError that names the field. */
  readonly parse: (json: unknown) => Promise<unknown>;
  readonly workload: number | ((body: unknown) => number);
  readonly example: unknown;
  readonly handle: (request: RouteRequest<unknown, unknown>) => unknown;
}

/** Kept in the registry of symbols, so that a backend made by another copy of this package is known. */
const BRAND: unique symbol = Symbol.for('tsworker.backend') as never;

const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * Defines a backend.
 *
 * @throws {TypeError} when the definition can't work, naming the field
 */
export function defineBackend<
  State = undefined,
  Bodies extends Record<string, unknown> = Record<string, unknown>,
>(definition: BackendDefinition<State, Bodies>): Backend {
  const check = (ok: boolean, problem: string) => {
    if (!ok) throw new TypeError(`defineBackend: ${problem}`);
  };
  check(isObject(definition), 'it takes an object with name, routes, ...');
  const { name, description = '', dialect = 'legacy', maxPerf = 0, init = () => undefined } = definition;
  check(typeof name === 'string' && /^[\w.-]+$/.test(name), 'name must be letters, digits, ".", "_" or "-"');
  check(typeof description === 'string', 'description must be a text');
  check(
    dialect === 'legacy' || dialect === 'none',
    `dialect "${dialect}" is unknown; it takes legacy or none`,
  );
  check(
    isWorkload(maxPerf) && (maxPerf > 0 || dialect === 'none'),
    'maxPerf must be a positive number of units of work per second',
  );
  check(typeof init === 'function', 'init must be a function');
  check(isObject(definition.routes), 'routes must be an object of routes by their paths');
  check(Object.keys(definition.routes).length > 0, 'routes must have at least one path');
  const given = Object.entries(definition.routes as unknown as Record<string, Route<never, never>>);
  const routes = new Map(given.map(([path, route]) => [path, compileRoute(path, route)]));
  return Object.freeze({ [BRAND]: true as const, name, description, dialect, maxPerf, init, routes });
}

/** Whether a value, such as the default export of a user's file, was made by `defineBackend`. */
export function isBackend(value: unknown): value is Backend {
  return typeof value === 'object' && value !== null && BRAND in value;
}

function compileRoute(path: string, route: Route<never, never>): CompiledRoute {
  const check = (ok: boolean, problem: string) => {
    if (!ok) throw new TypeError(`defineBackend: routes["${path}"]${problem}`);
  };
  check(/^\/[\w./~-]*$/.test(path), ' must be a path such as "/generate"');
  check(isObject(route), ' must be an object with a handle');
  const { method = 'POST', workload = DEFAULT_WORKLOAD, handle } = route;
  check(METHODS.includes(method), `.method must be one of ${METHODS.join(', ')}`);
  check(typeof handle === 'function', '.handle must be a function');
  check(
    route.parseRequest === undefined || isParser(route.parseRequest),
    '.parseRequest must be a schema or a function',
  );
  check(
    typeof workload === 'function' || isWorkload(workload),
    '.workload must be a number of units from 0 to 1e12, or a function',
  );
  return {
    path,
    method,
    parse: compileParser(route.parseRequest),
    workload: workload as CompiledRoute['workload'],
    example: route.example,
    handle: handle as CompiledRoute['handle'],
  };
}

/**
 * The workload of one request. A workload function that throws or answers no usable number must not
 * poison the sums: it counts as the default, and `onProblem` hears of it.
 */
export function workloadOf(
  route: CompiledRoute,
  body: unknown,
  onProblem: (problem: string) => void,
): number {
  if (typeof route.workload === 'number') return route.workload;
  try {
    const workload = route.workload(body);
    if (isWorkload(workload)) return workload;
    onProblem(`it answered ${String(workload)}`);
  } catch (error) {
    onProblem(messageOf(error));
  }
  return DEFAULT_WORKLOAD;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/**
 * Sums of workloads must stay exact for the life of a worker: doubles count whole units up to 9e15, so
 * one request may not be a large part of that.
 */
function isWorkload(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_WORKLOAD;
}
