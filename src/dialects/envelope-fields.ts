import { z } from 'zod';
import { MOST_PROBLEMS, type OpenedEnvelope } from './envelope.js';

/** What the envelopes of both dialects have in common. */

const MISSING = 'missing';

/**
 * The longest address, name or signature that is taken, in UTF-16 units. Texts that are signed are made
 * from these before anybody has proved anything, so a body of megabytes must not become one.
 */
const LONGEST_TEXT = 8_192;

export const shortText = z.string().max(LONGEST_TEXT);

/** Not copied and not looked into: it may be large, and it is the model's. */
export const anObject = z.custom<Readonly<Record<string, unknown>>>(isObject, {
  error: ({ input }) => (input === undefined ? MISSING : 'Invalid input: expected object'),
});

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Checks a body against the form of its envelope. It tells the fields, and never a value of the client's. */
export function checkFields<Fields>(
  schema: z.ZodType<Fields>,
  json: unknown,
): { readonly ok: true; readonly fields: Fields } | Extract<OpenedEnvelope, { readonly ok: false }> {
  const checked = schema.safeParse(json, {
    error: ({ input }) => (input === undefined ? MISSING : undefined),
  });
  if (checked.success) return { ok: true, fields: checked.data };
  const problems = checked.error.issues.slice(0, MOST_PROBLEMS);
  return {
    ok: false,
    fields: Object.fromEntries(problems.map(({ path, message }) => [path.join('.') || 'body', message])),
  };
}
