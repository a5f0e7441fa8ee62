/**
 * What a worker sends, made fit to be kept and shown: secrets are replaced, and size and depth are
 * bounded. It runs before anything else sees the body, so nothing behind it can leak a token.
 */

export const REDACTED = '[redacted]';

const MAX_DEPTH = 8;
/** Of a list or an object; the rest is cut off. */
export const MAX_ENTRIES = 1_024;
const MAX_STRING_LENGTH = 4_096;

/** Shorter tokens occur inside ordinary words; replacing those would garble the text and hide nothing. */
const MIN_SECRET_LENGTH = 8;

const SECRET_NAME = /token$|secret|password|api_?key|authorization|cookie|signature/i;
const SECRET_IN_QUERY = /([?&](?:api_?key|m?token|signature)=)[^&\s"']+/gi;
const BEARER = /\b(Bearer\s+)[^\s"',;]+/gi;

/** A copy of parsed JSON without secrets: by field name, as bearer or query parameter, and by value. */
export function redact(body: unknown): unknown {
  const secrets = secretsOf(body);

  const text = (value: string): string => {
    let clean = value.replace(SECRET_IN_QUERY, `$1${REDACTED}`).replace(BEARER, `$1${REDACTED}`);
    for (const secret of secrets) clean = clean.replaceAll(secret, REDACTED);
    return clean.length > MAX_STRING_LENGTH ? `${clean.slice(0, MAX_STRING_LENGTH)}…` : clean;
  };

  const copy = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return text(value);
    if (typeof value !== 'object' || value === null) return value;
    // JSON may nest deeper than a call stack is high.
    if (depth === MAX_DEPTH) return '[too deep]';
    if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => copy(entry, depth + 1));
    const entries = Object.entries(value).slice(0, MAX_ENTRIES);
    return Object.fromEntries(
      entries.map(([name, entry]) => [
        text(name),
        SECRET_NAME.test(name) ? REDACTED : copy(entry, depth + 1),
      ]),
    );
  };

  return copy(body, 0);
}

/** The values of secret fields at the top, so that they are also found inside other text (an error message). */
function secretsOf(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body)
    .filter(([name, value]) => SECRET_NAME.test(name) && typeof value === 'string')
    .map(([, value]) => String(value))
    .filter((value) => value.length >= MIN_SECRET_LENGTH)
    .slice(0, 8);
}
