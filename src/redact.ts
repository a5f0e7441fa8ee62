import type { Config } from './config/index.js';
import type { Log, LogFields } from './log.js';
import { REDACTED, redactNamed } from './redact-named.js';
import { redactShaped } from './redact-shaped.js';

/** Takes the secrets out of a text. */
export type Redact = (text: string) => string;

const SECRET = /(?:TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

/** Shorter values are found in any text by chance. */
const SECRET_CHARACTERS = 8;

/**
 * Takes the values of everything in the environment that is named as a secret out of texts, what a text names as
 * one itself, and what has the form of one.
 */
export function redactor(env: Readonly<Record<string, string | undefined>>): Redact {
  const secrets = Object.entries(env)
    .filter(([name]) => SECRET.test(name))
    .map(([, value = '']) => value)
    .filter((value) => value.length >= SECRET_CHARACTERS)
    // One may begin as another does.
    .toSorted((one, other) => other.length - one.length);
  const redactKnown = (text: string) =>
    secrets.reduce((left, secret) => left.replaceAll(secret, REDACTED), text);
  return (text) => redactShaped(redactNamed(redactKnown(text)));
}

/** What a worker keeps to itself: the secrets of its environment, and those that it was given as settings. */
export function redactorFor({ masterToken, internalToken }: Config): Redact {
  return redactor({ ...process.env, MASTER_TOKEN: masterToken, INTERNAL_TOKEN: internalToken });
}

/** A log whose lines, and what their fields hold of texts, have no secret. */
export function redactedLog(log: Log, redact: Redact): Log {
  const of = (level: keyof Log) => (message: string, fields?: LogFields) =>
    log[level](redact(message), fields && redactedFields(fields, redact));
  return { debug: of('debug'), info: of('info'), warn: of('warn'), error: of('error') };
}

function redactedFields(fields: LogFields, redact: Redact): LogFields {
  const redacted = (value: unknown): unknown => {
    if (typeof value === 'string') return redact(value);
    return Array.isArray(value) ? value.map(redacted) : value;
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redacted(value)]));
}

/**
 * The beginning of a text, without secrets. They are taken out of all of it before it is cut: of a secret that is cut,
 * what is left is no longer known for one.
 */
export function beginningOf(text: string, characters: number, redact: Redact): string {
  return redact(text).slice(0, characters);
}

/**
 * A line as it is kept until somebody looks, who gets it without secrets: most lines nobody sees. One that is too long
 * to be kept as a whole has none from the beginning, and says that it was cut.
 */
export function keptOf(line: string, characters: number, redact: Redact): string {
  if (line.length <= characters) return line;
  const clean = redact(line);
  return clean.length <= characters ? clean : `${clean.slice(0, characters - 1)}…`;
}
