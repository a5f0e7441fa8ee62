export const REDACTED = '[redacted]';

/**
 * Takes out of a text what it names as a secret, as in `Authorization: Bearer …`, `?api_key=…`, `"token": "…"` or
 * `--api-key …`. Each step goes on where the last one ended, so that it takes time in proportion to the length of the
 * text, whatever that holds.
 */
export function redactNamed(text: string): string {
  const parts: string[] = [];
  let kept = 0;
  NAME.lastIndex = 0;
  for (let found = NAME.exec(text); found !== null; found = NAME.exec(text)) {
    const [name] = found;
    const value = valueAfter(text, name.toLowerCase(), found.index);
    if (value === null) continue;
    parts.push(text.slice(kept, value.from), REDACTED);
    kept = value.to;
    NAME.lastIndex = value.to;
  }
  return kept === 0 ? text : parts.join('') + text.slice(kept);
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The end of a name, so that `HF_TOKEN` and `X-API-Key` are found as well. */
const NAME = /authorization|bearer|basic|api[-_]?key|token|passw(?:or)?d|secret/gi;

/** As far as it is looked back whether a name is an option of a command line. */
const OPTION_CHARACTERS = 40;

const OPENING = '([{';
const CLOSING = ')]}';

function valueAfter(text: string, name: string, at: number): Span | null {
  const end = at + name.length;
  if (name === 'bearer' || name === 'basic') return credentials(text, name, at, end);
  const from = afterSeparator(text, at, end);
  if (from === null) return null;
  const value = valueAt(text, from);
  return isSecret(name, text.slice(value.from, value.to)) ? withScheme(text, name, value) : null;
}

/** What stands after a scheme without a header's name. */
function credentials(text: string, scheme: string, at: number, end: number): Span | null {
  const from = skip(text, end, isBlank);
  if (from === end || isOfName(text[at - 1]) || text.startsWith(REDACTED, from)) return null;
  const to = skip(text, from, isOfWord);
  const word = text.slice(from, to);
  // It may be a sentence that speaks of it, or of a secret with a name of its own.
  if (word === '' || /^(?:tokens?|auth[a-z]*):?$|^[\w-]*(?:token|api[-_]?key)[:=]/i.test(word)) return null;
  return scheme === 'basic' && /^[a-z.:]*$/.test(word) ? null : { from, to };
}

/** Where the value of a name begins; null: it has none. */
function afterSeparator(text: string, at: number, end: number): number | null {
  const quoted = skip(text, end, (character) => isQuote(character) || character === '\\');
  const next = skip(text, quoted, isBlank);
  if (text[next] === '=' || text[next] === ':') {
    return skip(text, next, (character) => '=:>'.includes(character));
  }
  if (text.slice(next, next + 3).toLowerCase() === '%3d') return next + 3;
  // A pair, as headers are in Python: (b'x-api-key', b'…').
  if (quoted > end && text[next] === ',') return next + 1;
  return next > end && quoted === end && isOption(text, at) ? next : null;
}

function isOption(text: string, at: number): boolean {
  return /(?:^|[\s"'])--?[\w-]*$/.test(text.slice(Math.max(0, at - OPTION_CHARACTERS), at));
}

function valueAt(text: string, separated: number): Span {
  const from = skip(text, separated, isBlank);
  const closing = CLOSING[OPENING.indexOf(text[from] ?? ' ')];
  if (closing !== undefined) {
    const to = endOf(text, from, (character) => character === closing);
    return { from, to: text[to] === closing ? to + 1 : to };
  }
  // A quote in a text that is quoted itself stands after a backslash; b'…' is how Python writes bytes.
  const opened = skip(text, isBytes(text, from) ? from + 1 : from, (character) => character === '\\');
  const quote = text[opened];
  if (!isQuote(quote)) return { from, to: skip(text, from, isOfWord) };
  const isEscaped = text[opened - 1] === '\\';
  const to = endOf(text, opened + 1, (character, index) => {
    return isEscaped
      ? character === '\\' || character === quote
      : character === quote && text[index - 1] !== '\\';
  });
  return { from: opened + 1, to };
}

function isBytes(text: string, at: number): boolean {
  return /^[bu]["']$/.test(text.slice(at, at + 2));
}

/**
 * That there is none is no secret, nor is how many tokens there are or which one ends an answer. What is no secret is
 * short: it is looked at again, for what it may hold.
 */
function isSecret(name: string, value: string): boolean {
  if (value === '' || /^(?:none|null|undefined|true|false|\[\]|\{\}|\(\))$/i.test(value)) return false;
  return name !== 'token' || !/^(?:<[^<>]{1,40}>|[\d.]{1,7})$/.test(value);
}

/** `Authorization` has two words, of which the second one is the secret. */
function withScheme(text: string, name: string, { from, to }: Span): Span {
  if (name !== 'authorization' || text[from] === '[' || !isBlank(text[to] ?? '')) return { from, to };
  const second = skip(text, to, isBlank);
  const isGone = text.startsWith(REDACTED, second);
  return { from, to: isGone ? second + REDACTED.length : skip(text, second, isOfWord) };
}

/** The first place from there on, in the same line, where this holds; the end of the line if there is none. */
function endOf(text: string, from: number, holds: (character: string, index: number) => boolean): number {
  let to = from;
  for (let each = text[to]; each !== undefined && each !== '\n' && !holds(each, to); each = text[to]) to += 1;
  return to;
}

function skip(text: string, from: number, does: (character: string) => boolean): number {
  let to = from;
  for (let each = text[to]; each !== undefined && does(each); each = text[to]) to += 1;
  return to;
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t';
}

function isQuote(character: string | undefined): boolean {
  return character !== undefined && '"\'`'.includes(character);
}

function isOfName(character: string | undefined): boolean {
  return character !== undefined && /\w/.test(character);
}

function isOfWord(character: string): boolean {
  return !/[\s"'`\\&,;)\]}]/.test(character);
}
