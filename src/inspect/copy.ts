import { BatchRefused } from '../../machines/batch-size.js';
import { withoutLastLines } from '../../machines/endings.js';
import type { Redact } from '../redact.js';
import type { Json } from './contract.js';

export interface CopyOptions {
  readonly redact: Redact;
  /** How many characters the copy may have, about. What is beyond is cut. */
  readonly characters: number;
}

/** Members that are secrets, or what clients and models say to one another, or models to nobody, whatever they hold. */
const KEPT_BACK =
  /^(?:payload|body|last_?lines|auth_?data|session_?(?:id|auth)|on_?close_?payload|(?:set-)?cookie|(?:proxy-)?authorization|signature|mtoken|(?:x-)?api[-_]?key|.*(?:token|secret|password|passwd|credentials?))$/i;

const DEPTH = 16;

/** So many members of a list tell whether all of it fits: of one that does not, they are enough. */
const FIRST_OF_LIST = 8;

/** What stands for what was left out, and for what JSON can't say. Who reads a recording back knows them. */
export const CUT = '$cut';
const NUMBER = '$number';
const MAP = '$map';
const SET = '$set';
const ERROR = '$error';

/**
 * Copies a value as JSON, without secrets and without the lines of a model server, since some log the prompts that
 * they are asked. What JSON has no form for (infinity, maps, errors) is kept in one that
 * `revive` understands; functions and what has an identity of its own, such as actors, are left out.
 */
export function copyOf(value: unknown, { redact, characters }: CopyOptions): Json {
  let left = characters;
  return copy(value, DEPTH) ?? null;

  function copy(from: unknown, depth: number): Json | undefined {
    left -= 4;
    if (left < 0) return { [CUT]: true };
    switch (typeof from) {
      case 'string':
        return text(from);
      case 'number':
        return Number.isFinite(from) ? from : { [NUMBER]: String(from) };
      case 'boolean':
        return from;
      case 'bigint':
        return text(String(from));
      case 'object':
        return from === null ? null : ofObject(from, depth);
      default:
        return undefined;
    }
  }

  function text(whole: string): Json {
    // A secret at the end of what fits would be cut, and its beginning no longer known for one.
    const from = redact(withoutLastLines(whole));
    const fits = Math.max(left, 0);
    left -= from.length;
    return from.length <= fits ? from : `${from.slice(0, fits)}…`;
  }

  function ofObject(from: object, depth: number): Json | undefined {
    if (depth === 0) return { [CUT]: true };
    if (Array.isArray(from)) return items(from, depth);
    if (from instanceof Error) return { [ERROR]: { name: nameOf(from), message: text(from.message) } };
    if (from instanceof Map) return { [MAP]: items([...from], depth) };
    if (from instanceof Set) return { [SET]: items([...from], depth) };
    const prototype: unknown = Object.getPrototypeOf(from);
    if (prototype !== Object.prototype && prototype !== null) return undefined;
    return members(from, depth);
  }

  function items(from: readonly unknown[], depth: number): Json[] {
    const copied: Json[] = [];
    const room = left;
    const isTooLong = () =>
      copied.length === FIRST_OF_LIST && (room - left) * from.length > room * FIRST_OF_LIST;
    for (const item of from) {
      if (left < 0 || isTooLong()) {
        copied.push({ [CUT]: from.length - copied.length });
        break;
      }
      copied.push(copy(item, depth - 1) ?? null);
    }
    return copied;
  }

  function members(from: object, depth: number): Json {
    const copied: [string, Json][] = [];
    for (const [name, member] of Object.entries(from)) {
      if (left < 0) {
        copied.push([CUT, true]);
        break;
      }
      left -= name.length;
      const value = KEPT_BACK.test(name) && isTold(member) ? keptBack(member) : copy(member, depth - 1);
      if (value !== undefined) copied.push([name, value]);
    }
    return Object.fromEntries(copied);
  }
}

/** A list stays one, since a machine may be told of it again. */
function keptBack(member: unknown): Json {
  return Array.isArray(member) ? ['[redacted]'] : '[redacted]';
}

/** That there is none is no secret. */
function isTold(member: unknown): boolean {
  return member !== undefined && member !== null && member !== '';
}

/** Makes of a copy what it was copied from, as far as it can. */
export function revive(json: Json): unknown {
  if (json === null || typeof json !== 'object') return json;
  if (isList(json)) return json.map(revive);
  const { [NUMBER]: number, [MAP]: map, [SET]: set, [ERROR]: error } = json;
  if (typeof number === 'string') return Number(number);
  if (isList(map)) return new Map(map.map((pair) => revive(pair) as [unknown, unknown]));
  if (isList(set)) return new Set(set.map(revive));
  if (isObject(error)) return errorOf(error);
  return Object.fromEntries(Object.entries(json).map(([name, member]) => [name, revive(member)]));
}

/** Whether something of what was copied is missing. */
export function isCut(json: Json): boolean {
  if (json === null || typeof json !== 'object') return false;
  if (isList(json)) return json.some(isCut);
  return Object.entries(json).some(([name, member]) => name === CUT || isCut(member));
}

/** Errors that a machine tells from others. */
const KINDS: Readonly<Record<string, new (message: string) => Error>> = { BatchRefused };

function nameOf(error: Error): string {
  const kind = Object.keys(KINDS).find((name) => error.constructor === KINDS[name]);
  return kind ?? error.name;
}

function errorOf({ name, message }: { readonly [member: string]: Json }): Error {
  const Kind = Object.hasOwn(KINDS, String(name)) ? KINDS[String(name)] : undefined;
  if (Kind !== undefined) return new Kind(String(message));
  return Object.assign(new Error(String(message)), { name: String(name) });
}

function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

function isObject(json: Json | undefined): json is { readonly [member: string]: Json } {
  return typeof json === 'object' && json !== null && !isList(json);
}
