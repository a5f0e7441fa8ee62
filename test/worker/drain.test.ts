import { expect, it } from 'vitest';
import { post, RawClient } from '../support/client.js';
import { deferred, next, quietBackend, serve, typesOf } from '../support/worker.js';

it('an end is clean only when the end of every request is in the books', async () => {
  const [begun, end] = [deferred(), deferred()];
  const { worker, port, requests } = await serve(
    quietBackend({
      routes: {
        '/slow': {
          workload: 3,
          handle: async () => {
            begun.resolve();
            await end.promise;
            return 'done';
          },
        },
      },
    }),
  );
  // The moment at which the worker has decided that nothing is under way.
  const stoppedWith = next(worker, 'lifecycle', ({ state }) => state === 'stopped').then(() =>
    typesOf(requests),
  );
  const answered = post(port, '/slow', {});
  await begun.promise;
  const stopped = worker.stop('it is time');
  end.resolve();
  expect([(await answered).status, await stopped]).toEqual([200, 'clean']);
  expect(await stoppedWith).toEqual(['request.started', 'request.succeeded']);
});

it('a handler that never ends does not keep a request under way whose client has left', async () => {
  const begun = deferred();
  const { worker, port, requests } = await serve(
    quietBackend({
      routes: {
        '/never': {
          handle: () => {
            begun.resolve();
            return new Promise(() => {});
          },
        },
      },
    }),
  );
  const client = new RawClient(port).write('POST /never HTTP/1.1\r\nHost: w\r\nContent-Length: 2\r\n\r\n{}');
  await begun.promise;
  const ended = next(worker, 'request', ({ type }) => type !== 'request.started');
  client.socket.destroy();
  await ended;
  expect(typesOf(requests)).toEqual(['request.started', 'request.cancelled']);
  expect(await worker.stop('it is time')).toBe('clean');
});

it('a request cut by the deadline is no failure of the backend', async () => {
  const begun = deferred();
  const { worker, port, log, requests } = await serve(
    quietBackend({
      routes: {
        '/wait': {
          handle: ({ signal }) => {
            begun.resolve();
            return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          },
        },
      },
    }),
    { TSWORKER_DRAIN_TIMEOUT: '50ms' },
  );
  const answered = post(port, '/wait', {}).then(
    () => 'answered',
    () => 'cut',
  );
  await begun.promise;
  expect([await worker.stop('it is time'), await answered]).toEqual(['cut', 'cut']);
  expect(typesOf(requests)).toEqual(['request.started', 'request.errored']);
  expect(log.about('request.refused')).toEqual([]);
});
