import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { loaded } from './bodies.js';
import { exchange, rawReport } from './harness.js';

/** What keeps a process alive and could be ours: servers, connections, timers, a key being made. */
const ownResources = () => process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Key/i.test(name));

it('a stop closes idle, hanging and slow connections, and leaves neither socket nor timer', async () => {
  const before = ownResources();
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
  expect(ownResources()).toEqual(before);
});

it('a stop waits for a key that is being made', async () => {
  const before = ownResources();
  const autoscaler = new LocalAutoscaler({ port: 0 });
  await autoscaler.start();
  const answer = exchange(autoscaler.port, 'GET /pubkey/ HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const other = await exchange(
    autoscaler.port,
    'GET /nothing HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n',
  );
  expect(other.received).toMatch(/^HTTP\/1.1 404 /);
  await autoscaler.stop();
  await answer;
  expect(ownResources()).toEqual(before);
});
