import type { OpenedEnvelope } from './envelope.js';
import { type Member, memberOf, membersIn } from './json-members.js';

type Refused = Extract<OpenedEnvelope, { readonly ok: false }>;

/** The members of an envelope that are looked at, parsed; what is not there has no entry. */
export type ParsedMembers =
  | { readonly ok: true; readonly values: Readonly<Record<string, unknown>> }
  | Refused;

/**
 * The longest text that is parsed before its sender has proved anything, in UTF-16 units: a signature, an address
 * and a name at their longest, each character escaped.
 */
const LONGEST_MEMBER = 256 * 1_024;

/** The longest body of which it is told what it is, where it is no object. */
const LONGEST_OTHER = 1_024;

/** Finds the members of a body that must be an object. */
export function readMembers(
  text: string,
): { readonly ok: true; readonly members: readonly Member[] } | Refused {
  const found = membersIn(text);
  if (found.ok) return found;
  if (found.problem === 'too many members') return TOO_MANY_MEMBERS;
  return found.problem === 'no JSON' ? NO_JSON : notAnObject(text);
}

/** Parses those members that have one of these keys. */
export function parseMembers(
  text: string,
  members: readonly Member[],
  keys: readonly string[],
): ParsedMembers {
  const values: Record<string, unknown> = {};
  for (const key of keys) {
    const member = memberOf(members, key);
    if (member === undefined) continue;
    if (member.end - member.valueStart > LONGEST_MEMBER) return refused(key, 'Too long');
    try {
      values[key] = JSON.parse(text.slice(member.valueStart, member.end));
    } catch {
      return NO_JSON;
    }
  }
  return { ok: true, values };
}

export const TOO_MANY_MEMBERS = refused('body', 'Invalid input: too many members');

const NO_JSON: Refused = { ok: false, fields: null };

function refused(field: string, problem: string): Refused {
  return { ok: false, fields: { [field]: problem } };
}

function notAnObject(text: string): Refused {
  if (text.length > LONGEST_OTHER) return refused('body', EXPECTED);
  try {
    return refused('body', `${EXPECTED}, received ${typeName(JSON.parse(text))}`);
  } catch {
    return NO_JSON;
  }
}

const EXPECTED = 'Invalid input: expected object';

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
