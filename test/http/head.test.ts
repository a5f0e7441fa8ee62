import { expect, it } from 'vitest';
import { send } from '../support/client.js';
import { serveModel } from '../support/model-server.js';
import { deferred, quietBackend, serve } from '../support/worker.js';

const HEAD = { method: 'HEAD' } as const;

it('is answered on public routes of a model server with the head that a GET gets, and the model is asked with GET', async () => {
  const model = await serveModel((_request, response) => {
    response
      .writeHead(404, { 'X-Model': 'a', 'Set-Cookie': ['b=1', 'c=2'], 'Content-Length': 5 })
      .end('hello');
  });
  const routes = { '/models': { method: 'GET', public: true } } as const;
  const { port, requests } = await serve(quietBackend({ model: { url: model.url }, maxPerf: 1, routes }));
  const { date: _date, ...get } = (await send(port, '/models')).headers;
  const { status, headers, body } = await send(port, '/models', HEAD);
  const { date: _later, ...head } = headers;
  expect({ status, head, body }).toEqual({ status: 404, head: get, body: '' });
  expect([head['content-length'], head['set-cookie']]).toEqual(['5', ['b=1', 'c=2']]);
  expect([model.requests, requests]).toEqual([['GET /models', 'GET /models'], []]);
});

it('gives up what the model would send after the head, which may have no end', async () => {
  const left = deferred();
  const model = await serveModel((_request, response) => {
    response.writeHead(200).write('and so on');
    response.once('close', () => left.resolve());
  });
  const routes = { '/endless': { method: 'GET', public: true } } as const;
  const { port, worker } = await serve(quietBackend({ model: { url: model.url }, maxPerf: 1, routes }));
  expect((await send(port, '/endless', HEAD)).status).toBe(200);
  await left.promise;
  expect(worker.view().requestsUnderWay).toBe(0);
});

it.each([
  ['a value', () => ({ a: 1 }), 'application/json; charset=utf-8', '7'],
  ['much', () => 'x'.repeat(200_000), 'text/plain; charset=utf-8', '200000'],
])('is answered on public routes that are handled here: %s', async (_name, handle, type, length) => {
  const routes = { '/here': { method: 'GET', public: true, handle } } as const;
  const { port } = await serve(quietBackend({ routes }));
  const { status, headers, body } = await send(port, '/here', HEAD);
  expect([status, headers['content-type'], headers['content-length'], body]).toEqual([200, type, length, '']);
});

it('ends a handler that would go on for ever', async () => {
  const ended = deferred();
  async function* handle() {
    try {
      for (;;) yield 'data: more\n\n';
    } finally {
      ended.resolve();
    }
  }
  const { port } = await serve(
    quietBackend({ routes: { '/here': { method: 'GET', public: true, handle } } }),
  );
  const { status, headers, body } = await send(port, '/here', HEAD);
  expect([status, headers['content-type'], body]).toEqual([200, 'text/event-stream', '']);
  await ended.promise;
});

it('is refused where a GET would count as work', async () => {
  const { port, requests } = await serve(
    quietBackend({ routes: { '/here': { method: 'GET', handle: () => 'done' } } }),
  );
  const { status, headers } = await send(port, '/here', HEAD);
  expect([status, headers.allow, requests]).toEqual([405, 'GET', []]);
});
