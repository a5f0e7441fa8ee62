import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { close, listen } from '../../src/net/server.js';
import { PublicClient, PublicClientError, type PublicClientOptions } from '../support/public-client.js';
import { finished, status } from './bodies.js';
import { report, startAutoscaler, tellFinished } from './harness.js';

const KEY = 'k3y of/the endpoint';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that answers each request as told, and remembers it. */
async function startServer(answer: (received: Received, response: ServerResponse) => void) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method, url, headers } = request;
      received.push({ method, url, headers, body });
      answer({ method, url, headers, body }, response);
    });
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await close(server);
  });
  const port = await listen(server, 0, '127.0.0.1');
  return { received, url: `http://127.0.0.1:${port}` };
}

function startClient(options: Partial<PublicClientOptions> & { autoscalerUrl: string }): PublicClient {
  const client = new PublicClient({ apiKey: KEY, pauseMs: 1, ...options });
  onTestFinished(() => client.close());
  return client;
}

const json = (response: ServerResponse, statusCode: number, body: unknown) => {
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

/** An autoscaler, and one worker that answers as told. */
async function startBoth(answer: (received: Received, response: ServerResponse) => void) {
  const autoscaler = await startAutoscaler({ apiKey: KEY });
  const worker = await startServer(answer);
  await report(autoscaler, status(1, { url: worker.url }));
  return { autoscaler, worker, client: startClient({ autoscalerUrl: autoscaler.url }) };
}

const HEADERS = {
  accept: '*/*',
  'accept-encoding': 'gzip, deflate',
  authorization: `Bearer ${KEY}`,
  connection: 'keep-alive',
  'content-type': 'application/json',
  'user-agent': expect.stringMatching(/^Python\//),
};

describe('a route', () => {
  it('is asked for with the key in header, query and body, again and again with one request_idx', async () => {
    const route = { cost: 0.5, endpoint: 'é', reqnum: 3, request_idx: 9, signature: 's', url: 'http://w' };
    const autoscaler = await startServer((_received, response) => {
      const isReady = autoscaler.received.length === 3;
      json(response, 200, isReady ? route : { endpoint: 'é', request_idx: 9, status: '1 loading' });
    });
    const client = startClient({ autoscalerUrl: autoscaler.url, endpoint: 'é' });
    expect(await client.route({ cost: 0.5 })).toEqual(route);
    const bodyWith = (idx: number) =>
      `{"endpoint": "\\u00e9", "api_key": "${KEY}", "cost": 0.5, "request_idx": ${idx}, "replay_timeout": 60.0}`;
    const bodies = [0, 9, 9].map(bodyWith);
    expect(autoscaler.received).toEqual(
      bodies.map((body) => ({
        method: 'POST',
        url: '/route/?api_key=k3y%20of%2Fthe%20endpoint',
        headers: {
          ...HEADERS,
          host: autoscaler.url.slice('http://'.length),
          'content-length': String(Buffer.byteLength(body)),
        },
        body,
      })),
    );
  });

  it('is asked for again after a 5xx, and not after a 4xx', async () => {
    const codes = [503, 500, 200, 502, 422];
    const autoscaler = await startServer((_received, response) =>
      json(response, codes[autoscaler.received.length - 1] ?? 0, {
        request_idx: 4,
        endpoint: 'e',
        status: 's',
      }),
    );
    const route = startClient({ autoscalerUrl: autoscaler.url }).route();
    await expect(route).rejects.toThrow(/^the autoscaler answered 422: /);
    const asked = autoscaler.received.map(({ body }) => JSON.parse(body).request_idx);
    expect(asked).toEqual([0, 0, 0, 4, 4]);
  });

  it('is not waited for beyond the deadline, nor when the key is wrong', async () => {
    const autoscaler = await startAutoscaler({ apiKey: KEY });
    const { url: autoscalerUrl } = autoscaler;
    await expect(startClient({ autoscalerUrl }).route({ deadlineMs: 10 })).rejects.toThrow(
      'the autoscaler answered 200: {"endpoint":"my-endpoint","request_idx":1,"status":"no worker has reported yet"}',
    );
    await expect(startClient({ autoscalerUrl, apiKey: 'other' }).route()).rejects.toThrow(
      /^the autoscaler answered 401: /,
    );
    await expect(startClient({ autoscalerUrl, endpoint: 'other' }).route()).rejects.toThrow(
      PublicClientError,
    );
  });

  it('is given up with the signal, also between two polls', async () => {
    const gone = new AbortController();
    const autoscaler = await startServer((_received, response) => {
      json(response, 200, { endpoint: 'e', request_idx: 1, status: 'none' });
      response.once('finish', () => gone.abort());
    });
    const client = startClient({ autoscalerUrl: autoscaler.url, pauseMs: 60_000 });
    await expect(client.route({ signal: gone.signal, deadlineMs: 120_000 })).rejects.toThrow(/abort/i);
    expect(autoscaler.received).toHaveLength(1);
  });
});

describe('a request', () => {
  it('is what the original sends, to the letter', async () => {
    const { worker, client, autoscaler } = await startBoth((_received, response) =>
      json(response, 200, { n: 1 }),
    );
    const payload = { prompt: 'é😀', nested: [1, { a: null }], temperature: 0.7, on: true };
    const answer = await client.request('/v1/completions', payload, { cost: 256 });
    expect([answer.status, answer.body]).toEqual([200, { n: 1 }]);
    const route = await autoscaler.route(1, { requestIdx: 1 });
    const signature = 'signature' in route ? route.signature : '';
    expect(worker.received).toEqual([
      {
        method: 'POST',
        url: '/v1/completions?api_key=k3y%20of%2Fthe%20endpoint',
        headers: {
          ...HEADERS,
          host: worker.url.slice('http://'.length),
          'content-length': expect.any(String),
        },
        body:
          `{"auth_data": {"cost": 256, "endpoint": "my-endpoint", "reqnum": 1, "request_idx": 1, ` +
          `"signature": "${signature}", "url": "${worker.url}"}, ` +
          `"payload": {"prompt": "\\u00e9\\ud83d\\ude00", "nested": [1, {"a": null}], "temperature": 0.7, "on": true}, ` +
          `"session_id": null}`,
      },
    ]);
  });

  it.each([408, 429, 500, 503])('is tried again after %i, with the same request_idx', async (code) => {
    const { worker, client } = await startBoth((_received, response) => {
      json(response, worker.received.length < 3 ? code : 200, { tries: worker.received.length });
    });
    const answer = await client.request('/x', {});
    expect([answer.status, answer.body]).toEqual([200, { tries: 3 }]);
    const auths = worker.received.map(({ body }) => JSON.parse(body).auth_data.request_idx);
    expect(auths).toEqual([1, 1, 1]);
  });

  it('is routed anew after its worker has told that it was rejected', async () => {
    const { autoscaler, worker, client } = await startBoth((_received, response) => {
      if (worker.received.length > 1) json(response, 200, {});
      else {
        void tellFinished(autoscaler, finished(1, { status: 'Rejected', success: false })).then(() =>
          json(response, 429, {}),
        );
      }
    });
    expect((await client.request('/x', {})).status).toBe(200);
    expect(worker.received.map(({ body }) => JSON.parse(body).auth_data.reqnum)).toEqual([1, 2]);
  });

  it('is tried again after a lost connection', async () => {
    const { worker, client } = await startBoth((_received, response) => {
      if (worker.received.length === 1) response.destroy();
      else json(response, 200, {});
    });
    expect((await client.request('/x', {})).status).toBe(200);
  });

  it.each([400, 401, 404, 410, 422])('is not tried again after %i', async (code) => {
    const { worker, client } = await startBoth((_received, response) => json(response, code, { code }));
    expect(await client.request('/x', {})).toMatchObject({ status: code, body: { code } });
    expect(worker.received).toHaveLength(1);
  });

  it('is not tried again beyond the deadline, or when nobody wants it', async () => {
    const { autoscaler, worker, client } = await startBoth((_received, response) => json(response, 503, {}));
    expect((await client.request('/x', {}, { retry: false })).status).toBe(503);
    expect(worker.received).toHaveLength(1);
    const slow = startClient({ autoscalerUrl: autoscaler.url, pauseMs: 4_000 });
    expect((await slow.request('/x', {}, { deadlineMs: 3_000 })).status).toBe(503);
    expect(worker.received).toHaveLength(2);
  });
});

describe('a stream', () => {
  it('gives the chunks as they come', async () => {
    const go: (() => void)[] = [];
    const { client } = await startBoth((_received, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      go.push(() => response.end('data: 2\n\n'));
    });
    const chunks: string[] = [];
    for await (const chunk of client.stream('/x', {})) {
      chunks.push(chunk.toString());
      go.pop()?.();
    }
    expect(chunks).toEqual(['data: 1\n\n', 'data: 2\n\n']);
  });

  it('that is left closes the connection', async () => {
    let left = new Promise<unknown>(() => {});
    const { client } = await startBoth((_received, response) => {
      left = new Promise((resolve) => response.once('close', resolve));
      response.writeHead(200).write('first');
    });
    for await (const chunk of client.stream('/x', {})) {
      expect(chunk.toString()).toBe('first');
      break;
    }
    await left;
  });

  it('ends with the signal, and throws what is no 2xx', async () => {
    const gone = new AbortController();
    const { worker, client } = await startBoth((_received, response) => {
      if (worker.received.length > 1) json(response, 422, { payload: 'wrong' });
      else response.writeHead(200).write('first');
    });
    const leave = async () => {
      for await (const _ of client.stream('/x', {}, { signal: gone.signal })) gone.abort();
    };
    await expect(leave()).rejects.toThrow(/abort/i);
    await expect(client.stream('/x', {}).next()).rejects.toThrow(
      'the worker answered 422: {"payload":"wrong"}',
    );
  });
});

describe('a session', () => {
  it('is created, used, looked at and ended at one worker', async () => {
    const { worker, client, autoscaler } = await startBoth(({ url }, response) => {
      const isNew = url?.startsWith('/session/create');
      json(response, isNew ? 201 : 200, isNew ? { session_id: 'abc', expiration: 1 } : { url });
    });
    const session = await client.createSession({ lifetime: 5, on_close_route: '/free' }, { cost: 7 });
    await client.request('/x', { a: 1 }, { session });
    await client.sessionCall('get', session);
    await client.sessionCall('end', session);
    const { authData } = session;
    expect([session.id, authData.cost, authData.url]).toEqual(['abc', 7, worker.url]);
    expect(worker.received.map(({ url, body }) => [url?.split('?')[0], JSON.parse(body)])).toEqual([
      ['/session/create', { auth_data: authData, payload: { lifetime: 5, on_close_route: '/free' } }],
      ['/x', { auth_data: authData, payload: { a: 1 }, session_id: 'abc' }],
      ['/session/get', { session_id: 'abc', session_auth: authData }],
      ['/session/end', { session_id: 'abc', session_auth: authData }],
    ]);
    expect(autoscaler.requests()).toHaveLength(1);
  });
});
