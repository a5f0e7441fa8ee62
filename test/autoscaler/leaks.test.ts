import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { loaded, status } from './bodies.js';
import { exchange, rawReport, report } from './harness.js';

/** What keeps a process alive and could be ours. The test runner has timers too: see the last test. */
const ownResources = () => process.getActiveResourcesInfo().filter((name) => /TCP|Key|Sign/i.test(name));

it('a stop closes idle, hanging and slow connections, and leaves no socket', async () => {
  const autoscaler = new LocalAutoscaler({
    port: 0,
    fault: ({ sequence }) => (sequence === 1 ? { kind: 'hang' } : { kind: 'slow', delayMs: 60_000 }),
  });
  await autoscaler.start();
  const idle = new Promise((resolve) => connect(autoscaler.port, '127.0.0.1').on('close', resolve).resume());
  const hanging = exchange(autoscaler.port, rawReport(loaded(1)));
  await autoscaler.waitForMessage(({ sequence }) => sequence === 1);
  const counted = new Promise((resolve) => autoscaler.once('state', resolve));
  const slow = exchange(autoscaler.port, rawReport(loaded(2)));
  await counted;
  await autoscaler.stop();
  const ends = await Promise.all([hanging, slow, idle]);
  expect(ends.slice(0, 2)).toMatchObject([{ received: '' }, { received: '' }]);
  expect(autoscaler.messages().map(({ acknowledged }) => acknowledged)).toEqual([false, false]);
  expect(ownResources()).toEqual([]);
});

it('a stop waits for a key that is being made', async () => {
  const autoscaler = new LocalAutoscaler({ port: 0 });
  await autoscaler.start();
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const key = exchange(autoscaler.port, get('/pubkey/'));
  expect((await exchange(autoscaler.port, get('/nothing'))).received).toMatch(/^HTTP\/1.1 404 /);
  await autoscaler.stop();
  await key;
  expect(ownResources()).toEqual([]);
});

it('a stop waits for a route that is being signed', async () => {
  const autoscaler = new LocalAutoscaler({ port: 0 });
  await autoscaler.start();
  await report(autoscaler, status(1), {
    headers: { 'content-type': 'application/json', connection: 'close' },
  });
  const route = autoscaler.route(1);
  await autoscaler.stop();
  expect(ownResources()).toEqual([]);
  expect(await route).toMatchObject({ reqnum: 1 });
});

it('a process that stops it while an answer is due ends by itself', async () => {
  const script = `
    import { LocalAutoscaler } from './src/autoscaler/index.ts';
    import { request } from 'node:http';
    const autoscaler = new LocalAutoscaler({ port: 0, fault: () => ({ kind: 'slow', delayMs: 60_000 }) });
    await autoscaler.start();
    autoscaler.once('state', () => void autoscaler.stop().then(() => console.log('stopped')));
    const headers = { 'content-type': 'application/json' };
    request(autoscaler.url + '/worker_status/', { method: 'POST', headers }).on('error', () => {})
      .end(${JSON.stringify(JSON.stringify(loaded()))});
  `;
  const node = promisify(execFile);
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const { stdout } = await node(process.execPath, args, { timeout: 15_000 });
  expect(stdout).toBe('stopped\n');
});
