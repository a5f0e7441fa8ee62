import { REDACTED } from './redact-named.js';

/**
 * Takes out of a text what is a secret by its form, whatever it is called: who comes with a password in an address, as
 * in `redis://:…@host`, keys with the beginning of those who give them out, and JSON Web Tokens.
 *
 * Each expression reads a character a few times at most, whatever the text holds: what one try has read to no end is
 * not where the next one begins.
 */
export function redactShaped(text: string): string {
  // Most texts are a word, and there are thousands a second: to look for each form in each of them costs several times more.
  const open = text.includes('://') ? text.replace(PASSWORD_IN_ADDRESS, `$1${REDACTED}@`) : text;
  if (open.length < SHORTEST) return open;
  return open.replace(WEB_TOKEN, REDACTED).replace(KEY, (key) => (isDrawn(key) ? REDACTED : key));
}

/** No web token and no key has fewer characters. */
const SHORTEST = 13;

/**
 * The name goes, too: where the password is empty, it is the key. A password may hold a slash, though it should not;
 * what begins as a port does is none.
 */
const PASSWORD_IN_ADDRESS =
  /(:\/\/)(?!\[)[^\s"'`<>/?#@:]*:(?:[^\s"'`<>/?#]*|(?!\d*[/?#])(?:(?!:\/\/)[^\s"'`<>@])*)@/g;

/** Parts in Base64, of which the first begins as a JSON object does. */
const WEB_TOKEN = /(?<![\w-])eyJ[\w-]{8,}(?:\.[\w-]*){2,4}/g;

/** Where a word begins: also behind a line end or a colour as they are written out, or an encoded character. */
const KEY = new RegExp(
  '(?:(?<![A-Za-z0-9])|(?<=\\\\[nrt]|\\[[\\d;]{1,20}m|%[\\dA-Fa-f]{2}))' +
    '(?:(?:hf_|gh[oprsu]_|npm_|gsk_|r8_|rpa_|xai-|pplx-|[rs]k_(?:live|test)_)[A-Za-z0-9]{16,}' +
    '|(?:sk-|github_pat_|glpat-|nvapi-|xox[abeoprs]-|pypi-AgE|AIza)[\\w-]{16,})',
  'g',
);

/** A key is drawn by chance: it has digits, or letters of both cases. Words of a name in lower case are none. */
function isDrawn(key: string): boolean {
  return /\d/.test(key) || (/[a-z]/.test(key) && /[A-Z]/.test(key));
}
