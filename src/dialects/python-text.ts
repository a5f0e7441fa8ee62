/** What Python's `json.dumps` prints. The texts that are signed are made by it, to the letter. */

/** DEL and all that is not ASCII, a UTF-16 unit at a time: astral characters become two escapes. */
const ESCAPED_BY_PYTHON_ALONE = /[\u007f-\uffff]/g;

/** From here on, and below the other, Python prints floats with an exponent. */
const FIRST_LARGE_EXPONENT = 16;
const LAST_SMALL_EXPONENT = -5;

/** A string in its quotes, ASCII only. Lone surrogates stay what they are, as in Python. */
export function pythonString(value: string): string {
  return JSON.stringify(value).replace(ESCAPED_BY_PYTHON_ALONE, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * A number that Python has read and prints again: whole numbers keep all their digits, and only what has
 * a fraction or an exponent is a float.
 *
 * @param source the number's own text, as it stands in JSON
 */
export function pythonNumber(source: string): string {
  if (/^-?\d+$/.test(source)) return source === '-0' ? '0' : source;
  return pythonFloat(Number(source));
}

function pythonFloat(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (!Number.isFinite(value)) return `${sign}Infinity`;
  // The shortest digits that read back as the same number, which are also those that Python finds.
  const [mantissa = '0', power = '0'] = Math.abs(value).toExponential().split('e');
  const exponent = Number(power);
  const isPlain = exponent > LAST_SMALL_EXPONENT && exponent < FIRST_LARGE_EXPONENT;
  return sign + (isPlain ? plain(mantissa.replace('.', ''), exponent) : scientific(mantissa, exponent));
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${whole}.${digits.slice(exponent + 1) || '0'}`;
}

function scientific(mantissa: string, exponent: number): string {
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${power}`;
}
