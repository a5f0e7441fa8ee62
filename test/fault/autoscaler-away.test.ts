import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import {
  acknowledgedUpdates,
  expectExactBooks,
  expectLoadedTold,
  expectNoGrowth,
  expectRatesToFit,
  holds,
  stopsCleanly,
} from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { startAutoscaler } from '../support/faults-load.js';
import { startWorker } from '../support/process.js';

const AWAY_MS = 60_000;
const WARM_UP_MS = 10_000;
const PAUSE_MS = 100;
const REQUESTS_PER_PAUSE = 10;

it('the autoscaler is away for the first 60 s while requests come in', async () => {
  const autoscaler = await startAutoscaler();
  await autoscaler.stop();
  const worker = await startWorker({
    reportTo: autoscaler.url,
    measureHeap: true,
    env: { TSWORKER_REPORT_INTERVAL: '1s', TSWORKER_REPORT_MAX_BACKOFF: '1s' },
  });
  const serving = await worker.reaches('serving');
  expect(serving.reason).toBe('no autoscaler can be reached, so it serves unreported');
  const clients = new Clients(worker, REQUESTS_PER_PAUSE);
  const startedAtMs = performance.now();
  const sendFor = async (untilMs: number) => {
    while (performance.now() - startedAtMs < untilMs) {
      await Promise.all([clients.increment(REQUESTS_PER_PAUSE), delay(PAUSE_MS)]);
    }
  };
  await sendFor(WARM_UP_MS);
  const before = await holds(worker);
  await sendFor(AWAY_MS);
  const after = await holds(worker);

  const { ledger, reporter, state } = await worker.status();
  expect({ state, unreported: ledger.unreported.received, reported: ledger.reported.received }).toEqual({
    state: 'serving',
    unreported: clients.sent,
    reported: 0,
  });
  expect(reporter.failedRounds).toBeGreaterThanOrEqual(AWAY_MS / 2_000);
  expect(worker.log.filter(({ level }) => level >= 40).map(({ event }) => event)).toEqual(['outage.began']);

  await autoscaler.start();
  const books = await expectExactBooks(worker, autoscaler, clients.sent);
  const told = expectRatesToFit(worker, autoscaler, clients.sent);
  await expectLoadedTold(worker, autoscaler);
  // Loaded first, then all the work of the outage in one update.
  expect(autoscaler.messages()[0]).toMatchObject({ kind: 'loaded', acknowledged: true });
  expect(acknowledgedUpdates(autoscaler)[0]?.num_requests_recieved).toBe(clients.sent);
  expectNoGrowth(before, after);
  await stopsCleanly(worker);
  const [ended, ...others] = worker.told('outage.ended');
  expect(others).toEqual([]);
  expect(ended?.failedAttempts).toBeGreaterThanOrEqual(reporter.failedRounds);
  expect(ended?.outageSeconds).toBeGreaterThanOrEqual(AWAY_MS / 1000 - 1);
  console.info(
    JSON.stringify({
      ...books,
      told,
      seconds: ended?.outageSeconds,
      failedAttempts: ended?.failedAttempts,
      before,
      after,
    }),
  );
}, 120_000);
