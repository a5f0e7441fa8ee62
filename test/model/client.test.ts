import { createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ModelClient } from '../../src/model/client.js';
import type { Sink, UpstreamCall } from '../../src/upstream.js';
import { countedSignal } from '../support/counted-signal.js';
import { nobody, serveModel } from '../support/model-server.js';
import { leftBehindBy } from '../support/resources.js';
import { deferred } from '../support/worker.js';

const NEVER = Number.POSITIVE_INFINITY;

function call(more: Partial<UpstreamCall> = {}): UpstreamCall {
  return {
    method: 'POST',
    path: '/generate',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
    signal: new AbortController().signal,
    timeouts: { firstByteMs: NEVER, betweenBytesMs: NEVER, totalMs: NEVER },
    ...more,
  };
}

function limits(more: Partial<UpstreamCall['timeouts']>): Partial<UpstreamCall> {
  return { timeouts: { firstByteMs: NEVER, betweenBytesMs: NEVER, totalMs: NEVER, ...more } };
}

function clientOf(url: string, connections = 4, onRefused = () => {}): ModelClient {
  const client = new ModelClient({ url, connections, onRefused });
  onTestFinished(() => client.close());
  return client;
}

/** A sink that writes down what it is given, and takes all of it. */
class RecordingSink implements Sink {
  readonly steps: string[] = [];
  readonly begun = deferred();
  headers: readonly string[] = [];

  start(status: number, headers: readonly string[]): void {
    this.steps.push(`start ${status}`);
    this.headers = headers;
    this.begun.resolve();
  }

  write(chunk: Uint8Array): boolean {
    this.steps.push(Buffer.from(chunk).toString('latin1'));
    return true;
  }

  onDrain(): void {}

  end(): void {
    this.steps.push('end');
  }
}

/** A server of bytes: each connection is answered as the test says, once a request's head is there. */
async function serveBytes(answer: (socket: Socket, request: string) => unknown) {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      if (!received.includes('\r\n\r\n')) return;
      const request = received;
      received = '';
      requests.push(request);
      answer(socket, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, sockets, requests };
}

/** What a call was refused with. */
async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => error,
  );
}

const FAILED = {
  code: 'model_failed',
  status: 500,
  message: 'The model server failed. The worker log has the reason.',
};
const late = (where: string) => ({
  code: 'model_timeout',
  status: 504,
  message: `The model server took longer than this route allows ${where}.`,
});

describe('a stream', () => {
  it('brings the request as it is, and the answer piece by piece, with its headers as they were written', async () => {
    const asked = deferred<string>();
    const next = [deferred(), deferred()];
    const { url } = await serveBytes(async (socket, request) => {
      asked.resolve(request);
      socket.write(
        'HTTP/1.1 201 Created\r\nX-Model: caf\xe9\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n',
        'latin1',
      );
      socket.write('Content-Length: 6\r\n\r\none');
      await next[0]?.promise;
      socket.write(Buffer.from([0, 0xff]));
      await next[1]?.promise;
      socket.write('!');
    });
    const client = clientOf(`${url}/base/`);
    const sink = new RecordingSink();
    const write = sink.write.bind(sink);
    let pieces = 0;
    sink.write = (chunk) => {
      next[pieces++]?.resolve();
      return write(chunk);
    };
    expect(client.bytesReceived).toBe(0);
    expect(await client.stream(call(), sink)).toBe(201);
    expect(sink.steps).toEqual(['start 201', 'one', '\x00\xff', '!', 'end']);
    expect(sink.headers).toEqual([
      'X-Model',
      'caf\xe9',
      'Set-Cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'Content-Length',
      '6',
    ]);
    expect(client.bytesReceived).toBe(7);
    const [first, ...lines] = (await asked.promise).split('\r\n');
    expect(first).toBe('POST /base/generate HTTP/1.1');
    expect(lines.map((line) => line.toLowerCase())).toEqual(
      expect.arrayContaining(['content-type: application/json', 'content-length: 7', '{"a":1}']),
    );
  });

  it.each([
    ['http://x', '/generate'],
    ['http://x/', '/generate'],
    ['http://x/v1', '/v1/generate'],
    ['http://x/a/b//', '/a/b/generate'],
  ])('the base address %s leads to %s', async (base, path) => {
    const model = await serveModel((_request, response) => response.end());
    await clientOf(base.replace('http://x', model.url)).stream(
      call({ method: 'GET', body: null }),
      new RecordingSink(),
    );
    expect(model.requests).toEqual([`GET ${path}`]);
  });

  it('an answer of an error is an answer like any other', async () => {
    const { url } = await serveModel((_request, response) => response.writeHead(503).end('loading'));
    const sink = new RecordingSink();
    expect(await clientOf(url).stream(call(), sink)).toBe(503);
    expect(sink.steps).toEqual(['start 503', 'loading', 'end']);
  });

  it('what comes before the answer itself is not told', async () => {
    const { url } = await serveBytes((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
      socket.write('HTTP/1.1 200 OK\r\nX-Final: yes\r\nContent-Length: 2\r\n\r\nok');
    });
    const sink = new RecordingSink();
    expect(await clientOf(url).stream(call(), sink)).toBe(200);
    expect(sink.steps).toEqual(['start 200', 'ok', 'end']);
    expect(sink.headers).toEqual(['X-Final', 'yes', 'Content-Length', '2']);
  });

  it('is read no faster than the sink takes it', async () => {
    const total = 64 * 1024 * 1024;
    const stopped = deferred();
    let sent = 0;
    const { url } = await serveModel((_request, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(256 * 1024);
      const fill = () => {
        while (sent < total) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            stopped.resolve();
            return;
          }
        }
        response.end();
      };
      response.on('drain', fill);
      fill();
    });
    let [taken, pieces, ended] = [0, 0, false];
    const full = deferred();
    let drain = () => {};
    const streamed = clientOf(url).stream(call(), {
      start: () => {},
      write: (chunk) => {
        pieces++;
        taken += chunk.length;
        full.resolve();
        return pieces > 1;
      },
      onDrain: (listener) => {
        drain = listener;
      },
      end: () => {
        ended = true;
      },
    });
    await full.promise;
    await stopped.promise;
    // Nothing more comes, though the model server has sent all that the connection takes.
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect([pieces, ended]).toEqual([1, false]);
    expect(sent).toBeLessThan(total);
    drain();
    expect(await streamed).toBe(200);
    expect([taken, ended]).toEqual([total, true]);
  });
});

