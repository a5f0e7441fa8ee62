import { expect, it } from 'vitest';
import {
  allReported,
  expectExactBooks,
  expectLoadedTold,
  expectOutagesToldOnce,
  expectRatesToFit,
  stopsCleanly,
} from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { messages, startAutoscaler } from '../support/faults-load.js';
import { startWorker } from '../support/process.js';

it('each answer takes 1 s while 400 requests come in', async () => {
  const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'slow', delayMs: 1_000 }) });
  const worker = await startWorker({
    reportTo: autoscaler.url,
    env: { TSWORKER_REPORT_TIMEOUT: '5s' },
  });
  await worker.reaches('serving');
  const clients = new Clients(worker);
  let reports = 0;
  autoscaler.on('message', () => {
    reports += 1;
  });
  // A few at a time, so that requests arrive before, while and after a report is on its way.
  for (let sent = 0; sent < 400; sent += 4) {
    await clients.increment(4);
    if (sent % 100 === 96) await messages(autoscaler, 1);
  }
  await allReported(worker, 400);
  expect(reports).toBeGreaterThanOrEqual(4);
  const books = await expectExactBooks(worker, autoscaler, 400);
  const told = expectRatesToFit(worker, autoscaler, 400);
  await expectLoadedTold(worker, autoscaler);
  await stopsCleanly(worker);
  expectOutagesToldOnce(worker, autoscaler);
  expect(worker.told('outage.began')).toEqual([]);
  console.info(JSON.stringify({ ...books, told }));
});
