import type { StandardSchemaV1 } from '@standard-schema/spec';
import { asWorkerError, messageOf, WorkerError } from '../errors.js';
import type { RequestParser } from './types.js';

/** How many things that are wrong with one body are told: a body of a megabyte may have a hundred thousand. */
const TOLD_ISSUES = 5;

/** Turns what a route gives as `parseRequest` into one function that rejects with a WorkerError. */
export function compileParser(parser: RequestParser<never>): (json: unknown) => Promise<unknown> {
  // First the schema: some libraries make schemas that can be called, too.
  if ('~standard' in parser) return (json) => parseWithSchema(parser, json);
  return (json) => parseWithFunction(parser, json);
}

async function parseWithSchema(schema: StandardSchemaV1<unknown, never>, json: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(json);
  if (!result.issues) return result.value;
  const told = result.issues
    .slice(0, TOLD_ISSUES)
    .map(({ path, message }) => ({ field: fieldOf(path), message }));
  const more = result.issues.length - told.length;
  const sentences = told.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
  throw new WorkerError(
    'invalid_request',
    [...sentences, ...(more > 0 ? [`and ${more} more`] : [])].join('; '),
    { fields: Object.fromEntries(told.map(({ field, message }) => [field, message])) },
  );
}

async function parseWithFunction(parse: (json: unknown) => unknown, json: unknown): Promise<unknown> {
  try {
    return await parse(json);
  } catch (cause) {
    throw asWorkerError(cause) ?? new WorkerError('invalid_request', messageOf(cause), { cause });
  }
}

/** Whether a value is something that {@link compileParser} can use. */
export function isParser(value: unknown): boolean {
  return typeof value === 'function' || (typeof value === 'object' && value !== null && '~standard' in value);
}

/** The field that an issue is about, as `messages.0.role`; empty for the whole body. */
function fieldOf(path: StandardSchemaV1.Issue['path'] = []): string {
  return path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.');
}
