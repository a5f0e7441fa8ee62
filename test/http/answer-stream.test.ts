import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isStream } from '../../src/backend/index.js';
import { answer, toWorkerError } from '../../src/http/answer.js';
import { answerStream } from '../../src/http/answer-stream.js';
import { Sent } from '../../src/http/sent.js';
import { answerError } from '../../src/net/write.js';
import { RawClient, send } from '../support/client.js';
import { countedSignal } from '../support/counted-signal.js';
import { garbageCollector } from '../support/garbage.js';
import { serveHttp } from '../support/http-server.js';
import { deferred } from '../support/worker.js';

const sent = () => new Sent(() => 0);

/** The signal of a request: aborted when its client leaves. */
function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new Error('the client has left'));
  });
  return controller.signal;
}

/** Answers each request with what a handler yields, as the worker does: an error as an error, or by a cut. */
async function serveStream(pieces: () => AsyncIterable<unknown>) {
  const ended = deferred<unknown>();
  const { port } = await serveHttp((_request, response) => {
    answerStream(response, pieces(), signalOf(response), sent()).then(ended.resolve, (error: unknown) => {
      if (response.headersSent) response.destroy();
      else answerError(response, toWorkerError(error));
      ended.resolve(error);
    });
  });
  return { port, ended: ended.promise };
}

async function* yields(...pieces: unknown[]): AsyncGenerator<unknown> {
  yield* pieces;
}

/** A generator that yields for ever, and says when it was told to end. */
function endless(piece: unknown) {
  const finished = deferred();
  const counted = { yielded: 0 };
  async function* generate() {
    try {
      for (;;) {
        counted.yielded++;
        yield piece;
      }
    } finally {
      finished.resolve();
    }
  }
  return { generate, finished: finished.promise, counted };
}

describe('what the first piece is decides the content type', () => {
  const TEXT = 'text/plain; charset=utf-8';
  const EVENTS = 'text/event-stream';

  it.each<[pieces: unknown[], type: string, body: string]>([
    [['one ', 'two'], TEXT, 'one two'],
    [['', 'ä€'], TEXT, 'ä€'],
    [['data: 1\n\n', 'data: 2\n\n'], EVENTS, 'data: 1\n\ndata: 2\n\n'],
    [['data:1\n\n'], EVENTS, 'data:1\n\n'],
    [['event: end\ndata: 1\n\n'], EVENTS, 'event: end\ndata: 1\n\n'],
    [['id: 7\n'], EVENTS, 'id: 7\n'],
    [['retry: 7\n'], EVENTS, 'retry: 7\n'],
    [['data: not a line'], TEXT, 'data: not a line'],
    [['database: 1\n'], TEXT, 'database: 1\n'],
    [['more\ndata: 1\n'], TEXT, 'more\ndata: 1\n'],
    [[Buffer.from('by'), new Uint8Array([116, 101])], 'application/octet-stream', 'byte'],
    [[{ a: 1 }, [2], 3, null, true], 'application/x-ndjson', '{"a":1}\n[2]\n3\nnull\ntrue\n'],
    [[{ a: 1 }, 'text as it is'], 'application/x-ndjson', '{"a":1}\ntext as it is'],
  ])('%j', async (pieces, type, body) => {
    const { port, ended } = await serveStream(() => yields(...pieces));
    const answered = await send(port, '/');
    expect({ ...answered, headers: answered.headers['content-type'] }).toEqual({
      status: 200,
      headers: type,
      body,
    });
    expect(await ended).toBeUndefined();
  });

  it('without a piece it is 204', async () => {
    const { port } = await serveStream(() => yields());
    const { status, headers, body } = await send(port, '/');
    expect([status, headers['content-type'], body]).toEqual([204, undefined, '']);
  });
});

describe('a handler that fails', () => {
  it('before its first piece is answered with an error', async () => {
    const { port, ended } = await serveStream(async function* () {
      yield* [];
      throw new Error('no GPU');
    });
    expect(await send(port, '/')).toMatchObject({ status: 500, body: { error: 'backend_error' } });
    expect(await ended).toEqual(new Error('no GPU'));
  });

  it('with a first piece for which there is no JSON is answered with an error', async () => {
    const { port, ended } = await serveStream(() => yields(undefined));
    const answered = await send(port, '/');
    expect(await ended).toEqual(new TypeError('a undefined can not be answered as JSON'));
    expect(answered).toMatchObject({ status: 500, body: { error: 'backend_error' } });
  });

  it('after it has the connection cut: nobody takes half of an answer for the whole', async () => {
    const { port, ended } = await serveStream(async function* () {
      yield 'half';
      throw new Error('no GPU');
    });
    const client = new RawClient(port).write('GET / HTTP/1.1\r\nHost: w\r\n\r\n');
    await client.untilEnd();
    expect(client.received).not.toContain('\r\n0\r\n');
    expect(await ended).toEqual(new Error('no GPU'));
  });
});

