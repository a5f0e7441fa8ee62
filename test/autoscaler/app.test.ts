import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { data, failed, loaded, loading, status, TOKEN, update } from './bodies.js';
import { exchange, handClock, report, send, startAutoscaler } from './harness.js';

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

const NONE_COMPLETED = { Success: 0, Error: 0, Cancelled: 0, Rejected: 0, duplicates: 0 };

describe('POST /worker_status/', () => {
  it.each(['/worker_status/', '/worker_status'])(
    'takes each message of both dialects at %s',
    async (path) => {
      const autoscaler = await startAutoscaler();
      for (const body of [
        loaded(),
        update(),
        failed(),
        loading(),
        data(),
        { id: 1, max_batch_tokens: 5 },
        status('2'),
      ]) {
        const answer = await report(autoscaler, body, { method: 'POST' });
        expect([answer.status, answer.body]).toEqual([200, { ok: true }]);
      }
      const one = await send(autoscaler.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify(loaded(9)),
      });
      expect(one.status).toBe(200);
      expect(
        autoscaler.messages().map(({ workerId, dialect, kind }) => `${workerId} ${dialect} ${kind}`),
      ).toEqual([
        '1 legacy loaded',
        '1 legacy update',
        '1 legacy error',
        '1 legacy loading',
        '1 legacy data',
        '1 legacy capacity',
        '2 current status',
        '9 legacy loaded',
      ]);
    },
  );

  const json = { 'content-type': 'application/json' };
  it.each<[string, RequestInit, number, { error: string; message: string }]>([
    [
      'no JSON',
      { headers: json, body: '{' },
      400,
      { error: 'invalid_json', message: 'The body is not valid JSON.' },
    ],
    ['nothing', {}, 400, { error: 'invalid_json', message: 'The body is empty.' }],
    [
      'nothing, as JSON',
      { headers: json, body: '' },
      400,
      { error: 'invalid_json', message: 'The body is empty.' },
    ],
    [
      'an array',
      { headers: json, body: '[1]' },
      400,
      { error: 'invalid_request', message: 'body: Invalid input: expected a JSON object' },
    ],
    [
      'a wrong field',
      { headers: json, body: '{"id":"x","error_msg":""}' },
      400,
      {
        error: 'invalid_request',
        message: 'id: Invalid input: expected a whole number, or the same as a string of digits',
      },
    ],
    [
      'another content type',
      { headers: { 'content-type': 'text/plain' }, body: '{}' },
      415,
      { error: 'unsupported_media_type', message: 'Only application/json is taken here.' },
    ],
    [
      'an unknown encoding',
      { headers: { ...json, 'content-encoding': 'zip' }, body: '{}' },
      415,
      { error: 'unsupported_media_type', message: 'This content type or encoding is not taken here.' },
    ],
    [
      'bytes that are not gzip',
      { headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
      400,
      { error: 'malformed_request', message: 'The request is not valid HTTP.' },
    ],
    [
      'more than 1 MiB',
      { headers: json, body: JSON.stringify(failed(1, 'x'.repeat(1024 * 1024))) },
      413,
      { error: 'payload_too_large', message: 'The body is over the size limit.' },
    ],
  ])('%s is answered in JSON and counts nothing', async (_name, init, code, body) => {
    const autoscaler = await startAutoscaler();
    const answer = await send(`${autoscaler.url}/worker_status/`, { method: 'POST', ...init });
    expect([answer.status, answer.body]).toEqual([code, body]);
    expect(autoscaler.workers()).toEqual([]);
    expect(autoscaler.messages()).toEqual([]);
  });

  it('never answers 5xx, whatever the body is', async () => {
    const autoscaler = await startAutoscaler();
    const field = fc.constantFrom(...Object.keys(status()), ...Object.keys(data()), 'error_msg', '__proto__');
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.dictionary(field, fc.jsonValue()).map((fields) => JSON.stringify(fields)),
      fc.dictionary(field, fc.jsonValue()).map((fields) => JSON.stringify(status(1, fields))),
      fc.integer({ min: 1, max: 100_000 }).map((depth) => `${'[{"a":'.repeat(depth)}`),
      fc
        .integer({ min: 1, max: 100_000 })
        .map((depth) => `{"id":1,"x":${'['.repeat(depth)}${']'.repeat(depth)}}`),
      fc.constantFrom('{"id":1e999,"cur_load":1}', '{"id":1,"cur_load":-0,"num_requests_recieved":1e999}'),
    );
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        const answer = await report(autoscaler, undefined, { body: text });
        expect(answer.status === 200 || answer.status === 400).toBe(true);
      }),
      { numRuns: 200 },
    );
    expect((await send(`${autoscaler.url}/api/workers`)).status).toBe(200);
  });
});

