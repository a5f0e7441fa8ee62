import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/client.js';
import { serveModel } from '../support/model-server.js';
import { type Env, next } from '../support/worker.js';
import { type Rig, ROUTES, startRig } from './rig.js';

const PAUSED = { behaviour: { pauseAfterTokens: 0 } };

/** A rig whose model server answers health, and everything else as the test says. */
async function rigBefore(answer: RequestListener, env: Env = {}): Promise<Rig> {
  const { url } = await serveModel((request, response) => {
    if (request.url === '/health') response.end('{}');
    else answer(request, response);
  });
  return startRig({ backend: { model: { url, health: '/health' }, routes: ROUTES }, env });
}

/** The bytes of a signed request, for a bare connection. */
function requestText(rig: Rig, path: string, payload: unknown): string {
  const body = JSON.stringify({ auth_data: rig.authFor(), payload });
  return `POST ${path} HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function ended(rig: Rig) {
  return next(rig.worker, 'request', ({ type }) => !['request.started', 'request.rejected'].includes(type));
}

describe('a 4xx or 5xx of the model', () => {
  it.each([400, 404, 418, 422, 429, 500, 503])(
    '%i reaches the client with its body, and is no success',
    async (status) => {
      const rig = await rigBefore((_request, response) => {
        response.writeHead(status, { 'content-type': 'application/json', 'x-reason': 'mine' });
        response.end('{"detail":"from the model"}');
      });
      const end = ended(rig);
      expect(await rig.ask('/v1/completions', {})).toMatchObject({
        status,
        headers: { 'x-reason': 'mine' },
        body: { detail: 'from the model' },
      });
      expect((await end).type).toBe('request.errored');
    },
  );
});

describe('bodies pass untouched', () => {
  it('gzip, byte for byte, with its Content-Encoding', async () => {
    const bytes = gzipSync(JSON.stringify({ text: 'x'.repeat(5_000) }));
    const rig = await rigBefore((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(bytes);
    });
    const response = await rig.open('/v1/completions', {}).response;
    expect(response.headers['content-encoding']).toBe('gzip');
    expect((await buffer(response)).equals(bytes)).toBe(true);
  });

  it('a compressed stream, event by event', async () => {
    const rig = await startRig({ model: { behaviour: { gzip: true } } });
    const response = await rig.open('/v1/completions', { max_tokens: 3, stream: true }).response;
    expect(response.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(await buffer(response)).toString()).toMatch(/tok0.*tok1.*tok2.*\[DONE\]/s);
  });

  it('binary, whole and streamed', async () => {
    const rig = await startRig({ model: { behaviour: { binary: true } } });
    const all = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
    for (const stream of [false, true]) {
      const response = await rig.open('/v1/completions', { max_tokens: 3, stream }).response;
      expect(response.headers['content-type']).toBe('application/octet-stream');
      expect((await buffer(response)).equals(Buffer.concat([all, all, all]))).toBe(true);
    }
  });

  it('an empty one, and one of 204', async () => {
    const rig = await rigBefore((request, response) => {
      response.writeHead(request.url === '/v1/completions' ? 200 : 204).end();
    });
    expect(await rig.ask('/v1/completions', {})).toMatchObject({ status: 200, body: '' });
    expect(await rig.ask('/v1/chat/completions', {})).toMatchObject({ status: 204, body: '' });
  });
});

describe('headers of the answer', () => {
  it('those about one connection are dropped, those named by Connection too, and trailers', async () => {
    const rig = await startRig({ model: { behaviour: { hopByHop: true, trailers: true } } });
    const client = new RawClient(rig.port).write(
      requestText(rig, '/v1/completions', { max_tokens: 2, stream: true }),
    );
    const received = await client.until(/\r\n0\r\n(?:.*\r\n)*\r\n$/);
    const names = received
      .slice(0, received.indexOf('\r\n\r\n'))
      .split('\r\n')
      .slice(1)
      .map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
    expect(names.sort()).toEqual([
      'connection',
      'content-type',
      'date',
      'keep-alive',
      'transfer-encoding',
      'x-end-to-end',
    ]);
    // Those two are of this connection, not of the one to the model.
    expect(received).not.toMatch(/x-hop|proxy-authenticate|max=100|x-tokens/i);
    expect(received.endsWith('0\r\n\r\n')).toBe(true);
  });

  const COOKIES = ['one=1; Path=/', 'two=2; Path=/'];

  it('set-cookie twice stays twice', async () => {
    const rig = await rigBefore((_request, response) => {
      response.writeHead(200, ['Set-Cookie', 'one=1; Path=/', 'Set-Cookie', 'two=2; Path=/']).end('ok');
    });
    expect((await rig.ask('/v1/completions', {})).headers['set-cookie']).toEqual(COOKIES);
  });

  it('set-cookie twice stays twice while the worker drains, and the connection is closed', async () => {
    const answers: (() => void)[] = [];
    const rig = await rigBefore(
      (_request, response) => {
        answers.push(() =>
          response.writeHead(200, ['Set-Cookie', 'one=1; Path=/', 'Set-Cookie', 'two=2; Path=/']).end('ok'),
        );
      },
      { TSWORKER_DRAIN_TIMEOUT: '5s' },
    );
    const started = next(rig.worker, 'request');
    const client = rig.open('/v1/completions', {});
    await started;
    while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const draining = next(rig.worker, 'lifecycle', ({ state }) => state === 'draining');
    void rig.worker.stop('the test says so');
    await draining;
    answers[0]?.();
    const { headers } = await client.response;
    expect([headers['set-cookie'], headers.connection]).toEqual([COOKIES, 'close']);
  });

  it('those that can not be sent on are a failure of the model, and not of the worker', async () => {
    const rig = await rigBefore((_request, response) => {
      response.socket?.end('HTTP/1.1 200 OK\r\nX-Bad: a\u0001b\r\nContent-Length: 2\r\n\r\nok');
    });
    const end = ended(rig);
    const { status } = await rig.ask('/v1/completions', {});
    expect([200, 500]).toContain(status);
    expect((await end).type).toBe(status === 200 ? 'request.succeeded' : 'request.errored');
  });
});

describe('when the model dies in the middle of a stream', () => {
  it("the client's socket is destroyed: no second status line, and no end that looks like one", async () => {
    const rig = await startRig({ model: { behaviour: { crashAfterTokens: 3 } } });
    const end = ended(rig);
    const client = new RawClient(rig.port).write(
      requestText(rig, '/v1/completions', { max_tokens: 9, stream: true }),
    );
    const received = await client.untilEnd();
    expect(received).toContain('tok0');
    expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
    expect((await end).type).toBe('request.errored');
    expect(rig.worker.view().state).toBe('serving');
  });

  it('before its first byte the client is told 500', async () => {
    const rig = await startRig({ model: { behaviour: { crashAfterTokens: 0 } } });
    expect(await rig.ask('/v1/completions', { max_tokens: 1 })).toMatchObject({
      status: 500,
      body: { error: 'model_failed' },
    });
  });

  it('short of the length that it announced, the client is cut likewise', async () => {
    const rig = await rigBefore((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.socket?.destroy());
    });
    const client = new RawClient(rig.port).write(requestText(rig, '/v1/completions', {}));
    const received = await client.untilEnd();
    expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(received.endsWith('half')).toBe(true);
  });

  it.each(['garbage', 'refuse'] as const)('no HTTP (%s) is 500, and told as Error', async (how) => {
    const rig = await startRig();
    rig.model.behave({ [how]: true });
    const end = ended(rig);
    expect((await rig.ask('/v1/completions', {})).status).toBe(500);
    expect((await end).type).toBe('request.errored');
  });
});

describe('time-outs towards the model, for each route', () => {
  const routes = {
    '/first': { upstreamPath: '/v1/completions', timeouts: { firstByte: '60ms' } },
    '/between': { upstreamPath: '/v1/completions', timeouts: { betweenBytes: '60ms' } },
    '/total': { upstreamPath: '/v1/completions', timeouts: { total: '100ms' } },
  };

  it('to the first byte: 504, told as Error, and the model stops', async () => {
    const rig = await startRig({ model: PAUSED, backend: { routes } });
    const end = ended(rig);
    expect(await rig.ask('/first', { stream: true })).toMatchObject({
      status: 504,
      body: { error: 'model_timeout' },
    });
    expect((await end).type).toBe('request.errored');
    await rig.model.untilAborted();
  });

  it('between bytes: the client is cut, told as Error, and the model stops', async () => {
    const rig = await startRig({ model: { behaviour: { pauseAfterTokens: 2 } }, backend: { routes } });
    const end = ended(rig);
    const client = new RawClient(rig.port).write(
      requestText(rig, '/between', { max_tokens: 9, stream: true }),
    );
    const received = await client.untilEnd();
    expect([received.includes('tok1'), received.match(/HTTP\/1\.1/g)]).toEqual([true, ['HTTP/1.1']]);
    expect((await end).type).toBe('request.errored');
    expect((await rig.model.untilAborted()).tokens).toBe(2);
  });

  it('in all: a stream that goes on and on is cut', async () => {
    const rig = await startRig({
      model: { behaviour: { tokensPerSecond: 100 } },
      backend: { routes },
    });
    const end = ended(rig);
    const client = new RawClient(rig.port).write(
      requestText(rig, '/total', { max_tokens: 10_000, stream: true }),
    );
    await client.untilEnd();
    expect((await end).type).toBe('request.errored');
    await rig.model.untilAborted();
  });
});

describe('a client that goes', () => {
  it.each([true, false])('stops the model at once (stream: %s)', async (stream) => {
    const rig = await startRig({ model: { behaviour: { pauseAfterTokens: 3 } } });
    const client = rig.open('/v1/completions', { max_tokens: 1_000, stream });
    await (await rig.model.untilRequest()).untilTokens(3);
    client.leave();
    expect((await rig.model.untilAborted()).tokens).toBe(3);
    expect(rig.model.inFlight).toBe(0);
  });

  it('frees its place, whether it worked or waited: the next one gets its turn', async () => {
    const rig = await startRig({ model: PAUSED });
    const started = () => next(rig.worker, 'request', ({ type }) => type === 'request.started');
    const working = rig.open('/serial/one', { max_tokens: 1 });
    await rig.model.untilRequest();
    const entered = [];
    const waiting = [];
    for (const path of ['/serial/one', '/serial/two']) {
      entered.push(started());
      waiting.push(rig.open(path, { max_tokens: 1 }));
      await entered.at(-1);
    }
    expect(rig.worker.view().requestsQueued).toBe(2);
    waiting[0]?.leave();
    await ended(rig);
    expect(rig.worker.view().requestsQueued).toBe(1);
    working.leave();
    await rig.model.untilRequest(2);
    rig.model.behave({ pauseAfterTokens: undefined });
    expect((await waiting[1]?.response)?.statusCode).toBe(200);
    expect(rig.model.requests.map(({ path }) => path)).toEqual(['/v1/completions', '/v1/chat/completions']);
  });
});

describe('a route that does not allow parallel requests', () => {
  it('is served strictly first in, first out, one at a time, together with all that say so', async () => {
    const rig = await startRig({ model: PAUSED });
    const clients = [];
    for (let index = 0; index < 8; index++) {
      const begun = next(rig.worker, 'request', ({ type }) => type === 'request.started');
      const path = index % 3 === 0 ? '/serial/two' : '/serial/one';
      clients.push(rig.open(path, { max_tokens: 1, index }));
      await begun;
    }
    await rig.model.untilRequest();
    expect([rig.model.inFlight, rig.worker.view().requestsQueued]).toEqual([1, 7]);
    rig.model.behave({ pauseAfterTokens: undefined });
    for (const { response } of clients) (await response).resume();
    expect(rig.model.requests.map(({ body }) => JSON.parse(body).index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(rig.model.maxInFlight).toBe(1);
  });

  it('has a deadline for those who wait: 429 with Retry-After at max_queue_time, and no later', async () => {
    const rig = await startRig({ model: PAUSED });
    rig.open('/serial/one', { max_tokens: 1 });
    await rig.model.untilRequest();
    const enteredAtMs = performance.now();
    const { status, headers } = await rig.ask('/impatient', { max_tokens: 1 });
    const waitedMs = performance.now() - enteredAtMs;
    expect([status, headers['retry-after']]).toEqual([429, '1']);
    expect(waitedMs).toBeGreaterThanOrEqual(95);
    expect(waitedMs).toBeLessThan(2_000);
    expect(rig.worker.view().requestsQueued).toBe(0);
    expect(rig.model.requests).toHaveLength(1);
  });
});

it('a client that does not read stops the model from sending: no more is buffered than sockets hold', async () => {
  const TOTAL = 64 << 20;
  const chunk = Buffer.alloc(1 << 20);
  let sent = 0;
  let stalled: () => void = () => {};
  const untilStalled = new Promise<void>((resolve) => {
    stalled = resolve;
  });
  const rig = await rigBefore(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    while (sent < TOTAL) {
      sent += chunk.length;
      if (response.write(chunk)) continue;
      const timer = setTimeout(stalled, 300);
      await once(response, 'drain');
      clearTimeout(timer);
    }
    response.end();
  });
  const response = await rig.open('/v1/completions', {}).response;
  await untilStalled;
  expect(sent).toBeLessThan(TOTAL / 2);
  let received = 0;
  for await (const piece of response) received += (piece as Buffer).length;
  expect(received).toBe(TOTAL);
});
