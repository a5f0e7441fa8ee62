import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import helloautoscaler from '../../backends/helloautoscaler.js';
import { defineBackend } from '../../src/backend/index.js';
import { usedDiskGib } from '../../src/report/disk.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import { post } from '../support/client.js';
import { deferred, makeWorker, next, serve, startWorker, untilState } from '../support/worker.js';

/** An autoscaler that keeps each body as it came over the wire, before anything has read it. */
async function wire() {
  const posts: { path: string | undefined; body: string }[] = [];
  const watchers = new Set<() => void>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      posts.push({ path: request.url, body });
      response.end('{}');
      for (const watcher of watchers) watcher();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve) => {
      const look = () => {
        const found = posts.find(({ body }) => pattern.test(body));
        if (found) resolve(found.body);
      };
      watchers.add(look);
      look();
    });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posts, until };
}

const FIELDS = '"id":7,"mtoken":"the-master-token"';

describe('on the wire is', () => {
  it('loaded, then an update with what was counted', async () => {
    const { address, posts, until } = await wire();
    const { port, worker, log } = await serve(helloautoscaler, { REPORT_ADDR: address });
    const { loadTimeSeconds } = worker.view();
    expect(await until(/loadtime/)).toBe(`{${FIELDS},"loadtime":${loadTimeSeconds},"max_perf":0.5}`);
    await post(port, '/increment', { amount: 2 });
    await worker.stop('the test says so');
    const { cur_load, ...others } = JSON.parse(await until(/"num_requests_recieved":1/));
    expect(others).toEqual({ id: 7, mtoken: 'the-master-token', num_requests_recieved: 1 });
    expect(cur_load).toBeGreaterThan(0);
    expect(new Set(posts.map(({ path }) => path))).toEqual(new Set(['/worker_status/']));
    expect(log.text).not.toContain('the-master-token');
    expect(log.text).toContain('report loaded delivered: loadtime ');
  });

  it('what is used of the disk while it loads', async () => {
    const { address, until } = await wire();
    const loading = deferred();
    const backend = defineBackend({
      name: 'slow',
      maxPerf: 1,
      init: () => loading.promise,
      routes: { '/run': { handle: () => 'ran' } },
    });
    const { worker } = await startWorker(backend, { REPORT_ADDR: address, TSWORKER_REPORT_INTERVAL: '20ms' });
    const body = JSON.parse(await until(/loading update/));
    expect(body).toEqual({
      id: 7,
      mtoken: 'the-master-token',
      message: 'loading update',
      disk_usage: expect.any(Number),
      additional_disk_usage: 0,
    });
    expect(body.disk_usage).toBeCloseTo((await usedDiskGib(1_000)) ?? Number.NaN, 0);
    loading.resolve();
    await untilState(worker, 'serving');
  });

  it('an error while it is failing', async () => {
    const { address, until } = await wire();
    const backend = defineBackend({
      name: 'broken',
      maxPerf: 1,
      init: () => Promise.reject(new Error('no "GPU"')),
      routes: { '/run': { handle: () => 'ran' } },
    });
    await startWorker(backend, { REPORT_ADDR: address });
    expect(await until(/error_msg/)).toBe(`{${FIELDS},"error_msg":"no \\"GPU\\""}`);
  });
});

describe('the address', () => {
  it.each([
    ['', '/worker_status/'],
    ['/', '/worker_status/'],
    ['//', '/worker_status/'],
    ['/api/v0', '/api/v0/worker_status/'],
    ['/api/v0/', '/api/v0/worker_status/'],
  ])('may end with "%s"', async (end, path) => {
    const { address, posts, until } = await wire();
    await serve(helloautoscaler, { REPORT_ADDR: `${address}${end}` });
    await until(/loadtime/);
    expect(posts[0]?.path).toBe(path);
  });

  it('that does not take reports makes way for the next', async () => {
    const { address, until } = await wire();
    const { worker, log } = makeWorker(helloautoscaler, { REPORT_ADDR: `http://127.0.0.1:9,${address}` });
    const changed = next(worker, 'report', ({ type }) => type === 'address.changed');
    await worker.start();
    await until(/loadtime/);
    expect(await changed).toEqual({ type: 'address.changed', from: 'http://127.0.0.1:9', to: address });
    await worker.stop('the test says so');
    expect(log.about('address.changed')).toEqual([
      {
        level: 'warn',
        message: `reports go to ${address} now, since http://127.0.0.1:9 did not take them`,
        fields: { event: 'address.changed', from: 'http://127.0.0.1:9', to: address },
      },
    ]);
  });
});

describe('the used disk', () => {
  it('is a number of GiB, and unknown for a path that is not there', async () => {
    expect(await usedDiskGib(1_000)).toBeGreaterThan(0);
    expect(await usedDiskGib(1_000, '/there/is/nothing')).toBeUndefined();
  });
});

it('a body is in no line of the log, whatever the autoscaler does', async () => {
  const log = new RecordingLog();
  const { address, until } = await wire();
  const { worker } = makeWorker(helloautoscaler, { REPORT_ADDR: address, MASTER_TOKEN: 'another-secret' });
  worker.bus.on('report', (event) => log.info('event', { ...event }));
  await worker.start();
  await until(/another-secret/);
  await worker.stop('the test says so');
  expect(log.lines.length).toBeGreaterThan(0);
  expect(log.text).not.toContain('another-secret');
});
