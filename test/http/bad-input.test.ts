import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import helloautoscaler from '../../backends/helloautoscaler.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import { Worker } from '../../src/worker.js';
import { post, type Sent, send } from '../support/client.js';
import { configOf, untilState } from '../support/worker.js';

/** One worker for the whole file: nothing that a client sends may leave a trace in it. */
const log = new RecordingLog();
const worker = new Worker(helloautoscaler, configOf(), { log });
let port = 0;

beforeAll(async () => {
  ({ port } = await worker.start());
  await untilState(worker, 'serving');
  return async () => void (await worker.stop('the tests are over'));
});

const JSON_TYPE = { 'content-type': 'application/json' };

function increment(body: Sent['body'], headers: Sent['headers'] = JSON_TYPE) {
  return send(port, '/increment', { method: 'POST', headers, body });
}

async function expectItServes() {
  expect(await post(port, '/increment', { amount: 0 })).toMatchObject({ status: 200, body: 'Incremented' });
}

const INVALID_JSON = { error: 'invalid_json', message: 'The body is not valid JSON.' };
const EMPTY = { error: 'invalid_json', message: 'The body is empty; it must be JSON.' };
const NOT_JSON = {
  error: 'unsupported_media_type',
  message: 'The content-type must be application/json in UTF-8.',
};
const COMPRESSED = {
  error: 'unsupported_media_type',
  message: 'The body must not be compressed (content-encoding).',
};
const invalid = (message: string) => ({ error: 'invalid_request', message });
const NO_AMOUNT = invalid('amount: Invalid input: expected number, received undefined');

