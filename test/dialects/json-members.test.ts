import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memberOf, membersIn } from '../../src/dialects/json-members.js';

function members(text: string) {
  const found = membersIn(text);
  return found.ok ? found.members : [];
}

/** The source text of each member, by its key. */
function membersOf(text: string): Map<string, string> {
  return new Map(members(text).map(({ key, valueStart, end }) => [key, text.slice(valueStart, end)]));
}

it('a member has the text that it was written with', () => {
  const text =
    ' { "a" : 1.10 ,\n"b":{ "c" : [ "}" , 1e3 ] },"d":"x\\"y\\\\","e":\ttrue\r\n, "f":null,"g":[]}\n';
  expect([...membersOf(text)]).toEqual([
    ['a', '1.10'],
    ['b', '{ "c" : [ "}" , 1e3 ] }'],
    ['d', '"x\\"y\\\\"'],
    ['e', 'true'],
    ['f', 'null'],
    ['g', '[]'],
  ]);
});

it.each(['{}', ' {\n\t\r } '])('an object without members has none: %j', (text) => {
  expect([...membersOf(text)]).toEqual([]);
});

it('keys are decoded, and of one that is there twice the last counts', () => {
  const text = '{"a":1,"\\u0061":2,"__proto__":3,"":4,"\\ud800":5,"q\\"":6}';
  expect([...membersOf(text)]).toEqual([
    ['a', '2'],
    ['__proto__', '3'],
    ['', '4'],
    ['\ud800', '5'],
    ['q"', '6'],
  ]);
  expect(memberOf(members(text), 'a')).toEqual({ key: 'a', start: 7, valueStart: 16, end: 17 });
  expect(memberOf(members(text), 'z')).toBe(undefined);
  expect(members(text).map(({ key, start, end }) => [key, text.slice(start, end)])).toEqual([
    ['a', '"a":1'],
    ['a', '"\\u0061":2'],
    ['__proto__', '"__proto__":3'],
    ['', '"":4'],
    ['\ud800', '"\\ud800":5'],
    ['q"', '"q\\"":6'],
  ]);
});

it('nesting deeper than any call stack is no harm', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  expect(membersOf(`{"deep":${deep},"after":1}`).get('after')).toBe('1');
});

const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 });

/** Some of its characters as escapes, which every parser reads as the same text. */
const writtenString = fc
  .array(
    fc.tuple(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 3 }), fc.constantFrom('"', '\\', '\\"', '}')),
      fc.boolean(),
    ),
  )
  .map((parts) => {
    const written = parts.map(([part, escaped]) =>
      escaped
        ? part.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        : JSON.stringify(part).slice(1, -1),
    );
    return `"${written.join('')}"`;
  });

const scalar = fc.oneof(
  writtenString,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom('true', 'false', 'null', '0', '-0', '1E+3', '1.10', '-5e-324'),
);

const { object } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, tie('object'), tie('array')),
  array: fc
    .tuple(fc.array(fc.tuple(space, tie('value'), space), { maxLength: 4 }), space)
    .map(([items, inside]) => `[${items.map((item) => item.join('')).join(',') || inside}]`),
  object: fc
    .tuple(fc.array(fc.tuple(space, writtenString, space, tie('value'), space), { maxLength: 5 }), space)
    .map(([all, inside]) => {
      const written = all.map(([a, key, b, value, c]) => `${a}${key}${b}:${a}${value}${c}`);
      return `{${written.join(',') || inside}}`;
    }),
}));

it('the texts of the members parse to what the whole parses to, however it is written', () => {
  fc.assert(
    fc.property(space, object, space, (before, text, after) => {
      const whole = before + text + after;
      const found = [...membersOf(whole)].map(([key, source]) => [key, JSON.parse(source)]);
      const expected: unknown = JSON.parse(whole);
      expect(Object.fromEntries(found)).toEqual(expected);
      expect(found.length).toBe(Object.keys(Object(expected)).length);
    }),
    { numRuns: 1_000 },
  );
});

it('what is no JSON ends too', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('{', '}', '[', '"', '\\', ',', ':', ' ', '1') }),
      (text) => {
        const found = membersIn(`{${text}`);
        if (found.ok) expect(found.members.length).toBeLessThanOrEqual(text.length);
        else expect(found.problem).toBe('no JSON');
      },
    ),
    { numRuns: 2_000 },
  );
});
