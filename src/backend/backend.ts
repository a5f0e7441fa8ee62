import { isObject } from './check.js';
import { checkFields, type KnownFields } from './known-fields.js';
import { type CompiledModel, compileModel } from './model.js';
import { type CompiledRoute, compileRoute } from './route.js';
import type { BackendContext, BackendDefinition, DialectName, Route } from './types.js';
import { isWorkload } from './workload.js';

/** A backend as the worker runs it: every default filled in, types of state and bodies forgotten. */
export interface Backend {
  readonly [BRAND]: true;
  readonly name: string;
  readonly description: string;
  readonly dialect: DialectName | 'none';
  /** The model server behind it, or null. */
  readonly model: CompiledModel | null;
  /** 0: it is measured. */
  readonly maxPerf: number;
  readonly maxSessions: number;
  readonly legacyLoad: 'sum' | 'rate';
  readonly legacyCapacity: boolean;
  readonly init: (context: BackendContext) => unknown;
  readonly routes: ReadonlyMap<string, CompiledRoute>;
}

/** Kept in the registry of symbols, so that a backend made by another copy of this package is known. */
const BRAND: unique symbol = Symbol.for('tsworker.backend') as never;

const DIALECTS = ['legacy', 'current', 'none'];
const DEFAULT_MAX_SESSIONS = 10;

const FIELDS: KnownFields<BackendDefinition<unknown, Record<string, unknown>>> = {
  name: true,
  description: true,
  dialect: true,
  legacyLoad: true,
  legacyCapacity: true,
  model: true,
  maxPerf: true,
  maxSessions: true,
  init: true,
  routes: true,
};

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
  checkFields('', definition, FIELDS);
  const { name, description = '', maxPerf = 0, init = () => undefined } = definition;
  const { maxSessions = DEFAULT_MAX_SESSIONS, legacyLoad = 'sum', legacyCapacity = false } = definition;
  const model = definition.model === undefined ? null : compileModel(definition.model);
  const { dialect = model === null ? 'legacy' : 'current' } = definition;
  check(typeof name === 'string' && /^[\w.-]+$/.test(name), 'name must be letters, digits, ".", "_" or "-"');
  check(typeof description === 'string', 'description must be a text');
  check(DIALECTS.includes(dialect), `dialect "${dialect}" is unknown; it takes ${DIALECTS.join(', ')}`);
  check(
    Number.isInteger(maxSessions) && maxSessions >= 0,
    'maxSessions must be a whole number; 0 is no limit',
  );
  check(['sum', 'rate'].includes(legacyLoad), 'legacyLoad must be sum or rate');
  check(typeof legacyCapacity === 'boolean', 'legacyCapacity must be true or false');
  check(typeof init === 'function', 'init must be a function');
  check(isObject(definition.routes), 'routes must be an object of routes by their paths');
  check(Object.keys(definition.routes).length > 0, 'routes must have at least one path');
  const given = Object.entries(definition.routes as unknown as Record<string, Route<never, never>>);
  const routes = new Map(given.map(([path, route]) => [path, compileRoute(path, route)]));
  for (const { path, handle } of routes.values()) {
    check(handle !== null || model !== null, `routes["${path}"] needs a handle, as there is no model server`);
  }
  const measured = [...routes.values()].filter(({ benchmark }) => benchmark !== null).length;
  check(measured <= 1, 'only one route can have a benchmark');
  check(
    isWorkload(maxPerf) && (maxPerf > 0 || measured > 0 || dialect === 'none'),
    'maxPerf must be a positive number of units of work per second, unless a route has a benchmark',
  );
  return Object.freeze({
    [BRAND]: true as const,
    name,
    description,
    dialect,
    model,
    maxPerf,
    maxSessions,
    legacyLoad,
    legacyCapacity,
    init,
    routes,
  });
}

/** Whether a value, such as the default export of a user's file, was made by `defineBackend`. */
export function isBackend(value: unknown): value is Backend {
  return typeof value === 'object' && value !== null && BRAND in value;
}