describe('GET /api/workers', () => {
  it('tells each worker whole, without its token', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now });
    await report(autoscaler, loaded(2));
    clock.advance(10_000);
    await report(autoscaler, update(2, 3, 4));
    await report(autoscaler, failed(2, `refused Bearer ${TOKEN}`));
    await report(autoscaler, { id: 'x' });
    await report(autoscaler, status('1'));
    clock.advance(500);

    const { mtoken: _, ...shownStatus } = status(1);
    const expected = [
      {
        id: 1,
        dialect: 'current',
        state: 'serving',
        place: { states: ['serving'], now: true },
        error: '',
        firstSeenAt: ISO,
        lastSeenAt: ISO,
        lastSeenAgoMs: 500,
        lastLoaded: { at: ISO, agoMs: 500, message: { dialect: 'current', kind: 'status', ...shownStatus } },
        lastUpdate: { at: ISO, agoMs: 500, message: { dialect: 'current', kind: 'status', ...shownStatus } },
        lastError: null,
        sums: {
          reports: 1,
          num_requests_recieved: 1204,
          cur_load: 768,
          estimatedWork: 0,
          new_load: 512,
          rej_load: 16,
          cur_perf: 256,
        },
        completions: NONE_COMPLETED,
      },
      {
        id: 2,
        dialect: 'legacy',
        state: 'failing',
        place: { states: ['failing'], now: true },
        error: 'refused Bearer [redacted]',
        firstSeenAt: ISO,
        lastSeenAt: ISO,
        lastSeenAgoMs: 500,
        lastLoaded: {
          at: ISO,
          agoMs: 10_500,
          message: { dialect: 'legacy', kind: 'loaded', id: 2, loadtime: 0.5, max_perf: 2 },
        },
        lastUpdate: {
          at: ISO,
          agoMs: 500,
          message: { dialect: 'legacy', kind: 'update', id: 2, cur_load: 3, num_requests_recieved: 4 },
        },
        lastError: { at: ISO, agoMs: 500, error_msg: 'refused Bearer [redacted]' },
        sums: {
          reports: 3,
          num_requests_recieved: 4,
          cur_load: 3,
          estimatedWork: 0,
          new_load: 0,
          rej_load: 0,
          cur_perf: 0,
        },
        completions: NONE_COMPLETED,
      },
    ];
    const answer = await send(`${autoscaler.url}/api/workers`);
    expect(answer.body).toEqual({
      reportIntervalMs: 10_000,
      silentAfterMs: 30_000,
      endpoint: {
        id: 1,
        name: 'my-endpoint',
        requests: {
          routed: 0,
          waiting: 0,
          assigned: 0,
          finished: { Success: 0, Error: 0, Cancelled: 0, Rejected: 0 },
          dropped: 0,
          expired: 0,
        },
        completions: { told: 0, duplicates: 0, dropped: 0 },
      },
      workers: expected,
      dropped: { workers: 0, messages: 0 },
      refused: {
        count: 1,
        last: {
          receivedAt: ISO,
          field: 'message',
          problem: 'This is none of the messages that a worker sends.',
        },
      },
    });
    expect(autoscaler.workers()).toEqual(expected);
    expect(JSON.stringify([answer.body, autoscaler.messages()])).not.toContain(TOKEN);
  });
});

describe('GET /api/messages', () => {
  it('tells the last ones, newest last', async () => {
    const autoscaler = await startAutoscaler();
    for (const id of [1, 2, 3]) await report(autoscaler, loaded(id));
    const answer = await send(`${autoscaler.url}/api/messages?limit=2`);
    expect(answer.body).toEqual({
      messages: [2, 3].map((id) => ({
        sequence: id,
        receivedAt: ISO,
        workerId: id,
        dialect: 'legacy',
        kind: 'loaded',
        acknowledged: true,
        body: { ...loaded(id), mtoken: '[redacted]' },
      })),
    });
    expect((await send(`${autoscaler.url}/api/messages`)).body).toEqual({ messages: autoscaler.messages() });
  });

  it('tells 100 where nobody says how many', async () => {
    const autoscaler = await startAutoscaler();
    await Promise.all(Array.from({ length: 101 }, (_, index) => report(autoscaler, loaded(index))));
    const { body } = await send(`${autoscaler.url}/api/messages`);
    expect(body).toEqual({ messages: autoscaler.messages().slice(1) });
  });

  it.each(['limit=0', 'limit=1001', 'limit=-1', 'limit=1.5', 'limit=x', 'limit=', 'limit=1&limit=2'])(
    'refuses ?%s and names the field',
    async (query) => {
      const autoscaler = await startAutoscaler();
      const answer = await send(`${autoscaler.url}/api/messages?${query}`);
      expect([answer.status, answer.body]).toEqual([
        400,
        { error: 'invalid_request', message: 'limit: expected a whole number from 1 to 1000' },
      ]);
    },
  );
});

