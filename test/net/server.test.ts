import { once } from 'node:events';
import type { Server } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import type { WorkerError } from '../../src/errors.js';
import { close, createHttpServer, listen } from '../../src/net/server.js';
import { RawClient } from '../support/client.js';

async function startServer() {
  const refused: WorkerError[] = [];
  const server = createHttpServer({
    listener: (_request, response) => response.end('ok'),
    headersTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    onRefused: (error) => refused.push(error),
  });
  onTestFinished(() => close(server));
  return { server, refused, port: await listen(server, 0, '127.0.0.1') };
}

/** Resolves when the server has let go of the next connection. */
async function letGo(server: Server): Promise<void> {
  const [socket] = await once(server, 'connection');
  await new Promise((resolve) => socket.once('close', resolve));
}

it('does not wait for a client that was refused and never closes its side', async () => {
  const { server, refused, port } = await startServer();
  const gone = letGo(server);
  new RawClient(port).write('GARBAGE\r\n\r\n');
  await gone;
  expect(refused.map(({ body }) => body)).toEqual([
    { error: 'malformed_request', message: 'The request is not valid HTTP.' },
  ]);
});

it('leaves no listener on a connection that is kept alive', async () => {
  const { server, port } = await startServer();
  const counts: number[] = [];
  server.on('request', ({ socket }) => {
    counts.push(socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0));
  });
  const client = new RawClient(port);
  for (let request = 1; request <= 20; request++) {
    client.write('GET / HTTP/1.1\r\nHost: worker\r\n\r\n');
    await client.until(new RegExp(`(ok[^]*?){${request}}`));
  }
  expect(counts.length).toBe(20);
  expect(new Set(counts.slice(1)).size).toBe(1);
});

it('rejects when it can not listen', async () => {
  const { port } = await startServer();
  const second = createHttpServer({
    listener: () => {},
    headersTimeoutMs: 1_000,
    requestTimeoutMs: 1_000,
    onRefused: () => {},
  });
  await expect(listen(second, port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE', port });
  await close(second);
});

it('waits no longer for the headers than for the whole request', async () => {
  const server = createHttpServer({
    listener: (_request, response) => response.end('ok'),
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 2_000,
    onRefused: () => {},
  });
  onTestFinished(() => close(server));
  expect([server.headersTimeout, server.requestTimeout]).toEqual([2_000, 2_000]);
});

it('hears nothing more once it listens no more, not even on a connection that had brought nothing yet', async () => {
  const { server, refused, port } = await startServer();
  const heard: unknown[] = [];
  server.on('request', (request) => heard.push(request));
  const connected = once(server, 'connection');
  const client = new RawClient(port);
  await connected;
  server.close();
  client.write('GET / HTTP/1.1\r\nHost: worker\r\n\r\n');
  expect(await client.untilEnd()).toBe('');
  expect([heard.length, refused]).toEqual([1, []]);
});