describe('a stream that nobody waits for any more', () => {
  const reason = new Error('the client has left');

  it('before it began asks nobody', async () => {
    const model = await serveModel((_request, response) => response.end());
    const client = clientOf(model.url, 1);
    const sink = new RecordingSink();
    expect(await errorOf(client.stream(call({ signal: AbortSignal.abort(reason) }), sink))).toBe(reason);
    await client.stream(call({ path: '/next' }), sink);
    expect(model.requests).toEqual(['POST /next']);
    expect(sink.steps).toEqual(['start 200', 'end']);
  });

  it('while it waits for a connection asks nobody', async () => {
    const first = deferred();
    const model = await serveModel((_request, response) => void first.promise.then(() => response.end()));
    const client = clientOf(model.url, 1);
    const busy = client.stream(call({ path: '/first' }), new RecordingSink());
    const leaving = new AbortController();
    const waiting = client.stream(call({ path: '/waiting', signal: leaving.signal }), new RecordingSink());
    leaving.abort(reason);
    expect(await errorOf(waiting)).toBe(reason);
    first.resolve();
    await busy;
    await client.stream(call({ path: '/last' }), new RecordingSink());
    expect(model.requests).toEqual(['POST /first', 'POST /last']);
  });

  it.each([
    ['while the model works on it', false],
    ['while the answer comes', true],
  ])('%s has its connection cut, so that the model stops', async (_name, answers) => {
    const [asked, left] = [deferred(), deferred()];
    const { url } = await serveModel((request, response) => {
      request.socket.once('close', () => left.resolve());
      if (answers) response.write('some');
      asked.resolve();
    });
    const leaving = new AbortController();
    const sink = new RecordingSink();
    const streamed = clientOf(url).stream(call({ signal: leaving.signal }), sink);
    await asked.promise;
    if (answers) await sink.begun.promise;
    leaving.abort(reason);
    expect(await errorOf(streamed)).toBe(reason);
    await left.promise;
    expect(sink.steps).not.toContain('end');
  });

  it('leaves nothing on the signal', async () => {
    const { url } = await serveModel((_request, response) => response.end('ok'));
    const { signal, listening } = countedSignal();
    const client = clientOf(url);
    await client.stream(call({ signal }), new RecordingSink());
    await (await client.request(call({ signal }))).text();
    await new Promise(setImmediate);
    expect(listening()).toBe(0);
  });
});

