import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answersIn, post, RawClient, send } from '../support/client.js';
import { deferred, next, quietBackend, serve, typesOf, untilView } from '../support/worker.js';

const HOST = 'Host: worker\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const GET_VALUE = `GET /value HTTP/1.1\r\n${HOST}\r\n`;

function increment(body: string, headers = `Content-Length: ${Buffer.byteLength(body)}\r\n`): string {
  return `POST /increment HTTP/1.1\r\n${HOST}${JSON_TYPE}${headers}\r\n${body}`;
}

function chunk(data: string): string {
  return `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
}

const REFUSALS = {
  400: { error: 'malformed_request', message: 'The request is not valid HTTP.' },
  408: { error: 'request_timeout', message: 'The request did not arrive in time.' },
  431: { error: 'headers_too_large', message: 'The request headers are over the size limit.' },
} as const;

/** The whole of what a client is told that sent no request. */
function refusal(status: keyof typeof REFUSALS) {
  return {
    status,
    headers: {
      connection: 'close',
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(JSON.stringify(REFUSALS[status]).length),
    },
    body: REFUSALS[status],
  };
}

describe('what is not HTTP', () => {
  it.each<[name: string, bytes: string]>([
    ['garbage', 'GARBAGE\r\n\r\n'],
    ['bytes of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an unknown method', `JUMP /value HTTP/1.1\r\n${HOST}\r\n`],
    ['an unknown version', `GET /value HTTP/9.9\r\n${HOST}\r\n`],
    ['a space in the target', `GET /va lue HTTP/1.1\r\n${HOST}\r\n`],
    ['a header without a colon', `GET /value HTTP/1.1\r\n${HOST}Nonsense\r\n\r\n`],
    ['a header with a control character', `GET /value HTTP/1.1\r\n${HOST}X: a\x01b\r\n\r\n`],
    ['a negative length', increment('{}', 'Content-Length: -2\r\n')],
    ['a length that is no number', increment('{}', 'Content-Length: two\r\n')],
    ['a length beyond all numbers', increment('{}', `Content-Length: ${'9'.repeat(40)}\r\n`)],
    ['two lengths', increment('{}', 'Content-Length: 2\r\nContent-Length: 3\r\n')],
    ['a length and chunks', increment('', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n')],
    ['an unknown transfer encoding', increment('{}', 'Transfer-Encoding: tea\r\n')],
    ['a chunk that is not hexadecimal', increment('xyz\r\n{}\r\n', 'Transfer-Encoding: chunked\r\n')],
    ['a chunk that is longer than it says', increment('1\r\n{}{}\r\n', 'Transfer-Encoding: chunked\r\n')],
  ])('%s: 400', async (_name, bytes) => {
    const { port, log, requests } = await serve();
    const client = new RawClient(port).write(Buffer.from(bytes, 'latin1'));
    expect(answersIn(await client.untilEnd())).toEqual([refusal(400)]);
    expect(await send(port, '/value')).toMatchObject({ status: 200, body: { value: 0 } });
    expect(typesOf(requests)).toEqual(['request.started', 'request.succeeded']);
    expect(log.about('request.refused').map(({ fields }) => fields)).toEqual([
      { event: 'request.refused', code: 'malformed_request', status: 400 },
    ]);
  });

  it('a body that is cut off by the end of the stream: 400', async () => {
    const { port, requests } = await serve();
    const client = new RawClient(port).write(increment('{"amount"', 'Content-Length: 100\r\n'));
    client.socket.end();
    expect(answersIn(await client.untilEnd())).toEqual([refusal(400)]);
    expect(requests).toEqual([]);
  });

  it('headers over the limit: 431, although the client still sends', async () => {
    const { port } = await serve();
    const client = new RawClient(port).write(`GET /value HTTP/1.1\r\n${HOST}X: ${'x'.repeat(5_000_000)}`);
    expect(answersIn(await client.untilEnd())).toEqual([refusal(431)]);
  });

  it('after a good request: that one is answered first', async () => {
    const running = deferred<string>();
    const backend = quietBackend({ routes: { '/slow': { method: 'GET', handle: () => running.promise } } });
    const { port, worker } = await serve(backend);
    const begun = next(worker, 'request');
    const client = new RawClient(port).write(`GET /slow HTTP/1.1\r\n${HOST}\r\nGARBAGE\r\n\r\n`);
    await begun;
    running.resolve('done');
    expect(answersIn(await client.untilEnd())).toMatchObject([{ status: 200, body: 'done' }, refusal(400)]);
  });

  it('after several good requests: all of them are answered first', async () => {
    const { port } = await serve();
    const client = new RawClient(port).write(`${GET_VALUE.repeat(3)}GARBAGE\r\n\r\n`);
    const good = { status: 200, body: { value: 0 } };
    expect(answersIn(await client.untilEnd())).toMatchObject([good, good, good, refusal(400)]);
  });
});

describe('what Node would answer by itself', () => {
  it.each<[name: string, bytes: string, status: number, body: unknown]>([
    [
      'no Host',
      'GET /value HTTP/1.1\r\nConnection: close\r\n\r\n',
      400,
      { error: 'malformed_request', message: 'The request has no Host header.' },
    ],
    [
      'a target that is no address',
      `GET http://[::1 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
      400,
      { error: 'malformed_request', message: 'The request has no valid target.' },
    ],
    [
      'an expectation that nobody meets',
      `GET /value HTTP/1.1\r\n${HOST}Expect: tea\r\nConnection: close\r\n\r\n`,
      200,
      { value: 0 },
    ],
    [
      'a target with a host',
      `GET http://a/value?x=1 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
      200,
      { value: 0 },
    ],
    [
      'a target that is a star',
      `OPTIONS * HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
      404,
      { error: 'not_found', message: 'There is nothing at *.' },
    ],
    ['HTTP/1.0', 'GET /value HTTP/1.0\r\n\r\n', 200, { value: 0 }],
    [
      'an upgrade',
      `GET /value HTTP/1.1\r\n${HOST}Connection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      200,
      { value: 0 },
    ],
  ])('%s', async (_name, bytes, status, body) => {
    const { port } = await serve();
    const client = new RawClient(port).write(bytes);
    expect(answersIn(await client.untilEnd())).toMatchObject([{ status, body }]);
  });

  it('a tunnel is not opened', async () => {
    const { port } = await serve();
    const client = new RawClient(port).write(`CONNECT other:443 HTTP/1.1\r\n${HOST}\r\n`);
    expect(await client.untilEnd()).toBe('');
    expect(await send(port, '/value')).toMatchObject({ status: 200 });
  });
});

describe('a slow client', () => {
  it.each<[name: string, bytes: string]>([
    ['that never ends its headers', `GET /value HTTP/1.1\r\n${HOST}X: `],
    ['that never sends anything after a good request', `${GET_VALUE}GET /value HTTP/1.1\r\n`],
    ['that never ends its body', increment('{"amount"', 'Content-Length: 100\r\n')],
  ])('%s: 408', async (_name, bytes) => {
    const { port, requests } = await serve(undefined, {
      TSWORKER_HEADERS_TIMEOUT: '50ms',
      TSWORKER_REQUEST_TIMEOUT: '50ms',
    });
    const client = new RawClient(port).write(bytes);
    const answers = answersIn(await client.untilEnd());
    expect(answers.at(-1)).toEqual(refusal(408));
    expect(requests.length).toBe((answers.length - 1) * 2);
  });
});

describe('an upload over the limit', () => {
  const LIMIT = { TSWORKER_BODY_LIMIT: '1MiB' };
  const TOO_LARGE = { error: 'payload_too_large', message: 'The body is over the limit of 1048576 bytes.' };

  it.each<[name: string, headers: string, body: string]>([
    ['announced', `Content-Length: ${8 << 20}\r\n`, 'x'.repeat(8 << 20)],
    ['in chunks', 'Transfer-Encoding: chunked\r\n', `${chunk('x'.repeat(1 << 16)).repeat(128)}0\r\n\r\n`],
  ])('%s: a client that first sends it all gets its 413, and may go on', async (_name, headers, body) => {
    const { port, requests } = await serve(undefined, LIMIT);
    const client = new RawClient(port);
    // Nothing is read before everything is written, as simple clients do it.
    client.socket.pause();
    await new Promise((resolve) => client.socket.write(increment(body, headers) + GET_VALUE, resolve));
    client.socket.resume();
    await client.until(/"value"/);
    expect(answersIn(client.received)).toMatchObject([
      { status: 413, body: TOO_LARGE },
      { status: 200, body: { value: 0 } },
    ]);
    expect(typesOf(requests)).toEqual(['request.started', 'request.succeeded']);
  });

  it('is answered before it has arrived', async () => {
    const { port } = await serve(undefined, LIMIT);
    const client = new RawClient(port).write(increment('{', `Content-Length: ${1 << 30}\r\n`));
    await client.until(/bytes\."}/);
    expect(answersIn(client.received)).toMatchObject([{ status: 413, body: TOO_LARGE }]);
  });

  it('is not kept in memory', async () => {
    const { port } = await serve(undefined, LIMIT);
    const before = process.memoryUsage().arrayBuffers;
    const client = new RawClient(port).write(increment('', 'Transfer-Encoding: chunked\r\n'));
    const part = chunk('x'.repeat(1 << 20));
    let most = 0;
    for (let megabyte = 0; megabyte < 100; megabyte++) {
      await new Promise((resolve) => client.socket.write(part, resolve));
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most).toBeLessThan(64 << 20);
    expect(answersIn(client.received)).toMatchObject([{ status: 413, body: TOO_LARGE }]);
  });

  it('of a request that is refused anyway: the answer arrives, although the connection is closed', async () => {
    const running = deferred<string>();
    const { port, worker } = await serve(
      quietBackend({
        routes: { '/run': { method: 'GET', handle: () => running.promise }, '/in': { handle: () => 'in' } },
      }),
      { TSWORKER_DRAIN_TIMEOUT: '10s' },
    );
    const begun = next(worker, 'request');
    const inFlight = send(port, '/run');
    await begun;
    void worker.stop('the test says so');
    const client = new RawClient(port);
    client.socket.pause();
    const upload = `POST /in HTTP/1.1\r\n${HOST}Content-Length: ${8 << 20}\r\n\r\n${'x'.repeat(8 << 20)}`;
    await new Promise((resolve) => client.socket.write(upload, resolve));
    client.socket.resume();
    expect(answersIn(await client.untilEnd())).toMatchObject([
      { status: 503, headers: { connection: 'close', 'retry-after': '5' } },
    ]);
    running.resolve('done');
    expect(await inFlight).toMatchObject({ status: 200, body: 'done' });
  });
});

describe('requests that are sent ahead', () => {
  it('are answered in order', async () => {
    const { port, requests } = await serve();
    const client = new RawClient(port).write(
      increment('{"amount": 1}') + increment('{"amount": "x"}') + increment('{"amount": 2}') + GET_VALUE,
    );
    await client.until(/"value":3/);
    expect(answersIn(client.received).map(({ status, body }) => [status, body])).toEqual([
      [200, 'Incremented'],
      [400, { error: 'invalid_request', message: 'amount: Invalid input: expected number, received string' }],
      [200, 'Incremented'],
      [200, { value: 3 }],
    ]);
    // The next one may begin while the end of the one before it is being noted.
    const of = (id: number) => typesOf(requests.filter((event) => event.id === id));
    expect([1, 2, 3, 4].map(of)).toEqual([
      ['request.started', 'request.succeeded'],
      ['request.started', 'request.errored'],
      ['request.started', 'request.succeeded'],
      ['request.started', 'request.succeeded'],
    ]);
    expect(requests).toHaveLength(8);
    expect(requests.filter(({ type }) => type === 'request.started').map(({ id }) => id)).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it('begin one by one, so that none is left when the client goes', async () => {
    const begun: AbortSignal[] = [];
    const backend = quietBackend({
      routes: {
        '/hang': {
          method: 'GET',
          handle: ({ signal }) => {
            begun.push(signal);
            return new Promise((_resolve, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason)),
            );
          },
        },
      },
    });
    const running = await serve(backend);
    const started = next(running.worker, 'request');
    const client = new RawClient(running.port).write(`GET /hang HTTP/1.1\r\n${HOST}\r\n`.repeat(20));
    await started;
    const cancelled = next(running.worker, 'request');
    client.socket.destroy();
    expect(await cancelled).toMatchObject({ type: 'request.cancelled' });
    expect(await untilView(running, ({ requestsUnderWay }) => requestsUnderWay === 0)).toMatchObject({
      ledger: { totals: { requests: 1 } },
    });
    expect(begun.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('are too many behind one that takes long: the connection is cut, and that one cancelled', async () => {
    const backend = quietBackend({
      routes: { '/hang': { method: 'GET', handle: () => new Promise(() => {}) } },
    });
    const { port, log, requests } = await serve(backend);
    const client = new RawClient(port).write(`GET /hang HTTP/1.1\r\n${HOST}\r\n`.repeat(12_000));
    expect(await client.untilEnd()).toBe('');
    await expect.poll(() => typesOf(requests)).toEqual(['request.started', 'request.cancelled']);
    expect(log.about('request.refused').map(({ fields }) => fields.code)).toEqual(['too_many_ahead']);
  });
});

describe('a flood of what is refused', () => {
  it('makes a line for the first of each kind, and one that counts the others', async () => {
    const { port, worker, log } = await serve(undefined, { TSWORKER_BODY_LIMIT: '1MiB' });
    const bad = [
      increment('{'),
      increment('{}'),
      increment('{}').replace('application/json', 'text/plain'),
      `GET /nothing HTTP/1.1\r\n${HOST}\r\n`,
      `GET /increment HTTP/1.1\r\n${HOST}\r\n`,
      increment('x'.repeat(1_100_000)),
    ];
    const rounds = 100;
    const client = new RawClient(port).write(bad.join('').repeat(rounds) + GET_VALUE);
    await client.until(/"value"/);
    const malformed = Array.from({ length: 20 }, () =>
      new RawClient(port).write('GARBAGE\r\n\r\n').untilEnd(),
    );
    await Promise.all(malformed);
    await worker.stop('the flood is over');

    const counts: Record<string, number> = {};
    const tally = (code: string, by: number) => {
      counts[code] = (counts[code] ?? 0) + by;
    };
    const firsts = log.about('request.refused');
    for (const { fields } of firsts) tally(String(fields.code), 1);
    const summaries = log.lines.filter(({ fields }) => 'refused' in fields);
    for (const { fields } of summaries) {
      for (const [code, count] of Object.entries(fields.refused as Record<string, number>))
        tally(code, count);
    }
    expect(counts).toEqual({
      invalid_json: rounds,
      invalid_request: rounds,
      unsupported_media_type: rounds,
      not_found: rounds,
      method_not_allowed: rounds,
      payload_too_large: rounds,
      malformed_request: 20,
    });
    // 7 kinds, told anew after each summary, of which there is at most one in 10 s.
    expect(firsts.length).toBeLessThanOrEqual(7 * summaries.length);
    expect(summaries.length).toBeLessThanOrEqual(3);
  });

  it('puts nothing that a client wrote into the log', async () => {
    const { port, log } = await serve(
      quietBackend({ routes: { '/strict': { parseRequest: z.strictObject({}), handle: () => undefined } } }),
    );
    await post(port, '/strict', { '\u001b[2J\n\u009b': 1 });
    await send(port, `/${'x'.repeat(10_000)}`);
    expect(log.about('request.refused').map(({ message }) => message)).toEqual([
      'refused a request with 400 invalid_request: The request does not have the form that this route takes.',
      'refused a request with 404 not_found: There is nothing at this path.',
    ]);
  });
});
