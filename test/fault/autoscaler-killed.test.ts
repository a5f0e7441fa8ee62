import { request } from 'undici';
import { expect, it } from 'vitest';
import type { MessageRecord } from '../../src/autoscaler/index.js';
import { acknowledgedUpdates, allReported, type Receiver, toldInLegacy } from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { startAutoscaler } from '../support/faults-load.js';
import { MAIN, Program, startWorker } from '../support/process.js';

/** The local autoscaler as its own process. */
async function startAutoscalerProcess(port: number): Promise<Program> {
  const program = new Program(process.execPath, [MAIN, 'autoscaler', '--port', String(port)]);
  await program.find('that it listens', () => program.lines.find((line) => line.includes('"listening"')));
  return program;
}

async function receiverOf(url: string): Promise<Receiver> {
  const { body } = await request(`${url}/api/messages?limit=1000`);
  const { messages } = (await body.json()) as { messages: readonly MessageRecord[] };
  return { messages: () => messages };
}

const lastKnown = (receiver: Receiver) => acknowledgedUpdates(receiver).at(-1)?.num_requests_recieved;

it('the autoscaler is killed, and another takes its place', async () => {
  const place = await startAutoscaler();
  await place.stop();
  const first = await startAutoscalerProcess(place.port);
  const worker = await startWorker({ reportTo: place.url });
  await worker.reaches('serving');
  const clients = new Clients(worker);
  await clients.increment(200);
  await allReported(worker, 200);

  first.kill('SIGKILL');
  await first.exited;
  await clients.increment(300);
  await worker.logged(({ event }) => event === 'outage.began');

  await startAutoscalerProcess(place.port);
  await allReported(worker, 500);
  expect(lastKnown(await receiverOf(place.url))).toBe(500);
  const { ledger } = await worker.status();
  expect(toldInLegacy(ledger.reported)).toEqual(toldInLegacy(ledger.totals));
  expect([worker.told('outage.began').length, worker.told('outage.ended').length]).toEqual([1, 1]);
  // The new one has never heard of this worker, and knows it as serving all the same.
  await worker.logged(
    ({ event, report, time }) =>
      event === 'report.delivered' &&
      report === 'loaded' &&
      time >= (worker.told('outage.ended')[0]?.time ?? 0),
  );
  const { body } = await request(`${place.url}/api/workers`);
  const { workers } = (await body.json()) as { workers: readonly { state: string }[] };
  expect(workers.map(({ state }) => state)).toEqual(['serving']);
});

it('the autoscaler is frozen, and thaws', async () => {
  const place = await startAutoscaler();
  await place.stop();
  const autoscaler = await startAutoscalerProcess(place.port);
  const worker = await startWorker({
    reportTo: place.url,
    env: { TSWORKER_REPORT_TIMEOUT: '500ms', TSWORKER_REPORT_MAX_BACKOFF: '200ms' },
  });
  await worker.reaches('serving');
  const clients = new Clients(worker);
  await clients.increment(200);
  await allReported(worker, 200);

  autoscaler.kill('SIGSTOP');
  await worker.logged(({ event }) => event === 'outage.began');
  await clients.increment(300);
  expect((await worker.status()).ledger.unreported.received).toBeGreaterThanOrEqual(300);

  autoscaler.kill('SIGCONT');
  await allReported(worker, 500);
  const { ledger } = await worker.status();
  expect(toldInLegacy(ledger.reported)).toEqual(toldInLegacy(ledger.totals));
  expect(lastKnown(await receiverOf(place.url))).toBe(500);
});
