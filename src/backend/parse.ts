import type { StandardSchemaV1 } from '@standard-schema/spec';
import { messageOf, WorkerError } from '../errors.js';
import type { RequestParser } from './types.js';

/** Turns what a route gives as `parseRequest` into one function that rejects with a WorkerError. */
export function compileParser(parser: RequestParser<never> | undefined): (json: unknown) => Promise<unknown> {
  if (parser === undefined) return async (json) => json;
  // First the schema: some libraries make schemas that can be called, too.
  if ('~standard' in parser) return (json) => parseWithSchema(parser, json);
  return (json) => parseWithFunction(parser, json);
}

async function parseWithSchema(schema: StandardSchemaV1<unknown, never>, json: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(json);
  if (!result.issues) return result.value;
  throw new WorkerError('invalid_request', result.issues.map(describe).join('; '));
}

async function parseWithFunction(parse: (json: unknown) => unknown, json: unknown): Promise<unknown> {
  try {
    return await parse(json);
  } catch (cause) {
    throw new WorkerError('invalid_request', messageOf(cause), { cause });
  }
}

function describe({ path = [], message }: StandardSchemaV1.Issue): string {
  const field = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.');
  return field === '' ? message : `${field}: ${message}`;
}
