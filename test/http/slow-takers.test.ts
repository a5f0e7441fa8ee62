import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { RawClient, send } from '../support/client.js';
import { serveModel } from '../support/model-server.js';
import { deferred, next, quietBackend, serve, typesOf } from '../support/worker.js';

/** More than the connections on loopback hold by themselves. */
const LARGE = Buffer.alloc(24 << 20, 'x');

const POST = 'POST /run HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';

/** A client that asks and takes nothing. */
function asks(port: number, bytes = POST): RawClient {
  const client = new RawClient(port);
  client.socket.pause();
  return client.write(bytes);
}

const run = (port: number) =>
  send(port, '/run', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });

/** A model server whose first answer never ends, and which answers ok from then on. */
async function endlessModel() {
  const cut = deferred();
  const flood = (response: ServerResponse) => {
    response.once('close', () => cut.resolve());
    const pour = () => {
      while (!response.destroyed && response.write(LARGE.subarray(0, 1 << 20)));
    };
    response.on('drain', pour);
    pour();
  };
  let asked = 0;
  const { url } = await serveModel((request, response) => {
    asked += 1;
    request.resume();
    if (asked === 1) flood(response);
    else response.end('ok');
  });
  return { url, cut: cut.promise };
}

describe('a client that takes nothing of its answer', () => {
  it('is cut: its model stops, it counts as cancelled, the log says why, and the next one has its turn', async () => {
    const { url, cut } = await endlessModel();
    const backend = quietBackend({ model: { url }, routes: { '/run': {} } });
    const { port, worker, requests, log } = await serve(backend, { TSWORKER_CLIENT_TIMEOUT: '300ms' });
    const begun = next(worker, 'request');
    const stuck = asks(port);
    await begun;
    expect(await run(port)).toMatchObject({ status: 200, body: 'ok' });
    await cut;
    stuck.socket.resume();
    await stuck.untilEnd();
    expect(typesOf(requests)).toEqual([
      'request.started',
      'request.started',
      'request.cancelled',
      'request.succeeded',
    ]);
    expect(log.about('client.stuck')).toEqual([
      {
        level: 'warn',
        message: 'cut a client that took nothing of its answer for 0.3 s (TSWORKER_CLIENT_TIMEOUT)',
        fields: { event: 'client.stuck', timeoutMs: 300 },
      },
    ]);
  });

  it('has its handler told to end', async () => {
    const aborted = deferred<unknown>();
    async function* pieces(signal: AbortSignal) {
      signal.addEventListener('abort', () => aborted.resolve(signal.reason));
      for (;;) yield LARGE;
    }
    const backend = quietBackend({ routes: { '/run': { handle: ({ signal }) => pieces(signal) } } });
    const { port, requests, worker } = await serve(backend, { TSWORKER_CLIENT_TIMEOUT: '300ms' });
    const ended = next(worker, 'request', ({ type }) => type !== 'request.started');
    asks(port);
    expect(await aborted.promise).toMatchObject({
      name: 'ClientGone',
      message: 'the client took nothing of its answer',
    });
    expect(await ended).toMatchObject({ type: 'request.cancelled' });
    expect(typesOf(requests)).toEqual(['request.started', 'request.cancelled']);
  });

  it('is left alone where there is no limit, and gets all of it', async () => {
    const backend = quietBackend({
      routes: { '/run': { handle: () => LARGE }, '/other': { method: 'GET', handle: () => 'ok' } },
    });
    const { port, worker, log } = await serve(backend, { TSWORKER_CLIENT_TIMEOUT: '0' });
    const begun = next(worker, 'request');
    const client = asks(port);
    await begun;
    for (let other = 0; other < 100; other++) await send(port, '/other');
    expect(log.about('client.stuck')).toEqual([]);
    client.socket.resume();
    await client.until(/x$/);
    const ended = next(
      worker,
      'request',
      ({ type, route }) => route === '/run' && type !== 'request.started',
    );
    expect(await ended).toMatchObject({ type: 'request.succeeded', sentBytes: LARGE.length });
  });
});

/** Reads a little now and then, at even intervals, and resolves with the length of it all when that was received. */
function sip(client: RawClient, everyMs: number, mostBytes: number): Promise<number> {
  let received = 0;
  client.socket.removeAllListeners('data');
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const piece: string | null = client.socket.read(mostBytes) ?? client.socket.read();
      received += piece?.length ?? 0;
      if (piece !== null || client.ended === 'open') return;
      clearInterval(timer);
      resolve(received);
    }, everyMs);
  });
}

describe('a client that takes its answer slowly but steadily is not cut', () => {
  it.each<[what: string, handle: () => unknown]>([
    ['one whole', () => LARGE],
    [
      'a stream of one huge piece',
      async function* () {
        yield LARGE.toString('latin1');
      },
    ],
  ])('%s', async (_what, handle) => {
    const timeoutMs = 600;
    const backend = quietBackend({ routes: { '/run': { handle } } });
    const { port, worker, requests } = await serve(backend, { TSWORKER_CLIENT_TIMEOUT: `${timeoutMs}ms` });
    const ended = next(worker, 'request', ({ type }) => type !== 'request.started');
    const client = asks(port, POST.replace('Host', 'Connection: close\r\nHost'));
    const began = performance.now();
    expect(await sip(client, 15, 128 << 10)).toBeGreaterThan(LARGE.length);
    expect(await ended).toMatchObject({ type: 'request.succeeded', sentBytes: LARGE.length });
    expect(performance.now() - began).toBeGreaterThan(3 * timeoutMs);
    expect(requests).toHaveLength(2);
  });
});

describe('a serial route is free for the next one as soon as the answer is made, though its client does not take it', () => {
  it.each(['handle', 'transformResponse'] as const)('%s', async (by) => {
    const { url } = await serveModel((request, response) => {
      request.resume();
      response.end('made');
    });
    let asked = 0;
    const answer = () => (++asked === 1 ? LARGE : 'small');
    const backend = quietBackend({
      model: { url },
      maxPerf: 100,
      // A second of work, for which nobody may wait.
      routes: { '/run': { [by]: answer, workload: 100, maxQueueTime: '500ms' } },
    });
    const { port, worker, requests } = await serve(backend);
    const slow = new RawClient(port).write(POST);
    await slow.until(/200 OK/);
    slow.socket.pause();
    expect(await run(port)).toMatchObject({ status: 200, body: 'small' });
    expect(worker.view().requestsUnderWay).toBe(1);
    expect(typesOf(requests)).toEqual(['request.started', 'request.started', 'request.succeeded']);
    const ended = next(worker, 'request', ({ type }) => type !== 'request.started');
    slow.socket.resume();
    expect(await ended).toMatchObject({ type: 'request.succeeded', sentBytes: LARGE.length });
    expect(worker.view().pendingWorkload).toBe(0);
  });
});
