import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { acknowledgedUpdates, allReported } from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { startAutoscaler } from '../support/faults-load.js';
import { post, startPuppet, startServingPuppet } from '../support/faults-puppet.js';
import { startWorker, type WorkerProcess } from '../support/process.js';

const reasonsOf = (worker: WorkerProcess) =>
  worker.told('state.entered').map(({ state, reason }) => `${state}: ${reason}`);

const left = (worker: WorkerProcess) =>
  worker.told('left.unreported').map(({ requests, received }) => ({ requests, received }));

const cut = (worker: WorkerProcess) => worker.told('requests.cut').map(({ requests }) => requests);

it('with requests in flight: all finish, nobody else is let in, and the last report is acknowledged', async () => {
  const { autoscaler, upstream, worker, begin } = await startServingPuppet();
  const answers = await begin(8);
  const idle = await keptConnection(worker);

  worker.kill('SIGTERM');
  await worker.reaches('draining');
  expect(await post(worker, '/ask')).toEqual({
    status: 503,
    connection: 'close',
    body: JSON.stringify({
      error: 'not_accepting',
      message: 'The worker is draining: SIGTERM was received.',
    }),
  });
  await idle.closed;
  expect((await worker.status()).requestsUnderWay).toBe(8);

  const releasedAtMs = performance.now();
  upstream.release('/answer');
  expect(await Promise.all(answers)).toEqual(
    Array.from({ length: 8 }, () => ({ status: 200, connection: 'close', body: 'after a while' })),
  );
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - releasedAtMs).toBeLessThan(3_000);
  expect(acknowledgedUpdates(autoscaler).at(-1)?.num_requests_recieved).toBe(8);
  expect(reasonsOf(worker).at(-1)).toBe('stopped: everything is finished and reported');
  expect({ cut: cut(worker), left: left(worker) }).toEqual({ cut: [], left: [] });
});

/** A connection that was used once and is kept. */
async function keptConnection(worker: WorkerProcess): Promise<{ readonly closed: Promise<void> }> {
  const socket = connect(worker.port, '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write('GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  return { closed };
}

it('with requests in flight that outlast the deadline: they are cut, and it is told', async () => {
  const { autoscaler, worker, begin } = await startServingPuppet({
    env: { TSWORKER_DRAIN_TIMEOUT: '1s' },
  });
  const answers = await begin(3);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 3, signal: null });
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 3 }, () => ({ lost: 'UND_ERR_SOCKET' })));
  expect(cut(worker)).toEqual([3]);
  expect(reasonsOf(worker).at(-1)).toBe('stopped: the time for draining is over');
  // That they came in was told when draining began.
  expect(acknowledgedUpdates(autoscaler).at(-1)?.num_requests_recieved).toBe(3);
  expect(left(worker)).toEqual([]);
});

it('with all finished and the autoscaler away: tried until the deadline, and what is left is told', async () => {
  const autoscaler = await startAutoscaler();
  const worker = await startWorker({
    reportTo: autoscaler.url,
    env: { TSWORKER_DRAIN_TIMEOUT: '1500ms', TSWORKER_LOG_LEVEL: 'debug' },
  });
  await worker.reaches('serving');
  const clients = new Clients(worker);
  await clients.increment(5);
  await allReported(worker, 5);
  await autoscaler.stop();
  await clients.increment(7);
  worker.kill('SIGTERM');
  const draining = await worker.reaches('draining');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const stopped = await worker.reaches('stopped');
  expect(stopped.time - draining.time).toBeGreaterThanOrEqual(1_450);
  expect(stopped.time - draining.time).toBeLessThan(3_000);
  expect(left(worker)).toEqual([{ requests: 7, received: 7 }]);
  expect(cut(worker)).toEqual([]);
  const tries = worker.told('report.failed').filter(({ time }) => time >= draining.time);
  expect(tries.length).toBeGreaterThan(3);
  expect(acknowledgedUpdates(autoscaler).at(-1)?.num_requests_recieved).toBe(5);
});

it('with the autoscaler away, which comes back before the deadline: everything is told', async () => {
  const autoscaler = await startAutoscaler();
  const worker = await startWorker({ reportTo: autoscaler.url });
  await worker.reaches('serving');
  const clients = new Clients(worker);
  await clients.increment(5);
  await allReported(worker, 5);
  await autoscaler.stop();
  await clients.increment(7);
  worker.kill('SIGTERM');
  await worker.reaches('draining');
  await autoscaler.start();
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(acknowledgedUpdates(autoscaler).at(-1)?.num_requests_recieved).toBe(12);
  expect(left(worker)).toEqual([]);
});

it('while loading: the backend is told to give up, and it ends at once', async () => {
  const autoscaler = await startAutoscaler();
  const { upstream, worker } = await startPuppet({ hold: ['/init'], reportTo: autoscaler.url });
  await upstream.waiting('/init', 1);
  expect((await worker.status()).state).toBe('loading');
  const answer = await post(worker, '/ask');
  expect(answer).toMatchObject({ status: 503 });
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  await upstream.waiting('/init', 0);
  expect(reasonsOf(worker)).toEqual([
    'loading: the worker has started',
    'draining: SIGTERM was received',
    'stopped: everything is finished and reported',
  ]);
  expect(autoscaler.messages().filter(({ kind }) => kind === 'loaded')).toEqual([]);
});

it('while failing: it ends as cleanly', async () => {
  const { autoscaler, worker } = await startServingPuppet({ hold: ['/recovery'] });
  expect(await post(worker, '/fail')).toMatchObject({ status: 200, body: 'failed' });
  await worker.reaches('failing');
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(acknowledgedUpdates(autoscaler).at(-1)?.num_requests_recieved).toBe(1);
  expect(autoscaler.workers().map(({ error }) => error)).toEqual(['the strings are tangled']);
  expect(reasonsOf(worker).at(-1)).toBe('stopped: everything is finished and reported');
});

it('while loaded and not reported: it ends at once, since it has loaded for nobody', async () => {
  const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'hang' }) });
  const worker = await startWorker({
    reportTo: autoscaler.url,
    env: { TSWORKER_SERVE_UNREPORTED: 'false', TSWORKER_REPORT_TIMEOUT: '300ms' },
  });
  await worker.reaches('loaded');
  await worker.logged(({ event }) => event === 'outage.began');
  worker.kill('SIGTERM');
  const draining = await worker.reaches('draining');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect((await worker.reaches('stopped')).time - draining.time).toBeLessThan(10_000);
  expect(reasonsOf(worker)).toEqual([
    'loading: the worker has started',
    'loaded: the backend has loaded',
    'draining: SIGTERM was received',
    'stopped: everything is finished and reported',
  ]);
});

it('while failing and not reported: it tries until the deadline to tell why', async () => {
  const { autoscaler, worker } = await startServingPuppet({
    hold: ['/recovery'],
    env: { TSWORKER_DRAIN_TIMEOUT: '1s' },
  });
  await autoscaler.stop();
  expect(await post(worker, '/fail')).toMatchObject({ status: 200, body: 'failed' });
  await worker.reaches('failing');
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(reasonsOf(worker).at(-1)).toBe('stopped: the time for draining is over');
  expect(worker.told('left.untold').map(({ phase }) => phase)).toEqual(['failing']);
});
