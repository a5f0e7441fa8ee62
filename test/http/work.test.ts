import { expect, it } from 'vitest';
import { Cancellation } from '../../src/cancellation.js';
import { bareApp } from '../../src/http/app.js';
import { Sent } from '../../src/http/sent.js';
import { createWork } from '../../src/http/work.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import type { Upstream } from '../../src/upstream.js';
import { RawClient } from '../support/client.js';
import { serveHttp } from '../support/http-server.js';
import { deferred, quietBackend } from '../support/worker.js';

/** More than the connections on loopback hold by themselves. */
const LARGE = Buffer.alloc(24 << 20, 'x');

it('what a model server has sent in full is made, though the client still has to take it', async () => {
  const upstream: Upstream = {
    stream: async (_call, sink) => {
      sink.start(200, ['Content-Length', String(LARGE.length)]);
      sink.write(LARGE);
      sink.end();
      return 200;
    },
    request: () => Promise.reject(new Error('it is streamed')),
  };
  const context = { log: new RecordingLog(), fail: () => {}, recovered: () => {} };
  const workOn = createWork({ upstream, publicUpstream: null, state: () => undefined, context });
  const route = quietBackend({ model: { url: 'http://w' }, routes: { '/run': {} } }).routes.get('/run');
  if (route === undefined) throw new Error('there is no route');
  const told: unknown[] = [];
  const [made, ended] = [deferred(), deferred()];
  const app = bareApp().post('/run', async (request, response) => {
    const work = { route, request, response, text: '', body: undefined, signal: new Cancellation() };
    const onMade = () => {
      told.push('made');
      made.resolve();
    };
    told.push(await workOn({ ...work, sent: new Sent(() => 0), onMade }));
    ended.resolve();
  });
  const { port } = await serveHttp(app);
  const client = new RawClient(port);
  client.socket.pause();
  client.write('POST /run HTTP/1.1\r\nHost: w\r\n\r\n');
  await made.promise;
  expect(told).toEqual(['made']);
  client.socket.resume();
  await ended.promise;
  expect(told).toEqual(['made', 'succeeded']);
});
