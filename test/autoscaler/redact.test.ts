import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact } from '../../src/autoscaler/redact.js';

describe('redaction', () => {
  it('replaces secrets by name, at any depth, and leaves the rest as it is', () => {
    const body = {
      id: 1,
      mtoken: 'abc',
      api_key: 5,
      max_batch_tokens: 16,
      curr_tokens_per_second: 1.5,
      nested: [{ Authorization: 'Basic x', ok: true, signature: 's', nothing: null }],
    };
    expect(redact(body)).toEqual({
      id: 1,
      mtoken: '[redacted]',
      api_key: '[redacted]',
      max_batch_tokens: 16,
      curr_tokens_per_second: 1.5,
      nested: [{ Authorization: '[redacted]', ok: true, signature: '[redacted]', nothing: null }],
    });
  });

  it.each([
    ['the token inside other text', 'the header was hunter2hunter2!', 'the header was [redacted]!'],
    ['a bearer', 'Authorization: Bearer abc.def-ghi failed', 'Authorization: Bearer [redacted] failed'],
    ['a query', 'GET /x?api_key=k1&y=2&mtoken=k3', 'GET /x?api_key=[redacted]&y=2&mtoken=[redacted]'],
    ['ordinary text', 'token budget of 5 exceeded', 'token budget of 5 exceeded'],
  ])('%s', (_name, text, expected) => {
    expect(redact({ mtoken: 'hunter2hunter2', error_msg: text })).toEqual({
      mtoken: '[redacted]',
      error_msg: expected,
    });
  });

  it('bounds text, lists, fields and depth', () => {
    const deep = JSON.parse(`${'['.repeat(200_000)}1${']'.repeat(200_000)}`);
    const wide = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`f${index}`, index]));
    expect(redact('x'.repeat(5_000))).toBe(`${'x'.repeat(4_096)}…`);
    expect(redact(Array.from({ length: 2_000 }, () => 1))).toHaveLength(1_024);
    expect(Object.keys(Object(redact(wide)))).toHaveLength(1_024);
    expect(JSON.stringify(redact(deep))).toBe('[[[[[[[["[too deep]"]]]]]]]]');
  });

  it('a token never comes through, wherever it stands', () => {
    const token = 'sEcReT-0123456789';
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        fc.constant(token),
        fc.string().map((text) => `${text}${token}${text}`),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(value, (extra) => {
        expect(JSON.stringify(redact({ mtoken: token, extra, [`x${token}`]: 1 }))).not.toContain(token);
      }),
    );
  });
});
