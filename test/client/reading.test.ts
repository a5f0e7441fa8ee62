import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lines } from '../../src/client/lines.js';
import { retryAfterMs } from '../../src/client/retry-after.js';
import { type ServerSentEvent, SseReader } from '../../src/client/sse.js';

function readAll(pieces: readonly string[]): ServerSentEvent[] {
  const reader = new SseReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}

function linesOf(pieces: readonly string[]): string[] {
  const lines = new Lines();
  const whole = pieces.flatMap((piece) => lines.push(piece));
  const rest = lines.end();
  return rest === undefined ? whole : [...whole, rest];
}

/** A text cut at any places, a CRLF in two and empty pieces included. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [0, ...places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return at.slice(1).map((end, index) => text.slice(at[index], end));
}

const places = fc.array(fc.nat({ max: 1_000 }), { maxLength: 12 });
const ends = fc.constantFrom('\n', '\r\n', '\r');
const oneLine = fc.string({ unit: fc.constantFrom('a', ' ', ':', 'é', '😀', '\u0000', '\t', '{', '"') });

describe('lines', () => {
  it('are the same however the text is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(oneLine, ends)), oneLine, places, (lines, last, cuts) => {
        const text = lines.map(([line, end]) => line + end).join('') + last;
        const parts = text.split(/\r\n|\n|\r/);
        const expected = parts.at(-1) === '' ? parts.slice(0, -1) : parts;
        expect(linesOf(cut(text, cuts))).toEqual(expected);
      }),
    );
  });

  it('are limited in length, and not in number', () => {
    const lines = new Lines(10);
    expect(lines.push('0123456789\n'.repeat(100))).toHaveLength(100);
    lines.push('01234');
    expect(() => lines.push('567890')).toThrow('a line is longer than 10 characters');
  });
});

describe('server-sent events', () => {
  const id = fc.string({ unit: fc.constantFrom('a', '7', ' ', ':') });
  const events = fc.array(
    fc.record({
      event: fc.constantFrom('', 'token', 'done'),
      data: fc.array(oneLine, { minLength: 1, maxLength: 3 }),
      id: fc.option(id, { nil: undefined }),
      comment: fc.boolean(),
    }),
  );

  it('are the same however the text is cut', () => {
    fc.assert(
      fc.property(
        events,
        fc.constantFrom('\n', '\r\n', '\r'),
        places,
        fc.boolean(),
        (given, end, cuts, isMarked) => {
          let lastId = '';
          const expected = given.map((each) => {
            lastId = each.id ?? lastId;
            return { event: each.event || 'message', id: lastId, data: each.data.join('\n') };
          });
          const text = given
            .map((each) =>
              [
                ...(each.comment ? [': comment'] : []),
                ...(each.id === undefined ? [] : [`id: ${each.id}`]),
                ...(each.event === '' ? [] : [`event:${each.event}`]),
                ...each.data.map((line) => `data: ${line}`),
                '',
                '',
              ].join(end),
            )
            .join('');
          expect(readAll(cut((isMarked ? '\uFEFF' : '') + text, cuts))).toEqual(expected);
        },
      ),
    );
  });

  it.each<[text: string, events: [event: string, id: string, data: string][]]>([
    ['data', [['message', '', '']]],
    ['data:\n\n', [['message', '', '']]],
    ['data:  two spaces\n\n', [['message', '', ' two spaces']]],
    ['event: x\n\ndata: 1\n\n', [['message', '', '1']]],
    ['id: 1\n\ndata: 1\n\n', [['message', '1', '1']]],
    ['id: a\0b\ndata: 1\n\n', [['message', '', '1']]],
    ['retry: 10\nfoo: bar\n: x\ndata: 1\n\n', [['message', '', '1']]],
    [
      'data: 1\n\n\n\ndata: 2',
      [
        ['message', '', '1'],
        ['message', '', '2'],
      ],
    ],
    ['', []],
  ])('%j', (text, expected) => {
    expect(readAll([text]).map(({ event, id: last, data }) => [event, last, data])).toEqual(expected);
  });
});

describe('Retry-After', () => {
  const NOW = Date.parse('Sat, 28 Nov 2026 12:00:00 GMT');

  it.each<[value: string | undefined, ms: number | null]>([
    [undefined, null],
    ['5', 5_000],
    [' 0 ', 0],
    ['1.5', 1_500],
    ['Sat, 28 Nov 2026 12:00:30 GMT', 30_000],
    ['Sat, 28 Nov 2026 11:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['', null],
  ])('%j is %j ms', (value, ms) => {
    expect(retryAfterMs(new Headers(value === undefined ? {} : { 'retry-after': value }), NOW)).toBe(ms);
  });
});
