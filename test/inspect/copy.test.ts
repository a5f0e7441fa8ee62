import { describe, expect, it } from 'vitest';
import { withLastLines } from '../../machines/endings.js';
import { copyOf, isCut, revive } from '../../src/inspect/copy.js';
import { redactor } from '../../src/redact.js';

const redact = redactor({
  MASTER_TOKEN: 'the-master-token',
  HF_TOKEN: 'hf_1234567890',
  HOME: '/home/somebody',
});
const copy = (value: unknown, characters = 10_000) => copyOf(value, { redact, characters });

describe('a copy for those who look', () => {
  it('is JSON, and a copy', () => {
    const value = { type: 'a', list: [1, 'two', null, true, { deep: [[]] }] };
    expect(copy(value)).toEqual(value);
    expect(copy(value)).not.toBe(value);
  });

  it('has no secret that stands in a text', () => {
    expect(copy({ message: 'sent the-master-token and hf_1234567890 to /home/somebody' })).toEqual({
      message: 'sent [redacted] and [redacted] to /home/somebody',
    });
    expect(copy(new Error('no the-master-token'))).toEqual({
      $error: { name: 'Error', message: 'no [redacted]' },
    });
  });

  it.each([10, 20, 30, 40])('has no part of a secret where a text is cut at %i characters', (characters) => {
    const text = JSON.stringify(copy(`it went to the-master-token ${'x'.repeat(100)}`, characters));
    expect(text).toMatch(/…"$/);
    expect(text).not.toContain('the-m');
  });

  it('has no line of a model server, and a list in the place of its lines', () => {
    const message = withLastLines('it died', { lastLines: ['prompt: tell me', 'Killed'] });
    expect(copy({ message, error: new Error(message) })).toEqual({
      message: 'it died',
      error: { $error: { name: 'Error', message: 'it died' } },
    });
    expect(copy({ message: `report status delivered: error_msg ${JSON.stringify(message)}, id 1` })).toEqual({
      message: 'report status delivered: error_msg "it died',
    });
    expect(copy({ lastLines: ['prompt: tell me', 'Killed'] })).toEqual({ lastLines: ['[redacted]'] });
  });

  it.each([
    ...['payload', 'body', 'mtoken', 'masterToken', 'MASTER_TOKEN', 'internal_token', 'signature', 'cookie'],
    ...[
      'Authorization',
      'api_key',
      'apiKey',
      'x-api-key',
      'session_id',
      'sessionId',
      'auth_data',
      'authData',
    ],
    ...['lastLines', 'session_auth', 'onClosePayload', 'on_close_payload', 'password', 'clientSecret'],
  ])('has nothing of a member called %s, whatever it holds', (name) => {
    expect(copy({ deep: [{ [name]: { prompt: 'tell me' }, kind: 'x' }] })).toEqual({
      deep: [{ [name]: '[redacted]', kind: 'x' }],
    });
    expect(copy({ [name]: null })).toEqual({ [name]: null });
  });

  it.each(['sessions', 'state', 'key', 'tokensPerSecond', 'bodyLimitBytes', 'requestIdx'])(
    'has a member called %s',
    (name) => {
      expect(copy({ [name]: 1 })).toEqual({ [name]: 1 });
    },
  );

  it('comes back as what it was, where JSON alone has no form for it', () => {
    const value = {
      limit: Number.POSITIVE_INFINITY,
      least: Number.NEGATIVE_INFINITY,
      suspects: new Map([[7, { refusals: 2 }]]),
      names: new Set(['a']),
      list: [1, { at: 2 }],
    };
    const back = revive(copy(value));
    expect(back).toEqual(value);
    const error = revive(copy(new TypeError('no')));
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'TypeError', message: 'no' });
    expect(revive(copy({ nan: Number.NaN }))).toEqual({ nan: Number.NaN });
  });

  it('leaves out functions, and what has an identity of its own', () => {
    const signal = new AbortController().signal;
    expect(copy({ type: 'a', call: () => 1, signal, none: undefined })).toEqual({ type: 'a' });
  });

  it('ends where it would be too long, and says so', () => {
    const long = copy({ type: 'a', text: 'x'.repeat(1000) }, 100);
    expect(long).toEqual({ type: 'a', text: expect.stringMatching(/^x{1,100}…$/) });
    const many = copy({ type: 'a', list: Array.from({ length: 1000 }, (_, index) => index), after: 1 }, 100);
    expect(isCut(many)).toBe(true);
    expect(JSON.stringify(many).length).toBeLessThan(300);
    expect(isCut(copy({ type: 'a', list: [1, 2, 3] }))).toBe(false);
  });

  it('has the beginning of a list that does not fit, and all of one that does', () => {
    const list = (length: number) => Array.from({ length }, (_, index) => ({ index, route: '/json' }));
    expect(copy({ list: list(100), after: 1 }, 1_000)).toEqual({
      list: [...list(8), { $cut: 92 }],
      after: 1,
    });
    expect(copy({ list: list(100), after: 1 }, 3_000)).toEqual({ list: list(100), after: 1 });
  });

  it('ends where what it copies contains itself', () => {
    const circle: { name: string; self?: unknown } = { name: 'a' };
    circle.self = circle;
    expect(isCut(copy(circle))).toBe(true);
  });
});
