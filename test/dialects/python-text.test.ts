import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pythonNumber, pythonString } from '../../src/dialects/python-text.js';

describe('a string', () => {
  it.each([
    ['plain', '"plain"'],
    ['', '""'],
    ['a "b" \\ /', '"a \\"b\\" \\\\ /"'],
    ['\b\f\n\r\t\u0000\u001f', '"\\b\\f\\n\\r\\t\\u0000\\u001f"'],
    ['~\u007f\u0080', '"~\\u007f\\u0080"'],
    ['ä\u2028', '"\\u00e4\\u2028"'],
    ['😀', '"\\ud83d\\ude00"'],
    ['\ud83d \ude00', '"\\ud83d \\ude00"'],
    ['\uffff', '"\\uffff"'],
  ])('%j is printed as %s', (value, printed) => {
    expect(pythonString(value)).toBe(printed);
  });

  it('is printable ASCII that reads back as itself, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)) }),
        (value) => {
          const printed = pythonString(value);
          expect(printed).toMatch(/^[ -~]*$/);
          expect(JSON.parse(printed)).toBe(value);
        },
      ),
    );
  });
});

describe('a number', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['-7', '-7'],
    ['123456789012345678', '123456789012345678'],
    ['100000000000000000000000', '100000000000000000000000'],
    ['0.0', '0.0'],
    ['-0.0', '-0.0'],
    ['-0e5', '-0.0'],
    ['256.0', '256.0'],
    ['1.10', '1.1'],
    ['1e3', '1000.0'],
    ['1E+3', '1000.0'],
    ['1234.5e-2', '12.345'],
    ['0.1', '0.1'],
    ['0.00012345', '0.00012345'],
    ['1e-4', '0.0001'],
    ['1e-5', '1e-05'],
    ['-1.5e-7', '-1.5e-07'],
    ['9007199254740993.0', '9007199254740992.0'],
    ['1e15', '1000000000000000.0'],
    ['1e16', '1e+16'],
    ['12345678901234567.0', '1.2345678901234568e+16'],
    ['1e22', '1e+22'],
    ['1.7976931348623157e308', '1.7976931348623157e+308'],
    ['5e-324', '5e-324'],
    ['1e-400', '0.0'],
    ['1e400', 'Infinity'],
    ['-1e400', '-Infinity'],
  ])('%s is printed as %s', (source, printed) => {
    expect(pythonNumber(source)).toBe(printed);
  });

  it('reads back as itself, and prints the same again', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const source = value.toExponential();
        const printed = pythonNumber(source);
        expect(Number(printed)).toBe(Number(source));
        expect(printed).toMatch(/^-?\d+\.\d+$|^-?\d(\.\d+)?e[+-]\d{2,}$/);
        expect(pythonNumber(printed)).toBe(printed);
      }),
    );
  });
});
