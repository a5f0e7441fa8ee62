import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactor } from '../src/redact.js';
import { redactNamed } from '../src/redact-named.js';
import { redactShaped } from '../src/redact-shaped.js';

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
    expect(redactor({ HF_TOKEN: 'hf_1234567890' })('Authorization: Bearer hf_1234567890, x')).toBe(
      'Authorization: [redacted], x',
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

describe('what has the form of a secret', () => {
  // Drawn for these tests; in pieces, so that nobody who looks for keys in sources finds them here.
  const drawn = 'aB3dE5fG7hJ9kL1mN3pQ5rS7tU9v';
  const webToken = `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${'zdWIiOiJhbm4ifQ'}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g`;

  it.each([
    ['GET http://ann:pw@host:80/v1 failed', 'GET http://[redacted]@host:80/v1 failed'],
    ['redis://:p@ss:w@redis:6379/0', 'redis://[redacted]@redis:6379/0'],
    [
      'at redis://:pa/ss?w#d@redis:6379/0 and http://h:80/@x',
      'at redis://[redacted]@redis:6379/0 and http://h:80/@x',
    ],
    ['"https://key:@api.example/v1",', '"https://[redacted]@api.example/v1",'],
    ['http://a:80,amqp://b:c@[::1]:1', 'http://a:80,amqp://[redacted]@[::1]:1'],
    ['jdbc:postgresql://a:b@c/@d', 'jdbc:postgresql://[redacted]@c/@d'],
    [`Incorrect API key provided: sk-proj-${drawn}_x.`, 'Incorrect API key provided: [redacted].'],
    [`sk-${drawn} (sk-ant-${drawn})`, '[redacted] ([redacted])'],
    [`login as hf_${'aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH'}!`, 'login as [redacted]!'],
    [`https://ghp_${drawn}@github.com/ann/x`, 'https://[redacted]@github.com/ann/x'],
    [`github_pat_11ABC_${drawn},glpat-${drawn}`, '[redacted],[redacted]'],
    [
      `\u001b[33mhf_${drawn}\u001b[0m "a\\nnvapi-${drawn}" %22gsk_${drawn}`,
      '\u001b[33m[redacted]\u001b[0m "a\\n[redacted]" %22[redacted]',
    ],
    [`cookie set to ${webToken}; path=/`, 'cookie set to [redacted]; path=/'],
    [`jwt=${webToken}`, 'jwt=[redacted]'],
    [`eyJ${'hbGciOiJ'}..`, '[redacted]'],
    ['://:p@', '://[redacted]@'],
  ])('is taken out of %s', (text, left) => {
    expect(redactor({})(text)).toBe(left);
    expect(redactor({})(left)).toBe(left);
  });

  it.each([
    'http://127.0.0.1:8000/@vite/client http://[::1]:8000/@x https://ann@host/a:b@c ssh://git@host:22/x',
    'see https://cdn.example/npm/@scope/pkg@1.2.3, file:///tmp/a:b@c, mail ann:b@example.org, http://h:80 a@b',
    'http://<user>:<password>@host, http://a:8000,http://b:8001?to=ann@example.org',
    'sk-learn, task-0123456789abcdef0123, disk-9f8e7d6c5b4a3f2e1d0c, sk-learn-contributed-extensions',
    'hf_transfer hf_hub_download_with_retries hf_quantizer_4bit_config_2024 npm_config_registry_2024_01',
    'pplx-embed-v1-context-0.6b xai-explanations-2024-11-29 ghp_ hf_ sk- eyJ eyJhbGciOiJIUzI1NiJ9 eyJ.eyJ.x',
    'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 AIza nvapi-client',
    '127.0.0.1 - - "POST /v1/chat/completions HTTP/1.1" 200 OK 9d3c5a1e-2f4b-4c6d-8e7f-0a1b2c3d4e5f',
    'INFO 11-29 09:36:59 [loader.py:447] Loading weights took 3.21 seconds from meta-llama/Llama-3.1-8B@main',
  ])('is not found in %s', (text) => expect(redactor({})(text)).toBe(text));

  it('is looked for in time that grows with the length of a text alone, whatever it holds', () => {
    const pieces = ['://', ':', 'a', '/', '@', 'eyJ', '.', '-', 'sk-', '[1;'];
    const long = (text: string) => text.repeat(100_000 / text.length);
    // Were they read over and over, this would take a minute.
    const texts = pieces.flatMap((one) => pieces.flatMap((other) => [one + long(other), long(one + other)]));
    const isFound = (text: string) =>
      redactShaped(`${text}\nhttp://ann:pw@host`).endsWith('\nhttp://[redacted]@host');
    expect(texts.filter((text) => !isFound(text))).toHaveLength(0);
  });
});
