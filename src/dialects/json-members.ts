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
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];
const [OPEN_ARRAY, CLOSE_ARRAY] = [0x5b, 0x5d];

/**
 * The source text of each top-level member, by its decoded key. Of a key that is there twice the last
 * counts, as for every parser that matters here.
 *
 * @param text an object, accepted by `JSON.parse`: what is no JSON gives no error and nothing sensible
 */
export function membersOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { key, valueStart, end } of members(text)) found.set(key, text.slice(valueStart, end));
  return found;
}

/** Each top-level member of such a text in its order, those with a key that was there before included. */
export function* members(text: string): Generator<Member> {
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (at < text.length && text.charCodeAt(at) !== CLOSE_OBJECT) {
    const start = at;
    const keyEnd = endOfString(text, start);
    const colon = skipSpace(text, keyEnd);
    const valueStart = skipSpace(text, colon + 1);
    const end = endOfValue(text, valueStart);
    yield { key: decodeKey(text.slice(start, keyEnd)), start, valueStart, end };
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
  }
}

function decodeKey(source: string): string {
  return source.includes('\\') ? String(JSON.parse(source)) : source.slice(1, -1);
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
