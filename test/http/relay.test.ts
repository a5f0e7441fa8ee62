import { IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { headersFor, sinkOf, taken } from '../../src/http/relay.js';
import { Sent } from '../../src/http/sent.js';
import type { Sink } from '../../src/upstream.js';
import { RawClient } from '../support/client.js';
import { serveHttp } from '../support/http-server.js';
import { deferred } from '../support/worker.js';

const sent = () => new Sent(() => 0);

describe('what of a client the model server gets', () => {
  const asked = (headers: Record<string, string>) => {
    const message = new IncomingMessage(new Socket());
    Object.assign(message.headers, headers);
    return headersFor(message);
  };

  it('is what it accepts, what it sent, and the trace', () => {
    const passed = {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      traceparent: '00-1-2-01',
    };
    expect(asked(passed)).toEqual(passed);
  });

  it('is nothing else, and nothing of what it did not send', () => {
    expect(
      asked({
        authorization: 'Bearer secret',
        cookie: 'a=secret',
        host: 'worker',
        forwarded: 'for=1',
        'x-forwarded-for': '1',
        'content-length': '7',
        'transfer-encoding': 'chunked',
        connection: 'close',
        'accept-encoding': 'gzip',
        'user-agent': 'one',
        baggage: 'a=b',
      }),
    ).toEqual({});
  });
});

/** What a client receives when a model server's answer is relayed to it. */
async function relayed(
  relay: (sink: Sink, response: ServerResponse) => void,
  prepare: RequestListener = () => {},
): Promise<{ head: string[]; body: string }> {
  const { port } = await serveHttp((request, response) => {
    response.sendDate = false;
    prepare(request, response);
    relay(sinkOf(response, sent()), response);
  });
  const client = new RawClient(port).write('GET / HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n');
  const [head = '', body = ''] = (await client.untilEnd()).split('\r\n\r\n');
  return { head: head.split('\r\n'), body };
}

const OWN = ['Connection: close', 'Transfer-Encoding: chunked'];

describe('what of a model server the client gets', () => {
  it.each<[name: string, headers: string[], passed: string[]]>([
    ['its headers as they were written', ['X-Model', 'a', 'x-small', 'b'], ['X-Model: a', 'x-small: b']],
    [
      'each of several of one name',
      ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
      ['Set-Cookie: a=1', 'Set-Cookie: b=2'],
    ],
    ['bytes beyond ASCII', ['X-Name', 'caf\u00e9'], ['X-Name: caf\u00e9']],
    ['an empty one', ['X-Empty', ''], ['X-Empty: ']],
    ['its redirects', ['Location', 'http://elsewhere/'], ['Location: http://elsewhere/']],
    ...[
      'Connection',
      'Keep-Alive',
      'Proxy-Authenticate',
      'Proxy-Authorization',
      'Proxy-Connection',
      'TE',
      'Trailer',
      'Transfer-Encoding',
      'Upgrade',
    ].map((name): [string, string[], string[]] => [`not ${name}`, [name, 'x', 'X-Kept', 'y'], ['X-Kept: y']]),
    [
      'not what it tells browsers, which is for the worker to say',
      ['Access-Control-Allow-Origin', '*', 'access-control-allow-credentials', 'true', 'X-Kept', 'y'],
      ['X-Kept: y'],
    ],
    [
      'not what Connection names',
      ['Connection', 'keep-alive, X-Hop ,x-other', 'x-hop', '1', 'X-Other', '2', 'X-Kept', '3'],
      ['X-Kept: 3'],
    ],
    [
      'what a header named so only by its value',
      ['X-About', 'connection', 'X-Hop', '1'],
      ['X-About: connection', 'X-Hop: 1'],
    ],
    [
      'not what any of several Connection headers names',
      ['connection', 'X-One', 'CONNECTION', 'x-two', 'X-One', '1', 'X-Two', '2'],
      [],
    ],
  ])('%s', async (_name, headers, passed) => {
    const { head, body } = await relayed((sink) => {
      sink.start(200, headers);
      sink.write(Buffer.from('ok'));
      sink.end();
    });
    expect(head).toEqual(['HTTP/1.1 200 OK', ...passed, ...OWN]);
    expect(body).toBe('2\r\nok\r\n0');
  });

  it('a length that was told holds, and the status too', async () => {
    const { head, body } = await relayed((sink) => {
      sink.start(418, ['Content-Length', '3']);
      sink.write(Buffer.from([0x00, 0xff, 0x0a]));
      sink.end();
    });
    expect(head).toEqual(["HTTP/1.1 418 I'm a Teapot", 'Content-Length: 3', 'Connection: close']);
    expect(body).toBe('\u0000\u00ff\n');
  });

  it('each of several of one name, where other headers were set before', async () => {
    const { head } = await relayed(
      (sink) => {
        sink.start(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Own', 'theirs']);
        sink.end();
      },
      (_request, response) => response.setHeader('X-Before', 'mine'),
    );
    expect(head.slice(1, 5)).toEqual([
      'X-Before: mine',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'X-Own: theirs',
    ]);
  });

  it('the headers before there is a body', async () => {
    const begun = deferred<Sink>();
    const { port } = await serveHttp((_request, response) => {
      const sink = sinkOf(response, sent());
      sink.start(200, ['X-Model', 'a']);
      begun.resolve(sink);
    });
    const client = new RawClient(port).write('GET / HTTP/1.1\r\nHost: w\r\n\r\n');
    await client.until(/X-Model: a\r\n[\s\S]*\r\n\r\n$/);
    const sink = await begun.promise;
    sink.write(Buffer.from('later'));
    sink.end();
    expect(await client.until(/0\r\n\r\n$/)).toMatch(/\r\n\r\n5\r\nlater\r\n0\r\n\r\n$/);
  });

  it('nothing that can not be sent on: it throws', async () => {
    const thrown: unknown[] = [];
    await relayed((sink, response) => {
      try {
        sink.start(200, ['X-Bad', 'a\u0001b']);
      } catch (error) {
        thrown.push(error);
        response.end();
      }
    });
    expect(thrown).toEqual([expect.objectContaining({ code: 'ERR_INVALID_CHAR' })]);
  });
});

it('a sink asks for a pause while the client does not read, and says when it is over', async () => {
  const drained = deferred();
  const pausedAt = deferred<number>();
  const { port } = await serveHttp((_request, response) => {
    const sink = sinkOf(response, sent());
    sink.onDrain(() => {
      drained.resolve();
      response.destroy();
    });
    sink.start(200, []);
    const chunk = Buffer.alloc(1024 * 1024);
    let chunks = 1;
    while (sink.write(chunk)) chunks++;
    pausedAt.resolve(chunks);
  });
  const client = new RawClient(port).write('GET / HTTP/1.1\r\nHost: w\r\n\r\n');
  expect(await pausedAt.promise).toBeLessThan(100);
  await drained.promise;
  await client.untilEnd();
});

describe('an answer that was ended', () => {
  async function outcomes(leave: (client: RawClient) => void, listener: RequestListener) {
    const { port } = await serveHttp(listener);
    const client = new RawClient(port).write('GET / HTTP/1.1\r\nHost: w\r\n\r\n');
    await client.until(/200 OK/);
    leave(client);
    return client;
  }

  it('is taken when the connection has all of it, and after that too', async () => {
    const told = deferred<string>();
    await outcomes(
      () => {},
      async (_request, response) => {
        response.end('ok');
        await taken(response);
        await taken(response);
        told.resolve(`finished: ${response.writableFinished}`);
      },
    );
    expect(await told.promise).toBe('finished: true');
  });

  it('is not taken where the client has left', async () => {
    const told = deferred<unknown[]>();
    await outcomes(
      (client) => client.socket.destroy(),
      async (_request, response) => {
        response.write(Buffer.alloc(64 * 1024 * 1024));
        response.end();
        const first = await taken(response).catch((error) => error.code);
        const second = await taken(response).catch((error) => error.code);
        told.resolve([first, second]);
      },
    );
    expect(await told.promise).toEqual(['client_closed_request', 'client_closed_request']);
  });
});
