import { isObject } from './check.js';
import type { LogRule, LogRules, ModelServer } from './types.js';

/** A model server as the worker watches it: every default filled in. */
export interface CompiledModel {
  readonly url: string;
  readonly log: string | null;
  readonly logs: LogRules;
  readonly health: string | null;
  readonly readiness: 'log' | 'health' | 'both' | 'none';
}

/** @throws {TypeError} when it can't work, naming the field */
export function compileModel(model: ModelServer): CompiledModel {
  const check = (ok: boolean, problem: string) => {
    if (!ok) throw new TypeError(`defineBackend: model${problem}`);
  };
  check(isObject(model), ' must be an object with a url');
  const { url, log = null, logs = {}, health = null, readiness } = model;
  check(isBaseAddress(url), '.url must be an http address such as "http://127.0.0.1:8000"');
  check(log === null || (typeof log === 'string' && log !== ''), '.log must be the path of a file');
  check(
    health === null || (typeof health === 'string' && health.startsWith('/')),
    '.health must be a path such as "/health"',
  );
  check(isObject(logs), '.logs must be an object of rules');
  for (const [name, rules] of Object.entries(logs)) {
    check(
      ['loaded', 'failed', 'info'].includes(name),
      `.logs.${name} is unknown; it takes loaded, failed, info`,
    );
    check(
      Array.isArray(rules) && rules.every(isRule),
      `.logs.${name} must be a list of texts, prefixes or regular expressions`,
    );
  }
  check(
    readiness === undefined || ['log', 'health', 'both'].includes(readiness),
    '.readiness must be log, health or both',
  );
  return { url, log, logs, health, readiness: readiness ?? defaultReadiness(log, health) };
}

/** The same with another log or health path, as the environment may set them. */
export function withPaths(
  model: CompiledModel,
  given: {
    readonly url?: string | undefined;
    readonly log?: string | undefined;
    readonly health?: string | undefined;
  },
): CompiledModel {
  const { url = model.url, log = model.log, health = model.health } = given;
  const wasDefault = model.readiness === defaultReadiness(model.log, model.health);
  return {
    ...model,
    url,
    log,
    health,
    readiness: wasDefault ? defaultReadiness(log, health) : model.readiness,
  };
}

function defaultReadiness(log: string | null, health: string | null): CompiledModel['readiness'] {
  if (log !== null) return health === null ? 'log' : 'both';
  return health === null ? 'none' : 'health';
}

function isBaseAddress(url: unknown): boolean {
  return typeof url === 'string' && /^https?:\/\/[^?#@]+$/i.test(url) && URL.canParse(url);
}

function isRule(rule: LogRule): boolean {
  if (typeof rule === 'string') return rule !== '';
  return rule instanceof RegExp || (isObject(rule) && typeof rule.prefix === 'string' && rule.prefix !== '');
}
