import { IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { classesFor } from '../../src/net/prototypes.js';
import { close, createHttpServer, listen } from '../../src/net/server.js';
import { send } from '../support/client.js';

async function answerOf(listener: RequestListener) {
  const prototypes: unknown[] = [];
  const server = createHttpServer({
    listener: Object.assign(
      (request: IncomingMessage, response: ServerResponse) => {
        prototypes.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
        listener(request, response);
      },
      // What Express keeps there is what counts.
      { request: Reflect.get(listener, 'request'), response: Reflect.get(listener, 'response') },
    ),
    headersTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    onRefused: () => {},
  });
  onTestFinished(() => close(server));
  const { status, body } = await send(await listen(server, 0, '127.0.0.1'), '/path?a=b');
  return { status, body, prototypes };
}

describe('an app of Express', () => {
  const app = express();
  app.get('/path', (request, response) => {
    response.json({
      path: request.path,
      query: request.query,
      isRequest: request instanceof IncomingMessage,
      isResponse: response instanceof ServerResponse,
    });
  });

  it("is served with objects that have the app's own prototypes from the start", async () => {
    const { status, body, prototypes } = await answerOf(app);
    expect([status, body]).toEqual([
      200,
      { path: '/path', query: { a: 'b' }, isRequest: true, isResponse: true },
    ]);
    expect(prototypes[0]).toBe(app.request);
    expect(prototypes[1]).toBe(app.response);
  });

  it('has them named', () => {
    const { IncomingMessage: Request, ServerResponse: Response } = classesFor(app);
    expect([Request?.prototype, Response?.prototype]).toEqual([app.request, app.response]);
  });

  it.each<[name: string, request: unknown, response: unknown]>([
    ['neither', undefined, undefined],
    ['no request', undefined, app.response],
    ['no response', app.request, undefined],
    ['others', {}, {}],
    ['the two the wrong way round', app.response, app.request],
  ])('that keeps %s is served as before', async (_name, request, response) => {
    const listener: RequestListener = (...args) => app(...args);
    const changed = Object.assign(listener, { request, response });
    expect(classesFor(changed)).toEqual({});
    const { status, body, prototypes } = await answerOf(changed);
    expect([status, body]).toMatchObject([200, { path: '/path' }]);
    expect(prototypes).toEqual([IncomingMessage.prototype, ServerResponse.prototype]);
  });
});

it('a listener that is no app of Express is served as before', async () => {
  const { status, body, prototypes } = await answerOf((request, response) => response.end(request.url));
  expect([status, body]).toEqual([200, '/path?a=b']);
  expect(prototypes[0]).toBe(IncomingMessage.prototype);
  expect(prototypes[1]).toBe(ServerResponse.prototype);
});
