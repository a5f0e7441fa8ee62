import { describe, expect, it } from 'vitest';
import helloautoscaler from '../../backends/helloautoscaler.js';
import helloworld from '../../backends/helloworld.js';
import { WorkerError } from '../../src/errors.js';
import { post, RawClient, type Sent, send } from '../support/client.js';
import {
  deferred,
  next,
  quietBackend,
  serve,
  startWorker,
  typesOf,
  untilState,
  untilView,
} from '../support/worker.js';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('the hello backend counts', () => {
  it.each<[name: string, path: string, sent: Sent, status: number, counted: string | null]>([
    [
      'an increment',
      '/increment',
      { method: 'POST', headers: JSON_TYPE, body: '{"amount": 2}' },
      200,
      'succeeded',
    ],
    ['a value', '/value', {}, 200, 'succeeded'],
    [
      'an increment without amount',
      '/increment',
      { method: 'POST', headers: JSON_TYPE, body: '{}' },
      400,
      'errored',
    ],
    [
      'an increment that is no JSON',
      '/increment',
      { method: 'POST', headers: JSON_TYPE, body: '{' },
      400,
      'errored',
    ],
    ['an increment of nothing', '/increment', { method: 'POST' }, 400, 'errored'],
    [
      'another type',
      '/increment',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' },
      415,
      'errored',
    ],
    [
      'a compressed body',
      '/increment',
      { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: '{}' },
      415,
      'errored',
    ],
    ['not an unknown path', '/nothing', {}, 404, null],
    ['not another method', '/increment', {}, 405, null],
    ['not another method', '/value', { method: 'POST', headers: JSON_TYPE, body: '{}' }, 405, null],
    [
      'not what is too large',
      '/increment',
      { method: 'POST', headers: JSON_TYPE, body: ' '.repeat(65 << 20) },
      413,
      null,
    ],
  ])('%s: %s', async (_name, path, sent, status, counted) => {
    const { port, requests } = await serve(helloautoscaler);
    expect((await send(port, path, sent)).status).toBe(status);
    const atMs = expect.any(Number);
    const event = { id: 1, kind: 'request', route: path, workload: 1, requestIdx: null, atMs };
    expect(requests).toEqual(
      counted === null
        ? []
        : [
            { ...event, type: 'request.started' },
            {
              ...event,
              type: `request.${counted}`,
              enteredAtMs: atMs,
              workStartedAtMs: expect.toBeOneOf([null, atMs]),
              firstByteAtMs: counted === 'succeeded' ? atMs : null,
              receivedBytes: counted === 'succeeded' ? (sent.body?.length ?? 0) : expect.any(Number),
              sentBytes: counted === 'succeeded' ? expect.any(Number) : 0,
            },
          ],
    );
  });

  it('not what comes while it does not accept', async () => {
    const { port, requests } = await startWorker(helloautoscaler, { TSWORKER_SERVE_UNREPORTED: 'false' });
    expect((await post(port, '/increment', { amount: 1 })).status).toBe(503);
    expect((await send(port, '/value')).status).toBe(503);
    expect(requests).toEqual([]);
  });

  it('not an upload whose client leaves', async () => {
    const running = await serve(helloautoscaler);
    const client = new RawClient(running.port).write(
      'POST /increment HTTP/1.1\r\nHost: worker\r\nContent-Length: 100\r\n\r\n{"amount"',
    );
    await untilView(running, ({ requestsUnderWay }) => requestsUnderWay === 1);
    client.socket.resetAndDestroy();
    await untilView(running, ({ requestsUnderWay }) => requestsUnderWay === 0);
    expect(running.requests).toEqual([]);
    expect(running.log.about('request.refused')).toEqual([]);
  });

  it('to the same sums that the autoscaler is told', async () => {
    const running = await serve(helloautoscaler);
    await Promise.all(Array.from({ length: 50 }, () => post(running.port, '/increment', { amount: 2 })));
    await post(running.port, '/increment', {});
    expect(await send(running.port, '/value')).toMatchObject({ body: { value: 100 } });
    const { ledger } = running.worker.view();
    expect(ledger.totals).toEqual({
      requests: 52,
      received: 52,
      served: 51,
      errored: 1,
      cancelled: 0,
      rejected: 0,
      load: 52,
      diskGib: ledger.totals.diskGib,
    });
  });
});