describe('GET /pubkey/', () => {
  it('tells one RSA-2048 key, the same each time and after a restart', async () => {
    const autoscaler = await startAutoscaler();
    const first = await send(`${autoscaler.url}/pubkey/`);
    await autoscaler.stop();
    await autoscaler.start();
    const second = await send(`${autoscaler.url}/pubkey`);
    const key = createPublicKey(String(first.body));
    expect([key.asymmetricKeyType, key.asymmetricKeyDetails?.modulusLength]).toEqual(['rsa', 2048]);
    expect(second.body).toBe(first.body);
    expect(first.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });
});

describe('other paths and methods', () => {
  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/page.css', 'text/css; charset=utf-8'],
    ['/page.js', 'text/javascript; charset=utf-8'],
    ['/icon.svg', 'image/svg+xml'],
  ])('%s is part of the page', async (path, type) => {
    const autoscaler = await startAutoscaler();
    const answer = await send(autoscaler.url + path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('every file that the page asks for is served', async () => {
    const autoscaler = await startAutoscaler();
    const seen = new Set<string>();
    const toRead = ['/'];
    for (let path = toRead.pop(); path !== undefined; path = toRead.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const answer = await send(autoscaler.url + path);
      expect([path, answer.status]).toEqual([path, 200]);
      for (const [, name] of String(answer.body).matchAll(/(?:href|src)="([\w.]+)"|from '\.\/([\w.]+)'/g)) {
        if (name !== undefined) toRead.push(`/${name}`);
      }
      for (const [, name] of String(answer.body).matchAll(/from '\.\/([\w.]+)'/g)) toRead.push(`/${name}`);
    }
    expect([...seen].sort()).toEqual([
      '/',
      '/chart.js',
      '/dom.js',
      '/endpoint.js',
      '/feed.js',
      '/fleet.css',
      '/fleet.js',
      '/format.js',
      '/icon.svg',
      '/lifecycle.js',
      '/page.css',
      '/page.js',
      '/poll.js',
      '/scaling.css',
      '/scaling.js',
      '/timeline.js',
      '/workers.js',
    ]);
  });

  it.each([
    '/nothing',
    '/page/index.html',
    '/tsconfig.json',
    '/%',
    '/..%2f..%2fapp.ts',
    '/api',
    '/favicon.ico',
  ])('%s is not there', async (path) => {
    const autoscaler = await startAutoscaler();
    const answer = await send(autoscaler.url + path);
    expect([answer.status, answer.body]).toEqual([
      404,
      { error: 'not_found', message: 'There is nothing at this path.' },
    ]);
  });

  it.each([
    ['GET', '/worker_status/', 'POST'],
    ['OPTIONS', '/worker_status/', 'POST'],
    ['POST', '/pubkey/', 'GET, HEAD'],
    ['DELETE', '/api/workers', 'GET, HEAD'],
    ['PUT', '/api/messages', 'GET, HEAD'],
    ['POST', '/api/requests', 'GET, HEAD'],
    ['GET', '/delete_requests/', 'POST'],
    ['GET', '/route/', 'POST'],
    ['GET', '/get_endpoint_workers/', 'POST'],
    ['POST', '/api/v0/endptjobs/', 'GET, HEAD'],
    ['DELETE', '/api/v0/endptjobs/1/', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
  ])('%s %s is told what is allowed', async (method, path, allow) => {
    const autoscaler = await startAutoscaler();
    const answer = await send(autoscaler.url + path, { method });
    expect([answer.status, answer.headers.get('allow'), answer.body]).toEqual([
      405,
      allow,
      { error: 'method_not_allowed', message: 'This path does not take this method.' },
    ]);
  });

  it.each([
    ['bytes that are not HTTP', 'hello\r\n\r\n', 400, 'malformed_request'],
    ['endless headers', `GET / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ])('%s are answered in JSON', async (_name, bytes, code, error) => {
    const autoscaler = await startAutoscaler();
    const { received } = await exchange(autoscaler.port, bytes);
    const [head, body] = received.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
    expect(JSON.parse(body ?? '')).toEqual({ error, message: expect.stringMatching(/./) });
  });
});
