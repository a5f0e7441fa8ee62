import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import helloautoscaler from '../../backends/helloautoscaler.js';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { post, RawClient, send } from '../support/client.js';
import { leftBehindBy } from '../support/resources.js';
import { makeWorker, next, untilState } from '../support/worker.js';

it('a stop leaves neither sockets nor listeners, whatever clients and autoscaler hold', async () => {
  const left = await leftBehindBy(async () => {
    const autoscaler = new LocalAutoscaler({
      port: 0,
      fault: ({ sequence }) => (sequence > 2 ? { kind: 'hang' } : undefined),
    });
    await autoscaler.start();
    const { worker } = makeWorker(helloautoscaler, {
      REPORT_ADDR: autoscaler.url,
      TSWORKER_REPORT_INTERVAL: '20ms',
      TSWORKER_DRAIN_TIMEOUT: '100ms',
    });
    const { port, internalPort } = await worker.start();
    await untilState(worker, 'serving');
    const clients = [
      new RawClient(port),
      new RawClient(port).write('GET /value HTTP/1.1\r\nHost: w\r\n\r\n'),
      new RawClient(port).write('GET /value HTTP/1.1\r\nHost: w\r\nX: '),
      new RawClient(port).write('POST /increment HTTP/1.1\r\nHost: w\r\nContent-Length: 9\r\n\r\n{'),
      new RawClient(port).write('GARBAGE\r\n\r\n'),
      new RawClient(internalPort).write('GET /status HTTP/1.1\r\nHost: w\r\n\r\n'),
    ];
    await Promise.all([1, 4, 5].map((index) => clients[index]?.until(/HTTP|ended/)));
    await autoscaler.waitForMessage(({ sequence }) => sequence === 3);
    // None of them has sent a whole request, so none is cut.
    expect(await worker.stop('the test says so')).toBe('unreported');
    await autoscaler.stop();
    for (const client of clients) client.socket.destroy();
    await Promise.all(clients.map(({ closed }) => closed));
  });
  expect(left).toEqual({});
});

it('nor does a start that failed', async () => {
  const first = makeWorker();
  const { port } = await first.worker.start();
  const left = await leftBehindBy(async () => {
    const { worker } = makeWorker(undefined, { WORKER_HTTP_PORT: String(port) });
    await expect(worker.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
  await first.worker.stop('the test says so');
  expect(left).toEqual({});
});

it('nor do many requests on one connection, or many connections', async () => {
  const { worker } = makeWorker();
  const { port } = await worker.start();
  await untilState(worker, 'serving');
  const left = await leftBehindBy(async () => {
    const client = new RawClient(port);
    client.write(
      `${'GET /value HTTP/1.1\r\nHost: w\r\n\r\n'.repeat(200)}GET /end HTTP/1.1\r\nHost: w\r\n\r\n`,
    );
    await client.until(/not_found/);
    const ended = next(worker, 'request', ({ id, type }) => id === 250 && type !== 'request.started');
    await Promise.all(Array.from({ length: 50 }, () => post(port, '/increment', { amount: 1 })));
    await ended;
    client.socket.destroy();
    await client.closed;
  });
  expect(left).toEqual({});
  expect(await send(port, '/value')).toMatchObject({ body: { value: 50 } });
  await worker.stop('the test says so');
});

it('a process whose worker has stopped ends by itself', async () => {
  const script = `
    import backend from './backends/helloautoscaler.ts';
    import { readConfig, silentLog, Worker } from './src/index.ts';
    const env = { CONTAINER_ID: '1', REPORT_ADDR: 'http://127.0.0.1:9', WORKER_PORT: '0', TSWORKER_HOST: '127.0.0.1', TSWORKER_DRAIN_TIMEOUT: '50ms' };
    const worker = new Worker(backend, readConfig(env).config, { log: silentLog });
    const { port } = await worker.start();
    await (await fetch('http://127.0.0.1:' + port + '/nothing', { headers: { connection: 'close' } })).text();
    console.log(await worker.stop('enough'));
  `;
  const node = promisify(execFile);
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const { stdout, stderr } = await node(process.execPath, args, { timeout: 15_000 });
  // No autoscaler hears that it has loaded, but a worker that stops waits for none to tell only that.
  expect({ stdout, stderr }).toEqual({ stdout: 'clean\n', stderr: '' });
});
