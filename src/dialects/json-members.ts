/** Where a member of an object stands in its text. Offsets are in UTF-16 units; `end` is exclusive. */
export interface Member {
  readonly key: string;
  /** Of the key's opening quote. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];
const [OPEN_ARRAY, CLOSE_ARRAY] = [0x5b, 0x5d];

/** The top-level members of an object in their order, or why there are none to be had. */
export type Members =
  | { readonly ok: true; readonly members: readonly Member[] }
  | { readonly ok: false; readonly problem: MembersProblem };

export type MembersProblem = 'no object' | 'no JSON' | 'too many members';

/** No envelope has nearly as many, and whoever sends more shall not make the worker busy with them. */
const MOST_MEMBERS = 10_000;

/**
 * Where each member of an object stands, those with a key that was there before included. What a member holds is
 * not looked into: that is for `JSON.parse` to accept, where it is wanted. So this takes a fraction of a second for
 * 64 MiB, whatever they are, while parsing can take many.
 */
export function membersIn(text: string): Members {
  const members: Member[] = [];
  const problem = walk(text, members);
  return problem === undefined ? { ok: true, members } : { ok: false, problem };
}

function walk(text: string, found: Member[]): MembersProblem | undefined {
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_OBJECT) return 'no object';
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) === CLOSE_OBJECT) return expectEnd(text, at + 1);
  for (;;) {
    const member = memberAt(text, at);
    if (member === undefined) return 'no JSON';
    if (found.push(member) > MOST_MEMBERS) return 'too many members';
    at = skipSpace(text, member.end);
    if (text.charCodeAt(at) === CLOSE_OBJECT) return expectEnd(text, at + 1);
    if (text.charCodeAt(at) !== COMMA) return 'no JSON';
    at = skipSpace(text, at + 1);
  }
}

function expectEnd(text: string, at: number): MembersProblem | undefined {
  return skipSpace(text, at) < text.length ? 'no JSON' : undefined;
}

function memberAt(text: string, start: number): Member | undefined {
  if (text.charCodeAt(start) !== QUOTE) return undefined;
  const keyEnd = endOfString(text, start);
  const key = decodeKey(text.slice(start, keyEnd));
  const colon = skipSpace(text, keyEnd);
  if (key === undefined || text.charCodeAt(colon) !== COLON) return undefined;
  const valueStart = skipSpace(text, colon + 1);
  const end = endOfValue(text, valueStart);
  return end === valueStart ? undefined : { key, start, valueStart, end };
}

/** The last member with a key: of one that is there twice it counts, as for every parser that matters here. */
export function memberOf(members: readonly Member[], key: string): Member | undefined {
  return members.findLast((member) => member.key === key);
}

function decodeKey(source: string): string | undefined {
  if (!source.includes('\\')) return source.slice(1, -1);
  try {
    return String(JSON.parse(source));
  } catch {
    return undefined;
  }
}

function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return endOfString(text, start);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return endOfNested(text, start);
  return endOfScalar(text, start);
}

/** Nothing is checked again, so brackets need only be counted, whichever they are. */
function endOfNested(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    at++;
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
    else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth--;
    if (depth === 0) return at;
  }
  return at;
}

/** A string may be tens of megabytes (an image in base64): its end is looked for, not walked to. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? text.length : quote + 1;
}

/** Whether an odd number of backslashes stands before it. They end at the latest at the opening quote. */
function isEscaped(text: string, quote: number): boolean {
  let before = quote - 1;
  while (text.charCodeAt(before) === BACKSLASH) before--;
  return (quote - before) % 2 === 0;
}

function endOfScalar(text: string, start: number): number {
  let at = start;
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at++;
  return at;
}

function endsScalar(code: number): boolean {
  return code === COMMA || code === CLOSE_OBJECT || code === CLOSE_ARRAY || isSpace(code);
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** Space, line feed, carriage return and tab are all the white space that JSON has. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
