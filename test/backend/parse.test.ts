import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineBackend, type RequestParser } from '../../src/backend/index.js';
import { WorkerError } from '../../src/errors.js';

function parse(parseRequest: RequestParser<unknown>, json: unknown): Promise<unknown> | undefined {
  const backend = defineBackend({
    name: 'parses',
    dialect: 'none',
    routes: { '/run': { parseRequest, handle: () => undefined } },
  });
  return backend.routes.get('/run')?.parse?.(json);
}

/** A schema of no library: an amount that is a number, told in the ways that the standard allows. */
function standardSchema(answer: (result: StandardSchemaV1.Result<number>) => unknown) {
  return {
    '~standard': {
      version: 1,
      vendor: 'none',
      validate: (json: unknown) =>
        answer(
          typeof json === 'number'
            ? { value: json * 2 }
            : {
                issues: [
                  { message: 'a number is missing', path: ['a', { key: 'b' }, 0] },
                  { message: 'in all' },
                ],
              },
        ),
    },
  } as StandardSchemaV1<unknown, number>;
}

function check(json: unknown): number {
  if (typeof json !== 'number') throw new Error('amount must be a number');
  return json * 2;
}

const OBJECT = z.object({ amount: z.number(), deep: z.array(z.object({ x: z.int() })) });

describe.each<
  [name: string, parser: RequestParser<unknown>, good: [unknown, unknown], bad: [unknown, string]]
>([
  [
    'a zod schema',
    z.number().transform((amount) => amount * 2),
    [2, 4],
    ['x', 'Invalid input: expected number, received string'],
  ],
  [
    'an object of zod',
    OBJECT,
    [
      { amount: 1, deep: [], more: 1 },
      { amount: 1, deep: [] },
    ],
    [
      { deep: [{ x: 1 }, { x: 0.5 }] },
      'amount: Invalid input: expected number, received undefined; deep.1.x: Invalid input: expected int, received number',
    ],
  ],
  [
    'a zod schema that takes its time',
    z.number().refine(async (amount) => amount < 3, 'too much'),
    [2, 2],
    [3, 'too much'],
  ],
  ['another schema', standardSchema((result) => result), [2, 4], ['x', 'a.b.0: a number is missing; in all']],
  [
    'another schema that takes its time',
    standardSchema(async (result) => result),
    [2, 4],
    ['x', 'a.b.0: a number is missing; in all'],
  ],
  [
    'a schema that can be called',
    Object.assign(
      () => 'called',
      standardSchema((result) => result),
    ),
    [2, 4],
    ['x', 'a.b.0: a number is missing; in all'],
  ],
  ['a function', check, [2, 4], ['x', 'amount must be a number']],
  ['a function that takes its time', async (json) => check(json), [2, 4], ['x', 'amount must be a number']],
  [
    'a function that throws a text',
    (json) => (json === 2 ? 4 : fail('amount is wrong')),
    [2, 4],
    ['x', 'amount is wrong'],
  ],
])('%s', (_name, parser, [json, body], [wrong, message]) => {
  it('parses', async () => {
    expect(await parse(parser, json)).toEqual(body);
  });

  it('tells what is wrong', async () => {
    const error = await parse(parser, wrong)?.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkerError);
    expect(error).toMatchObject({ status: 400, body: { error: 'invalid_request', message } });
  });
});

function fail(thrown: unknown): never {
  throw thrown;
}

it('a function may say with which error', async () => {
  const error = new WorkerError('unsupported_media_type', 'Only pictures.');
  await expect(parse(() => fail(error), {})).rejects.toBe(error);
});

it('a body with very many faults is told some of them', async () => {
  const faults = Array.from({ length: 10_000 }, () => 'x');
  await expect(parse(z.array(z.number()), faults)).rejects.toMatchObject({
    message: `${[0, 1, 2, 3, 4].map((index) => `${index}: Invalid input: expected number, received string`).join('; ')}; and 9995 more`,
  });
});
