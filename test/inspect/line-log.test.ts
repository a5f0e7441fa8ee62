import { expect, it } from 'vitest';
import { LineLog } from '../../src/inspect/line-log.js';
import { redactor } from '../../src/redact.js';

const redact = redactor({ HF_TOKEN: 'hf_1234567890' });

it('has no part of a secret, where a line of the model is cut as well', () => {
  const lines = new LineLog(redact);
  lines.add('uses hf_1234567890');
  lines.add(`${'x'.repeat(995)}hf_1234567890 and more`);
  expect(lines.after(0)).toEqual({ last: 2, lines: ['uses [redacted]', `${'x'.repeat(995)}[red…`] });
});