describe('a client that leaves', () => {
  it.each([
    ['while it is written to', 'piece '],
    ['that never read, while the handler waits for it', Buffer.alloc(256 * 1024)],
  ])('%s: the handler is told to end', async (_name, piece) => {
    const { generate, finished } = endless(piece);
    const { port, ended } = await serveStream(generate);
    const client = new RawClient(port).write('GET / HTTP/1.1\r\nHost: w\r\n\r\n');
    await client.until(/200 OK/);
    client.socket.destroy();
    await finished;
    expect(await ended).toEqual(new Error('the client has left'));
  });

  it('does not wait for a handler that hangs', async () => {
    const { port, ended } = await serveStream(async function* () {
      yield 'first';
      await new Promise(() => {});
    });
    const client = new RawClient(port).write('GET / HTTP/1.1\r\nHost: w\r\n\r\n');
    await client.until(/first/);
    client.socket.destroy();
    expect(await ended).toEqual(new Error('the client has left'));
  });

  it('before the first piece has nothing written', async () => {
    const { generate, counted } = endless('piece');
    const reason = new Error('the client has left');
    const { port } = await serveHttp(async (_request, response) => {
      const outcome = await answerStream(response, generate(), AbortSignal.abort(reason), sent()).catch(
        (error) => error,
      );
      response.end(JSON.stringify([response.headersSent, outcome === reason, counted.yielded]));
    });
    expect((await send(port, '/')).body).toBe('[false,true,1]');
  });
});

describe('a client that does not read', () => {
  it('stops the handler, until it reads again', async () => {
    const { generate, counted } = endless(Buffer.alloc(256 * 1024));
    const stopped = deferred<ServerResponse>();
    const { port } = await serveHttp((_request, response) => {
      // The connection says that it is full, and the handler is asked for nothing more.
      const write = response.write.bind(response);
      response.write = (chunk: unknown) => {
        const goesOn = write(chunk);
        if (!goesOn) stopped.resolve(response);
        return goesOn;
      };
      answerStream(response, generate(), signalOf(response), sent()).catch(() => {});
    });
    const client = new RawClient(port);
    client.socket.pause();
    client.write('GET / HTTP/1.1\r\nHost: w\r\n\r\n');
    const response = await stopped.promise;
    // The kernel takes some megabytes; then nothing drains any more.
    let before = -1;
    while (before !== counted.yielded) {
      before = counted.yielded;
      const drained = new AbortController();
      const turns = (async () => {
        for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
        drained.abort();
      })();
      await once(response, 'drain', { signal: drained.signal }).catch(() => {});
      await turns;
    }
    expect(counted.yielded).toBeLessThan(200);
    const drained = once(response, 'drain');
    client.socket.resume();
    await drained;
    await client.until(/200 OK/);
  });
});

it('a piece that was written is not kept, however long the stream is', async () => {
  const collect = garbageCollector();
  let first: WeakRef<object> | undefined;
  let isKept: boolean | undefined;
  const { port } = await serveStream(async function* () {
    yield (() => {
      const piece = { text: 'first' };
      first = new WeakRef(piece);
      return piece;
    })();
    for (let index = 0; index < 20; index++) yield { index };
    await new Promise(setImmediate);
    collect();
    isKept = first?.deref() !== undefined;
  });
  await send(port, '/');
  expect(isKept).toBe(false);
});

it('no listener is left on the signal', async () => {
  const { port } = await serveHttp(async (_request, response) => {
    const { signal, listening } = countedSignal();
    await answerStream(response, yields(String(listening()), 'b', 'c'), signal, sent());
    await new Promise(setImmediate);
    left.resolve(listening());
  });
  const left = deferred<number>();
  expect((await send(port, '/')).body).toBe('0bc');
  expect(await left.promise).toBe(0);
});

describe('what is a stream', () => {
  it.each<[result: unknown, is: boolean]>([
    [yields(), true],
    [{ [Symbol.asyncIterator]: () => yields() }, true],
    [Buffer.from('x'), false],
    [new Uint8Array(1), false],
    [['a'], false],
    ['text', false],
    [{}, false],
    [null, false],
    [undefined, false],
    [() => yields(), false],
  ])('%o: %s', (result, is) => {
    expect(isStream(result)).toBe(is);
  });
});

it('a whole that is bytes goes with its length', async () => {
  const { port } = await serveHttp((_request, response) => {
    void answer(response, Buffer.from([0, 255]), new AbortController().signal, sent());
  });
  const { headers } = await send(port, '/');
  expect([headers['content-type'], headers['content-length']]).toEqual(['application/octet-stream', '2']);
});