describe('a body that is refused', () => {
  it.each<[name: string, body: string | Uint8Array | undefined, answer: object]>([
    ['nothing', undefined, EMPTY],
    ['blank', ' \n\t ', INVALID_JSON],
    ['no JSON', 'amount=2', INVALID_JSON],
    ['cut off', '{"amount": 2', INVALID_JSON],
    ['something behind it', '{"amount": 2} x', INVALID_JSON],
    ['NaN', '{"amount": NaN}', INVALID_JSON],
    ['Infinity', '{"amount": Infinity}', INVALID_JSON],
    ['a hexadecimal number', '{"amount": 0x10}', INVALID_JSON],
    ['single quotes', "{'amount': 2}", INVALID_JSON],
    ['a comma too many', '{"amount": 2,}', INVALID_JSON],
    ['a comment', '{"amount": 2 /* two */}', INVALID_JSON],
    ['invalid UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22), INVALID_JSON],
    ['overlong UTF-8', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), INVALID_JSON],
    ['a surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), INVALID_JSON],
    ['UTF-16', Buffer.from('{"amount": 2}', 'utf16le'), INVALID_JSON],
    ['a byte of zero', '{"amount": 2}\0', INVALID_JSON],
    ['two byte order marks', '\ufeff\ufeff{"amount": 2}', INVALID_JSON],
    ['deep and open', '['.repeat(500_000), INVALID_JSON],
    [
      'deep',
      '['.repeat(500_000) + ']'.repeat(500_000),
      invalid('Invalid input: expected object, received array'),
    ],
    ['null', 'null', invalid('Invalid input: expected object, received null')],
    ['a number', '2', invalid('Invalid input: expected object, received number')],
    ['a text', '"amount"', invalid('Invalid input: expected object, received string')],
    ['a list', '[2]', invalid('Invalid input: expected object, received array')],
    ['no amount', '{}', NO_AMOUNT],
    ['another case', '{"Amount": 2}', NO_AMOUNT],
    ['an amount of the prototype', '{"__proto__": {"amount": 2}}', NO_AMOUNT],
    ['a prototype of a constructor', '{"constructor": {"prototype": {"amount": 2}}}', NO_AMOUNT],
    [
      'an amount of null',
      '{"amount": null}',
      invalid('amount: Invalid input: expected number, received null'),
    ],
    [
      'a text as amount',
      '{"amount": "2"}',
      invalid('amount: Invalid input: expected number, received string'),
    ],
    [
      'a flag as amount',
      '{"amount": true}',
      invalid('amount: Invalid input: expected number, received boolean'),
    ],
    [
      'too large a number',
      '{"amount": 1e999}',
      invalid('amount: Invalid input: expected number, received Infinity'),
    ],
    [
      'too small a number',
      '{"amount": -1e999}',
      invalid('amount: Invalid input: expected number, received -Infinity'),
    ],
    [
      'the last of two',
      '{"amount": 1, "amount": "x"}',
      invalid('amount: Invalid input: expected number, received string'),
    ],
  ])('%s', async (_name, body, answer) => {
    const { status, headers, body: told } = await increment(body);
    expect({ status, told }).toEqual({ status: 400, told: answer });
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    await expectItServes();
  });
});

describe('a body that is taken', () => {
  it.each<[name: string, body: string | Uint8Array, headers?: Sent['headers']]>([
    ['a byte order mark', '\ufeff{"amount": 0}'],
    ['a lone surrogate in a name', '{"amount": 0, "\\ud800": "\\udfff"}'],
    ['a number without end', `{"amount": 0.${'0'.repeat(100_000)}1e-999}`],
    ['minus zero', '{"amount": -0}'],
    ['more than is asked for', `{"amount": 0, "x": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['an own __proto__', '{"amount": 0, "__proto__": {"toString": 1}}'],
    ['no content type', '{"amount": 0}', {}],
    ['a charset', '{"amount": 0}', { 'content-type': 'Application/JSON; Charset="UTF-8"' }],
    ['a kind of JSON', '{"amount": 0}', { 'content-type': 'application/vnd.api+json' }],
    ['an encoding that is none', '{"amount": 0}', { ...JSON_TYPE, 'content-encoding': 'Identity' }],
    ['an unknown expectation', '{"amount": 0}', { ...JSON_TYPE, expect: 'miracles' }],
  ])('%s', async (_name, body, headers) => {
    expect(await increment(body, headers)).toMatchObject({ status: 200, body: 'Incremented' });
  });
});

describe('a content type or encoding that is refused', () => {
  it.each<[header: string, value: string, answer: object]>([
    ['content-type', 'text/plain', NOT_JSON],
    ['content-type', 'application/x-www-form-urlencoded', NOT_JSON],
    ['content-type', 'multipart/form-data; boundary=x', NOT_JSON],
    ['content-type', 'application/jsonp', NOT_JSON],
    ['content-type', 'text/html, application/json', NOT_JSON],
    ['content-type', 'json', NOT_JSON],
    ['content-type', '', NOT_JSON],
    ['content-type', ';', NOT_JSON],
    ['content-type', 'application/json; charset=utf-16', NOT_JSON],
    ['content-type', 'application/json; charset=latin1', NOT_JSON],
    ['content-encoding', 'gzip', COMPRESSED],
    ['content-encoding', 'br', COMPRESSED],
    ['content-encoding', 'identity, gzip', COMPRESSED],
    ['content-encoding', 'nonsense', COMPRESSED],
  ])('%s: %s', async (header, value, answer) => {
    const { status, body } = await increment('{"amount": 2}', { ...JSON_TYPE, [header]: value });
    expect({ status, body }).toEqual({ status: 415, body: answer });
    await expectItServes();
  });
});

describe('a path or method that is refused', () => {
  it.each<[method: string, path: string]>([
    ['GET', '/'],
    ['GET', '/value/'],
    ['GET', '/VALUE'],
    ['GET', '//value'],
    ['GET', '/%76alue'],
    ['GET', '/%zz'],
    ['GET', '/value%00'],
    ['GET', '/../value'],
    ['GET', '/value;x=1'],
    ['GET', '/status'],
    ['POST', '/__proto__'],
    ['POST', '/constructor'],
    ['DELETE', `/${'x'.repeat(8_000)}`],
  ])('%s %s', async (method, path) => {
    const { status, body } = await send(port, path, { method });
    expect({ status, body }).toEqual({
      status: 404,
      body: { error: 'not_found', message: `There is nothing at ${path}.` },
    });
  });

  it.each<[method: string, path: string, allow: string]>([
    ['GET', '/increment', 'POST'],
    ['PUT', '/increment?x=1', 'POST'],
    ['DELETE', '/increment', 'POST'],
    ['OPTIONS', '/increment', 'POST'],
    ['POST', '/value', 'GET'],
    ['PATCH', '/value', 'GET'],
    ['TRACE', '/value', 'GET'],
    ['PROPFIND', '/value?api_key=secret', 'GET'],
  ])('%s %s', async (method, path, allow) => {
    const { status, headers, body } = await send(port, path, { method });
    expect({ status, allow: headers.allow, body }).toEqual({
      status: 405,
      allow,
      body: { error: 'method_not_allowed', message: `${path.replace(/\?.*/, '')} takes ${allow} only.` },
    });
  });

  it('HEAD, without a body', async () => {
    const { status, headers, body } = await send(port, '/value', { method: 'HEAD' });
    expect({ status, allow: headers.allow, body }).toEqual({ status: 405, allow: 'GET', body: '' });
  });
});

describe('whatever a client sends', () => {
  /** The amounts that were taken are refused or added, so that the count is always known. */
  const amount = fc.oneof(fc.integer(), fc.double({ noDefaultInfinity: true, noNaN: true }), fc.jsonValue());
  const body = fc.oneof(
    fc.json({ maxDepth: 5 }),
    fc.record({ amount }).map((value) => JSON.stringify(value)),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 200 }),
    fc
      .dictionary(fc.constantFrom('amount', '__proto__', 'constructor', 'Amount'), amount)
      .map((value) => JSON.stringify(value)),
  );
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9a-zA-Z-]{1,20}$/);
  const value = fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,60}$/);
  /** Headers that say how the body is framed would make it another request: see the tests with raw sockets. */
  const FRAMING =
    /^(content-length|transfer-encoding|connection|upgrade|expect|host|keep-alive|te|trailer)$/i;
  const headers = fc
    .tuple(
      fc.dictionary(
        token.filter((name) => !FRAMING.test(name)),
        value,
        { maxKeys: 8 },
      ),
      fc.option(
        fc.constantFrom('application/json', 'text/plain', 'APPLICATION/JSON;charset=utf8', 'a/b+json', ''),
      ),
      fc.option(fc.constantFrom('gzip', 'identity', 'deflate, br')),
    )
    .map(([others, type, encoding]) => ({
      ...others,
      ...(type === null ? {} : { 'content-type': type }),
      ...(encoding === null ? {} : { 'content-encoding': encoding }),
    }));
  const path = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('/increment', '/value', '/increment?a=b', '/value?api_key=x') },
    { weight: 1, arbitrary: fc.stringMatching(/^\/[\x21-\x7e\x80-\xff]{0,80}$/) },
  );
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'SEARCH', 'M-SEARCH');

  it('the answer is one of ours, and the worker goes on', async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(path, method, headers, body, async (to, by, lines, bytes) => {
        const framed = { ...lines, 'content-length': String(Buffer.byteLength(bytes)) };
        const answer = await send(port, to, { method: by, headers: framed, body: bytes });
        seen.add(answer.status);
        expect([200, 400, 404, 405, 415]).toContain(answer.status);
        if (answer.status === 200) return;
        expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
        expect(answer.body).toEqual({ error: expect.any(String), message: expect.any(String) });
        expect(answer.headers.allow).toBe(
          answer.status !== 405 ? undefined : to.startsWith('/value') ? 'GET' : 'POST',
        );
      }),
      { numRuns: 500 },
    );
    expect([...seen].sort()).toEqual([200, 400, 404, 405, 415]);
    await expectItServes();
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('what it sent is in no line of the log', async () => {
    const secret = 'a-secret-of-the-client';
    const of = (name: string) => `{"${name}": "${secret}"}`;
    await increment(of('amount'));
    await increment(`${secret}`);
    await increment('{}', { 'content-type': secret });
    await send(port, `/value?api_key=${secret}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
    });
    expect(log.text).not.toContain(secret);
  });
});
