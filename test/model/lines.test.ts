import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/model/lines.js';

/** Splits chunks, then ends, and says what was told. */
function split(chunks: readonly (string | Uint8Array)[], limitBytes = 64 * 1024) {
  const lines: string[] = [];
  let long = 0;
  const splitter = new LineSplitter({
    onLine: (line) => lines.push(line),
    limitBytes,
    onLongLine: () => long++,
  });
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  const before = lines.length;
  splitter.end();
  return { lines, long, atTheEnd: lines.length - before };
}

describe('lines', () => {
  it.each<[string, (string | Uint8Array)[], string[]]>([
    ['end with a line feed', ['one\ntwo\n'], ['one', 'two']],
    ['may be empty', ['\n\none\n\n'], ['', '', 'one', '']],
    ['written in two parts are whole', ['on', 'e\nt', 'wo\n'], ['one', 'two']],
    ['end with CRLF as well', ['one\r\n\r\ntwo\r\n'], ['one', '', 'two']],
    ['end with CRLF that is cut in two', ['one\r', '\ntwo\r', '\n'], ['one', 'two']],
    ['end with CRLF that is cut in two by an empty chunk', ['one\r', '', '\ntwo\n'], ['one', 'two']],
    [
      'end with a carriage return, as those of progress bars do',
      ['10%\r20%\r', '30%\n'],
      ['10%', '20%', '30%'],
    ],
    ['have no colours', ['\u001b[32mINFO\u001b[0m \u001b[1;31mred\u001b[39m\n'], ['INFO red']],
    [
      'have whole characters, wherever they are cut',
      [...Buffer.from('grün 🦙\n')].map((byte) => Uint8Array.of(byte)),
      ['grün 🦙'],
    ],
    [
      'have replacement characters for what is no UTF-8',
      [Uint8Array.of(0x61, 0xff, 0xfe, 0x62, 0x0a, 0xc3, 0x0a)],
      ['a\ufffd\ufffdb', '\ufffd'],
    ],
    [
      'lose the zeros with which an emptied file begins under its writer',
      [Buffer.alloc(100_000), Buffer.concat([Buffer.alloc(100_000), Buffer.from('one\ntwo\n')])],
      ['one', 'two'],
    ],
  ])('%s', (_, chunks, lines) => {
    expect(split(chunks)).toEqual({ lines, long: 0, atTheEnd: 0 });
  });

  it('without an end are told when nothing more comes', () => {
    expect(split(['one\ntw', 'o'])).toEqual({ lines: ['one', 'two'], long: 0, atTheEnd: 1 });
    expect(split(['one\r'])).toEqual({ lines: ['one'], long: 0, atTheEnd: 0 });
  });

  it('begin anew after the end: a line feed there is a line of its own', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter({
      onLine: (line) => lines.push(line),
      limitBytes: 9,
      onLongLine: () => {},
    });
    splitter.push(Buffer.from('one\r'));
    splitter.end();
    splitter.push(Buffer.from('\ntwo\n'));
    expect(lines).toEqual(['one', '', 'two']);
  });

  it('of megabytes are cut, whatever the chunks are, and the next line is whole', () => {
    const megabytes = Array.from({ length: 80 }, () => 'x'.repeat(65_536));
    const { lines, long } = split([...megabytes, 'y\nshort\n', 'z'.repeat(70_000), '\n']);
    expect(lines.map((line) => line.length)).toEqual([65_536, 5, 65_536]);
    expect(lines[1]).toBe('short');
    expect(long).toBe(2);
  });

  it('are cut between characters', () => {
    expect(split(['aé🦙\n'], 3).lines).toEqual(['aé']);
    expect(split(['aé🦙\n'], 2).lines).toEqual(['a']);
    expect(split(['aé🦙b\n'], 6).lines).toEqual(['aé']);
    expect(split(['aé🦙b\n'], 7).lines).toEqual(['aé🦙']);
    expect(split(['aé🦙\n'], 7).long).toBe(0);
  });

  it('keep what they were told though the memory of a chunk is used again', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter({
      onLine: (line) => lines.push(line),
      limitBytes: 99,
      onLongLine: () => {},
    });
    const chunk = Buffer.from('one');
    splitter.push(chunk);
    chunk.fill('x');
    splitter.push(Buffer.from('\n'));
    expect(lines).toEqual(['one']);
  });

  it('are the same however the bytes are cut into chunks', () => {
    const text = fc
      .array(fc.constantFrom('a', 'é', '🦙', '\n', '\r', '\r\n', '\0', ' '))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), (written, cuts) => {
        const bytes = Buffer.from(written);
        const borders = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b),
          bytes.length,
        ];
        const chunks = borders.slice(1).map((end, index) => bytes.subarray(borders[index], end));
        expect(split(chunks, 9)).toEqual(split([bytes], 9));
      }),
    );
  });
});
