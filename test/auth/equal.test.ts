import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameJson, sameSecret } from '../../src/auth/equal.js';

describe('a secret', () => {
  it.each([
    ['s3cret', 's3cret', true],
    ['s3cret', 's3creT', false],
    ['s3cret', 's3cret ', false],
    ['Mtoken', 'Mtoken', true],
    ['schlüssel', 'schlüssel', true],
    ['', '', false],
    ['', 's3cret', false],
    ['s3cret', '', false],
    ['mtoken', 'mtoken', false],
  ])('%j and %j: %s', (a, b, same) => {
    expect(sameSecret(a, b)).toBe(same);
  });
});

describe('parsed JSON', () => {
  it.each<[string, string, boolean]>([
    ['{"a":1,"b":[true,null]}', '{"b":[true,null],"a":1}', true],
    ['{"a":1}', '{"a":1,"b":2}', false],
    ['{"a":1,"b":2}', '{"a":1}', false],
    ['{"a":1,"b":2}', '{"a":1,"c":2}', false],
    ['{"a":1}', '{"a":"1"}', false],
    ['[1,2]', '[2,1]', false],
    ['[1]', '[1,1]', false],
    ['[]', '{}', false],
    ['["x"]', '{"0":"x"}', false],
    ['{"a":[[]]}', '{"a":[{}]}', false],
    ['null', '{}', false],
    ['{"a":null}', '{}', false],
    ['0', 'false', false],
    ['-0.0', '0', true],
    ['{"cost":-0.0}', '{"cost":0}', true],
    ['256.0', '256', true],
    ['{"__proto__":{"a":1}}', '{}', false],
    ['{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}', true],
    ['{"__proto__":{}}', '{"a":{}}', false],
    ['{"constructor":1}', '{"toString":1}', false],
  ])('%s and %s: %s', (a, b, same) => {
    expect(sameJson(JSON.parse(a), JSON.parse(b))).toBe(same);
  });

  it('may be nested deeper than any call stack', () => {
    const nested = (inside: string) => JSON.parse(`${'['.repeat(30_000)}${inside}${']'.repeat(30_000)}`);
    expect(sameJson(nested('1'), nested('1'))).toBe(true);
    expect(sameJson(nested('1'), nested('2'))).toBe(false);
  });

  it('is compared as Node compares values', () => {
    const few = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(0, 1, '', '1', true, null),
        fc.array(tie('json'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('a', 'b', '0'), tie('json'), { maxKeys: 2, noNullPrototype: true }),
      ),
    })).json;
    fc.assert(
      fc.property(few, few, (a, b) => {
        expect(sameJson(a, b)).toBe(isDeepStrictEqual(a, b));
        expect(sameJson(a, structuredClone(a))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