describe('a model server that fails', () => {
  const CUT = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf';
  const both = ['stream', 'request'] as const;
  const ask = async (client: ModelClient, how: (typeof both)[number], more: Partial<UpstreamCall> = {}) =>
    how === 'stream'
      ? errorOf(client.stream(call(more), new RecordingSink()))
      : errorOf(client.request(call(more)).then((answer) => answer.text()));

  describe.each(both)('%s', (how) => {
    it('by not being there', async () => {
      const { url } = await nobody();
      let refused = 0;
      const error = await ask(
        clientOf(url, 4, () => refused++),
        how,
      );
      expect(refused).toBe(1);
      expect(error).toMatchObject({
        ...FAILED,
        cause: { message: expect.stringMatching(/^the model server failed: .*ECONNREFUSED/) },
      });
    });

    it.each([
      ['by garbage', 'garbage\r\n\r\n'],
      ['by half of an answer', CUT],
      ['by nothing at all', ''],
    ])('%s', async (_name, bytes) => {
      const { url } = await serveBytes((socket) => socket.end(bytes));
      expect(await ask(clientOf(url), how)).toMatchObject(FAILED);
    });

    it.each([
      ['closed', (socket: Socket) => socket.end()],
      ['cut', (socket: Socket) => socket.resetAndDestroy()],
    ])('by a connection that it had kept open and has %s instead of an answer', async (_name, leave) => {
      const { url, requests, sockets } = await serveBytes((socket) => {
        if (requests.length > 1) leave(socket);
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      let refused = 0;
      const client = clientOf(url, 1, () => refused++);
      await ask(client, how);
      expect(await ask(client, how)).toMatchObject({
        code: 'model_gone',
        status: 502,
        message: 'The model server closed the connection before it answered, and may have read the request.',
        cause: {
          message: expect.stringMatching(/^the model server closed a connection that it had kept open: ./),
        },
      });
      expect([requests.length, sockets.length, refused]).toEqual([2, 1, 0]);
    });

    it('by an answer that breaks off over a connection that was used before', async () => {
      const { url, requests } = await serveBytes((socket) => {
        if (requests.length > 1) socket.end(CUT);
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      const client = clientOf(url, 1);
      await ask(client, how);
      expect(await ask(client, how)).toMatchObject(FAILED);
    });

    it.each([
      ['a new connection', 0],
      ['a connection that was used before', 1],
    ])('by half of the head of an answer over %s', async (_name, answersBefore) => {
      const { url, requests, sockets } = await serveBytes((socket) => {
        if (requests.length > answersBefore) socket.end('HTTP/1.1 200 OK\r\nContent-Le');
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      const client = clientOf(url, 1);
      for (let answered = 0; answered < answersBefore; answered++) await ask(client, how);
      expect(await ask(client, how)).toMatchObject(FAILED);
      expect([requests.length, sockets.length]).toEqual([answersBefore + 1, 1]);
    });

    it('by no first byte in time', async () => {
      const { url } = await serveModel(() => {});
      expect(await ask(clientOf(url), how, limits({ firstByteMs: 50 }))).toMatchObject(
        late('to its first byte'),
      );
    });

    it('by early hints that put the answer off for ever', async () => {
      const left = deferred();
      const { url } = await serveBytes((socket) => {
        const hints = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'), 10);
        socket.once('close', () => {
          clearInterval(hints);
          left.resolve();
        });
      });
      expect(await ask(clientOf(url), how, limits({ firstByteMs: 50 }))).toMatchObject(
        late('to its first byte'),
      );
      await left.promise;
    });

    it('by a pause that is too long', async () => {
      const { url } = await serveBytes((socket) => socket.write(CUT));
      expect(await ask(clientOf(url), how, limits({ betweenBytesMs: 50 }))).toMatchObject(
        late('between two pieces of its answer'),
      );
    });

    it.each([
      ['without an answer', ''],
      ['in the middle of it', CUT],
    ])('by taking too long in all, %s', async (_name, bytes) => {
      const left = deferred();
      const { url } = await serveBytes((socket) => {
        socket.once('close', () => left.resolve());
        socket.write(bytes);
      });
      expect(await ask(clientOf(url), how, limits({ totalMs: 50 }))).toMatchObject(late('in all'));
      await left.promise;
    });
  });

  it('by headers that can not be sent on', async () => {
    const { url } = await serveModel((_request, response) => response.end('ok'));
    const sink = new RecordingSink();
    const problem = new TypeError('invalid header');
    sink.start = () => {
      throw problem;
    };
    expect(await errorOf(clientOf(url).stream(call(), sink))).toMatchObject({ ...FAILED, cause: problem });
    expect(sink.steps).toEqual([]);
  });
});

describe('a request', () => {
  it('resolves with the head of the answer, and its body to be read in one way', async () => {
    const { url } = await serveModel((request, response) => {
      response.writeHead(201, { 'X-Model': 'a', 'Set-Cookie': ['a=1', 'b=2'] });
      request.pipe(response);
    });
    const client = clientOf(url);
    const asked = () => client.request(call({ body: '{"word":"caf\u00e9"}' }));
    const answered = await asked();
    expect(answered.status).toBe(201);
    expect(answered.headers).toMatchObject({ 'x-model': 'a', 'set-cookie': ['a=1', 'b=2'] });
    expect(await answered.json()).toEqual({ word: 'caf\u00e9' });
    expect(await (await asked()).text()).toBe('{"word":"caf\u00e9"}');
    expect(await text((await asked()).body)).toBe('{"word":"caf\u00e9"}');
  });

  it('has JSON only where there is some', async () => {
    const { url } = await serveModel((_request, response) => response.end('no JSON'));
    const answered = await clientOf(url).request(call());
    expect(await errorOf(answered.json())).toMatchObject({
      ...FAILED,
      message: 'The model server did not answer JSON.',
      cause: expect.any(SyntaxError),
    });
  });

  it.each(['body', 'text', 'json'] as const)('%s can not be read twice', async (how) => {
    const { url } = await serveModel((_request, response) => response.end('{}'));
    const answered = await clientOf(url).request(call());
    await (how === 'body' ? text(answered.body) : answered[how]());
    const read = () => answered.text();
    expect(await errorOf(read())).toEqual(new TypeError('the body of an answer can be read once'));
  });

  it('that nobody waits for any more throws the reason, and its body too', async () => {
    const reason = new Error('the client has left');
    const { url } = await serveBytes((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    );
    const client = clientOf(url);
    expect(await errorOf(client.request(call({ signal: AbortSignal.abort(reason) })))).toBe(reason);
    const leaving = new AbortController();
    const answered = await client.request(call({ signal: leaving.signal }));
    const reading = errorOf(answered.text());
    leaving.abort(reason);
    expect(await reading).toBe(reason);
  });

  it.each(['body', 'text', 'json'] as const)(
    'what is received of its %s is seen as it comes',
    async (how) => {
      const more = deferred();
      const { url } = await serveModel(async (_request, response) => {
        response.write('[1,');
        await more.promise;
        response.end('2]');
      });
      const client = clientOf(url);
      const answered = await client.request(call());
      const before = client.bytesReceived;
      expect(before).toBeGreaterThan(0);
      const reading = how === 'body' ? text(answered.body) : answered[how]();
      while (client.bytesReceived === before) await new Promise(setImmediate);
      more.resolve();
      await reading;
      expect(client.bytesReceived).toBe(before + 5);
    },
  );
});

describe('connections', () => {
  it('are as many as there may be, and used again', async () => {
    const [all, go] = [deferred(), deferred()];
    const model = await serveModel((_request, response) => {
      if (model.requests.length === 2) all.resolve();
      void go.promise.then(() => response.end());
    });
    const client = clientOf(model.url, 2);
    const streams = Array.from({ length: 6 }, () => client.stream(call(), new RecordingSink()));
    await all.promise;
    go.resolve();
    await Promise.all(streams);
    expect([model.most, model.connections, model.requests.length]).toEqual([2, 2, 6]);
  });

  it.each([
    ['does not say how long it keeps them', '', 2_000],
    ['keeps them for 3 s', 'Keep-Alive: timeout=3\r\n', 3_000],
  ])('are given up while a server that %s still has them', async (_name, hint, keptForMs) => {
    const { url, sockets } = await serveBytes((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\n${hint}Content-Length: 0\r\n\r\n`),
    );
    const client = clientOf(url);
    await client.stream(call(), new RecordingSink());
    const answeredAtMs = performance.now();
    await new Promise((resolve) => sockets[0]?.once('close', resolve));
    expect(performance.now() - answeredAtMs).toBeLessThan(keptForMs);
    await client.stream(call(), new RecordingSink());
    expect(sockets).toHaveLength(2);
  });

  it('are as many as are needed where there is no limit', async () => {
    const all = deferred();
    const model = await serveModel((_request, response) => {
      if (model.requests.length === 20) all.resolve();
      void all.promise.then(() => response.end());
    });
    const client = clientOf(model.url, NEVER);
    await Promise.all(Array.from({ length: 20 }, () => client.stream(call(), new RecordingSink())));
    expect(model.most).toBe(20);
  });

  it('are all cut at the end, with what is under way', async () => {
    const left = await leftBehindBy(async () => {
      const [asked, gone] = [deferred(), deferred()];
      const { url, sockets } = await serveBytes((socket, request) => {
        if (request.includes('/hangs')) asked.resolve();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      const client = new ModelClient({ url, connections: 4, onRefused: () => {} });
      await client.stream(call(), new RecordingSink());
      const streamed = errorOf(client.stream(call({ path: '/hangs' }), new RecordingSink()));
      await asked.promise;
      let open = sockets.length;
      for (const socket of sockets) socket.once('close', () => --open === 0 && gone.resolve());
      await client.close();
      expect(await streamed).toMatchObject(FAILED);
      await gone.promise;
    });
    expect({ ...left, server: [] }).toEqual({ server: [] });
  });
});
