import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactor } from '../src/redact.js';
import { redactNamed } from '../src/redact-named.js';

describe('what a text names as a secret', () => {
  it.each([
    [
      'GET /v1/models?api_key=sk-live-123&n=1 Authorization: Bearer tok_456 HTTP/1.1',
      'GET /v1/models?api_key=[redacted]&n=1 Authorization: [redacted] HTTP/1.1',
    ],
    ['/x?a=1&access_token=abc#top', '/x?a=1&access_token=[redacted]'],
    ['/x?token%3Dabc&b=2', '/x?token%3D[redacted]&b=2'],
    ['{"api-key": "sk \\"1\\"", "b": 2}', '{"api-key": "[redacted]", "b": 2}'],
    ['{\\"password\\":\\"p w\\",\\"b\\":2}', '{\\"password\\":\\"[redacted]\\",\\"b\\":2}'],
    ["Namespace(api_key=['sk-1', 'sk-2'], port=80)", 'Namespace(api_key=[redacted], port=80)'],
    ["[(b'x-api-key', b'sk-1'), (b'host', b'a')]", "[(b'x-api-key', b'[redacted]'), (b'host', b'a')]"],
    ["{'authorization': 'Basic dXNlcjpwdw=='}", "{'authorization': '[redacted]'}"],
    ['proxy-authorization:Basic dXNlcjpwdw==', 'proxy-authorization:[redacted]'],
    ['sent Bearer tok_1, and Basic dXNlcjpwdw== too', 'sent Bearer [redacted], and Basic [redacted] too'],
    ['Bearer token: abc', 'Bearer token: [redacted]'],
    ['vllm serve m --api-key sk-1 --port 80', 'vllm serve m --api-key [redacted] --port 80'],
    ["argv: ['serve', '--api-key', 'sk-1']", "argv: ['serve', '--api-key', '[redacted]']"],
    ['HF_TOKEN=hf_1 CLIENT_SECRET => "s"', 'HF_TOKEN=[redacted] CLIENT_SECRET => "[redacted]"'],
    ['passwd: pw\nnext', 'passwd: [redacted]\nnext'],
    ['"secret": "cut in the mid', '"secret": "[redacted]'],
    ['api_key=[reda', 'api_key=[redacted]'],
  ])('is taken out of %s', (text, left) => {
    expect(redactNamed(text)).toBe(left);
    // What was cut and kept is redacted again when it is shown.
    expect(redactNamed(left)).toBe(left);
  });

  it.each([
    'eval time = 5.30 ms per token: 17 tokens, max_tokens=512, eos_token=</s>, pad_token: <|endoftext|>',
    'api_key=None, token=null, password="", secret=[]',
    'Basic authentication failed; the Bearer token is missing. Basic usage: the token was refused',
    'secretary: Ann, tokenizer: fast, apikeys: 3',
    'Unexpected token } in JSON at position 4',
  ])('is not found in %s', (text) => expect(redactNamed(text)).toBe(text));

  it('is found beside the values of the environment', () => {
    expect(redactor({ HF_TOKEN: 'hf_1234567890' })('hf_1234567890 api_key=sk-1')).toBe(
      '[redacted] api_key=[redacted]',
    );
  });

  const secret = fc.stringMatching(/^S[A-Z0-9_.-]{3,30}$/);
  const around = fc.array(
    fc.constantFrom(
      'token=',
      'bearer ',
      '"',
      "'",
      '\\',
      '[',
      ' ',
      'api_key',
      ':',
      'x',
      '&',
      '\n',
      '(',
      '<',
      '5',
    ),
    { maxLength: 30 },
  );
  const before = fc.constantFrom(
    '?api_key=',
    '&token=',
    '"password": "',
    'Authorization: Bearer ',
    'secret: ',
  );

  it('is taken out whatever stands before it and wherever the text is cut', () => {
    fc.assert(
      fc.property(around, before, secret, fc.nat(40), (noise, name, value, cut) => {
        const text = `${noise.join('')}\n${name}${value}`;
        const kept = redactNamed(text.slice(0, text.length - (cut % value.length)));
        expect(kept).not.toContain(value.slice(0, value.length - (cut % value.length)));
      }),
    );
  });

  /** How often a text is looked at, of which the time is a multiple. */
  function looks(text: string): number {
    let count = 0;
    const counted = new Proxy<object>(Object(text), {
      get: (target, name) => {
        count += 1;
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    redactNamed(counted as unknown as string);
    return count;
  }

  it('costs a long text no more a character than a short one, whatever it holds', () => {
    const pieces = ['token', '=', '"', '<', '[', 'bearer ', 'basic ', ' ', '--', '\\'];
    const texts = pieces.flatMap((one) =>
      pieces.flatMap((other) => pieces.map((third) => (one + other + third).repeat(150))),
    );
    expect(texts.filter((text) => looks(text) > 20 * text.length)).toEqual([]);
  });
});
