import { isObject } from './check.js';
import { checkFields, type KnownFields } from './known-fields.js';
import type { LogRule, LogRules, ModelServer } from './types.js';

/** A model server as the worker watches it: every default filled in. */
export interface CompiledModel {
  readonly url: string;
  /** What the worker starts it with; null: somebody else runs it. */
  readonly command: string | readonly string[] | null;
  /** The path of its log file. */
  readonly log: string | null;
  readonly logs: LogRules;
  readonly health: string | null;
  readonly readiness: 'log' | 'health' | 'both' | 'none';
  /** Whether its author left that to what there is to watch. */
  readonly readinessIsDefault: boolean;
}

const FIELDS: KnownFields<ModelServer> = {
  url: true,
  command: true,
  log: true,
  logs: true,
  health: true,
  readiness: true,
};

const LOG_FIELDS: KnownFields<LogRules> = { loaded: true, failed: true, info: true };

/** @throws {TypeError} when it can't work, naming the field */
export function compileModel(model: ModelServer): CompiledModel {
  const check = (ok: boolean, problem: string) => {
    if (!ok) throw new TypeError(`defineBackend: model${problem}`);
  };
  check(isObject(model), ' must be an object with a url');
  checkFields('model', model, FIELDS);
  const { url, command = null, log = null, logs = {}, health = null, readiness } = model;
  check(isBaseAddress(url), '.url must be an http address such as "http://127.0.0.1:8000"');
  check(
    command === null || isCommand(command),
    '.command must be a text for a shell, or a list of a program and its arguments',
  );
  check(log === null || (typeof log === 'string' && log !== ''), '.log must be the path of a file');
  check(
    health === null || (typeof health === 'string' && health.startsWith('/')),
    '.health must be a path such as "/health"',
  );
  check(isObject(logs), '.logs must be an object of rules');
  checkFields('model.logs', logs, LOG_FIELDS);
  for (const [name, rules] of Object.entries(logs)) {
    check(
      Array.isArray(rules) && rules.every(isRule),
      `.logs.${name} must be a list of texts, prefixes or regular expressions`,
    );
  }
  check(
    readiness === undefined || ['log', 'health', 'both'].includes(readiness),
    '.readiness must be log, health or both',
  );
  const known = { url, command, log, logs, health };
  return {
    ...known,
    readiness: readiness ?? defaultReadiness(known),
    readinessIsDefault: readiness === undefined,
  };
}

/** Whether what it says is heard: the worker reads its log, or what it runs itself. */
export function isHeard({ command, log }: Pick<CompiledModel, 'command' | 'log'>): boolean {
  return log !== null || command !== null;
}

/** The same with another command, log or health path, as the environment may set them. */
export function withPaths(
  model: CompiledModel,
  given: {
    readonly url?: string | undefined;
    readonly command?: string | undefined;
    readonly log?: string | undefined;
    readonly health?: string | undefined;
  },
): CompiledModel {
  const { url = model.url, command = model.command, log = model.log, health = model.health } = given;
  const changed = { ...model, url, command, log, health };
  return model.readinessIsDefault ? { ...changed, readiness: defaultReadiness(changed) } : changed;
}

/** A file that is named is meant to be read. What is heard without one may be of a server that says nothing known. */
function defaultReadiness({
  command,
  log,
  logs,
  health,
}: Omit<CompiledModel, 'readiness' | 'readinessIsDefault'>): CompiledModel['readiness'] {
  if (log !== null) return health === null ? 'log' : 'both';
  if (health !== null) return 'health';
  return command !== null && (logs.loaded ?? []).length > 0 ? 'log' : 'none';
}

function isCommand(command: unknown): boolean {
  const words: unknown[] = Array.isArray(command) ? command : [command];
  const [program] = words;
  return (
    typeof program === 'string' && program.trim() !== '' && words.every((word) => typeof word === 'string')
  );
}

function isBaseAddress(url: unknown): boolean {
  return typeof url === 'string' && /^https?:\/\/[^?#@]+$/i.test(url) && URL.canParse(url);
}

function isRule(rule: LogRule): boolean {
  if (typeof rule === 'string') return rule !== '';
  return rule instanceof RegExp || (isObject(rule) && typeof rule.prefix === 'string' && rule.prefix !== '');
}
