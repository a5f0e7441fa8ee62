import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Clients } from '../support/faults-clients.js';
import { startWorker, type WorkerProcess } from '../support/process.js';

/** Nobody listens at the address that a worker has when the test says nothing. */
async function served(drainTimeout: string): Promise<WorkerProcess> {
  const worker = await startWorker({
    env: { TSWORKER_DRAIN_TIMEOUT: drainTimeout, TSWORKER_LOG_LEVEL: 'debug' },
  });
  await worker.reaches('serving');
  await worker.logged(({ event }) => event === 'outage.began');
  return worker;
}

it('an idle worker whose autoscaler was never there stops at once, and not at the end of its drain time-out', async () => {
  const worker = await served('30s');
  worker.kill('SIGTERM');
  const soon = await Promise.race([worker.exited, delay(10_000, 'still there', { ref: false })]);
  expect(soon).toEqual({ code: 0, signal: null });
  expect(worker.told('left.unreported')).toEqual([]);
});

it('one that has work to tell tries until the end of its drain time-out, and says what it could not tell', async () => {
  const worker = await served('1500ms');
  await new Clients(worker).increment(3);
  worker.kill('SIGTERM');
  const draining = await worker.reaches('draining');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const stopped = await worker.reaches('stopped');
  expect([stopped.reason, stopped.time - draining.time >= 1_450]).toEqual([
    'the time for draining is over',
    true,
  ]);
  expect(worker.told('report.failed').filter(({ time }) => time >= draining.time).length).toBeGreaterThan(3);
  expect(worker.told('left.unreported').map(({ requests, received }) => ({ requests, received }))).toEqual([
    { requests: 3, received: 3 },
  ]);
});