it('helloworld has the same routes, serves at once and reports to nobody', async () => {
  const { port, worker, states, log } = await serve(helloworld);
  expect(states.map(({ state }) => state)).toEqual(['loading', 'loaded', 'serving']);
  expect(await post(port, '/increment', { amount: 2 })).toMatchObject({ status: 200, body: 'Incremented' });
  expect(await post(port, '/increment', {})).toMatchObject({ status: 400 });
  expect(await send(port, '/value')).toMatchObject({ status: 200, body: { value: 2 } });
  expect(await worker.stop('the test says so')).toBe('clean');
  expect(log.lines.filter(({ message }) => message.includes('report'))).toEqual([
    expect.objectContaining({ message: 'stopped: everything is finished and reported' }),
  ]);
  expect(worker.view().reporter).toEqual({ addresses: [], due: [], failedRounds: 0 });
});

describe('one start and one end, whatever becomes of a request', () => {
  it('the client leaves in the middle: cancelled, and the handler hears it', async () => {
    const heard = deferred<unknown>();
    const { port, worker, requests, log } = await serve(
      quietBackend({
        routes: {
          '/wait': {
            handle: ({ signal }) =>
              new Promise((_resolve, reject) => {
                signal.addEventListener('abort', () => {
                  heard.resolve(signal.reason);
                  reject(signal.reason);
                });
              }),
          },
        },
      }),
    );
    const begun = next(worker, 'request');
    const client = new RawClient(port).write('POST /wait HTTP/1.1\r\nHost: w\r\nContent-Length: 2\r\n\r\n{}');
    await begun;
    const ended = next(worker, 'request');
    client.socket.destroy();
    expect(await heard.promise).toMatchObject({ name: 'ClientGone', message: 'the client went away' });
    await ended;
    expect(typesOf(requests)).toEqual(['request.started', 'request.cancelled']);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('the client leaves, and the handler answers all the same: cancelled', async () => {
    const result = deferred<string>();
    const gone = deferred();
    const { port, worker, requests } = await serve(
      quietBackend({
        routes: {
          '/wait': {
            method: 'GET',
            handle: ({ signal }) => {
              signal.addEventListener('abort', () => gone.resolve());
              return result.promise;
            },
          },
        },
      }),
    );
    const begun = next(worker, 'request');
    const client = new RawClient(port).write('GET /wait HTTP/1.1\r\nHost: w\r\n\r\n');
    await begun;
    client.socket.destroy();
    await gone.promise;
    const ended = next(worker, 'request');
    result.resolve('too late');
    await ended;
    expect(typesOf(requests)).toEqual(['request.started', 'request.cancelled']);
  });

  it('the client leaves before the handler begins: it does not begin', async () => {
    const parsing = deferred();
    const parsed = deferred();
    let begun = 0;
    const running = await serve(
      quietBackend({
        routes: {
          '/parse': {
            parseRequest: async () => {
              parsing.resolve();
              await parsed.promise;
            },
            handle: () => void begun++,
          },
        },
      }),
    );
    const client = new RawClient(running.port).write(
      'POST /parse HTTP/1.1\r\nHost: w\r\nContent-Length: 2\r\n\r\n{}',
    );
    await parsing.promise;
    const ended = next(running.worker, 'request', ({ type }) => type !== 'request.started');
    client.socket.destroy();
    expect(await ended).toMatchObject({ type: 'request.cancelled' });
    expect(typesOf(running.requests)).toEqual(['request.started', 'request.cancelled']);
    expect(begun).toBe(0);
  });

  it.each<[name: string, handle: () => unknown, inTheLog: RegExp]>([
    [
      'throws',
      () => {
        throw new Error('the inner reason');
      },
      /^the backend failed: Error: the inner reason\n {4}at /,
    ],
    [
      'rejects',
      () => Promise.reject(new Error('the inner reason')),
      /^the backend failed: Error: the inner reason\n {4}at /,
    ],
    [
      'throws an error of another library',
      () => {
        throw Object.assign(new Error('the inner reason'), { status: 400 });
      },
      /^the backend failed: Error: the inner reason\n {4}at /,
    ],
    [
      'throws no error',
      () => {
        throw { inner: 'the inner reason' };
      },
      /^the backend failed: \{ inner: 'the inner reason' \}$/,
    ],
    [
      'throws what can not be told',
      () => {
        throw Object.create(null);
      },
      /^the backend failed: \[Object: null prototype\] \{\}$/,
    ],
    [
      'throws an unknown code',
      () => {
        throw Object.assign(new Error('the inner reason'), { name: 'WorkerError', code: 'toString' });
      },
      /^the backend failed: WorkerError: the inner reason\n/,
    ],
    ['answers a BigInt', () => 1n, /^the backend failed: TypeError: Do not know how to serialize a BigInt\n/],
    [
      'answers a circle',
      () => {
        const circle: Record<string, unknown> = {};
        circle.self = circle;
        return circle;
      },
      /^the backend failed: TypeError: Converting circular structure to JSON/,
    ],
    [
      'answers a function',
      () => () => 1,
      /^the backend failed: TypeError: a function can not be answered as JSON\n/,
    ],
  ])('the handler %s: errored, and the reason is told to the log alone', async (_name, handle, inTheLog) => {
    const { port, requests, log } = await serve(quietBackend({ routes: { '/run': { handle } } }));
    expect(await post(port, '/run', {})).toMatchObject({
      status: 500,
      body: {
        error: 'backend_error',
        message: 'The backend failed to answer. The worker log has the reason.',
      },
    });
    expect(typesOf(requests)).toEqual(['request.started', 'request.errored']);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([
      {
        level: 'error',
        message: expect.stringMatching(inTheLog),
        fields: { event: 'request.refused', code: 'backend_error', status: 500 },
      },
    ]);
  });

  it.each<[name: string, thrown: Error]>([
    ['of this package', new WorkerError('not_accepting', 'Busy.', { headers: { 'Retry-After': '3' } })],
    [
      'of another copy of this package',
      Object.assign(new Error('Busy.'), {
        name: 'WorkerError',
        code: 'not_accepting',
        status: 503,
        headers: { 'Retry-After': '3' },
      }),
    ],
  ])('the handler throws a WorkerError %s: errored, and told as it is', async (_name, thrown) => {
    const { port, requests } = await serve(
      quietBackend({ routes: { '/run': { handle: () => Promise.reject(thrown) } } }),
    );
    expect(await post(port, '/run', {})).toMatchObject({
      status: 503,
      headers: { 'retry-after': '3' },
      body: { error: 'not_accepting', message: 'Busy.' },
    });
    expect(typesOf(requests)).toEqual(['request.started', 'request.errored']);
  });
});

describe('what a handler returns', () => {
  it.each<[name: string, result: unknown, status: number, type: string | undefined, body: unknown]>([
    ['a text', 'text äö', 200, 'text/plain; charset=utf-8', 'text äö'],
    ['an empty text', '', 200, 'text/plain; charset=utf-8', ''],
    ['bytes', Buffer.from('bytes'), 200, 'application/octet-stream', 'bytes'],
    ['an array of bytes', Uint8Array.of(104, 105), 200, 'application/octet-stream', 'hi'],
    ['nothing', undefined, 204, undefined, ''],
    ['null', null, 200, 'application/json; charset=utf-8', null],
    ['a flag', false, 200, 'application/json; charset=utf-8', false],
    ['a number', 0, 200, 'application/json; charset=utf-8', 0],
    ['a list', [1, 'a'], 200, 'application/json; charset=utf-8', [1, 'a']],
    ['an object', { a: { b: 1 } }, 200, 'application/json; charset=utf-8', { a: { b: 1 } }],
    ['a promise', Promise.resolve('later'), 200, 'text/plain; charset=utf-8', 'later'],
  ])('%s', async (_name, result, status, type, body) => {
    const { port } = await serve(quietBackend({ routes: { '/run': { handle: () => result } } }));
    const answer = await post(port, '/run', {});
    expect({ ...answer, headers: answer.headers['content-type'] }).toEqual({ status, headers: type, body });
  });

  it('a large answer arrives whole, to a client that reads late, before the request ends', async () => {
    const large = 'x'.repeat(20 << 20);
    const { port, worker, requests } = await serve(
      quietBackend({ routes: { '/run': { method: 'GET', handle: () => large } } }),
    );
    const begun = next(worker, 'request');
    const client = new RawClient(port);
    client.socket.pause();
    client.write('GET /run HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n');
    await begun;
    expect(typesOf(requests)).toEqual(['request.started']);
    const ended = next(worker, 'request');
    client.socket.resume();
    expect((await client.untilEnd()).length).toBeGreaterThan(large.length);
    expect(await ended).toMatchObject({ type: 'request.succeeded' });
  });
});

describe('what a handler gets', () => {
  it('the body as it was parsed, the query without the key of the API, and the state', async () => {
    const { port } = await serve(
      quietBackend({
        init: () => ({ made: 'by init' }),
        routes: {
          '/echo': {
            handle: ({ body, query, state, signal }) => ({
              body,
              query: [...query],
              state,
              aborted: signal.aborted,
            }),
          },
          '/remove': { method: 'DELETE', handle: ({ body }) => ({ body: body ?? 'none' }) },
          '/get': {
            method: 'GET',
            handle: ({ body, query }) => ({ body: body ?? 'none', query: [...query] }),
          },
        },
      }),
    );
    expect(await post(port, '/echo?a=1&api_key=secret&a=2&b', { some: 'body' })).toMatchObject({
      body: {
        body: { some: 'body' },
        query: [
          ['a', '1'],
          ['a', '2'],
          ['b', ''],
        ],
        state: { made: 'by init' },
        aborted: false,
      },
    });
    const headers = { 'content-type': 'application/json' };
    expect((await send(port, '/remove', { method: 'DELETE' })).body).toEqual({ body: 'none' });
    expect(
      (
        await send(port, '/remove', {
          method: 'DELETE',
          headers: { ...headers, 'content-length': '3' },
          body: '[1]',
        })
      ).body,
    ).toEqual({ body: [1] });
    expect(
      (await send(port, '/get', { headers: { ...headers, 'content-length': '1' }, body: '{' })).body,
    ).toEqual({ body: 'none', query: [] });
  });
});

it('a workload that is not usable counts as 100, and is told once', async () => {
  const amounts = [Number.NaN, Number.POSITIVE_INFINITY, 1e308, -1];
  const { port, worker, log } = await serve(
    quietBackend({
      routes: {
        '/number': { workload: () => amounts.shift() ?? 7, handle: () => 'ok' },
        '/throws': {
          workload: () => {
            throw new Error('no idea');
          },
          handle: () => 'ok',
        },
        '/refused': {
          parseRequest: () => {
            throw new Error('amount is wrong');
          },
          workload: () => 7,
          handle: () => 'ok',
        },
      },
    }),
  );
  for (let request = 0; request < 5; request++) await post(port, '/number', {});
  for (let request = 0; request < 3; request++) await post(port, '/throws', {});
  expect(await post(port, '/refused', {})).toMatchObject({
    status: 400,
    body: { message: 'amount is wrong' },
  });
  expect(worker.view().ledger.totals).toMatchObject({ requests: 9, received: 707, served: 707, errored: 0 });
  await worker.stop('the test says so');
  expect(log.lines.filter(({ message }) => message.includes('workload'))).toEqual([
    {
      level: 'warn',
      message: 'the workload of /number is not usable, so the default is counted: it answered NaN',
      fields: { event: 'workload.unusable', path: '/number', problem: 'it answered NaN' },
    },
    {
      level: 'warn',
      message: 'the workload of /throws is not usable, so the default is counted: no idea',
      fields: { event: 'workload.unusable', path: '/throws', problem: 'no idea' },
    },
  ]);
  await untilState(worker, 'stopped');
});
