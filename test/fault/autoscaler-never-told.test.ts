import { request } from 'undici';
import { expect, it } from 'vitest';
import { Clients } from '../support/faults-clients.js';
import { startAutoscaler } from '../support/faults-load.js';
import { startWorker } from '../support/process.js';

/** Longer than a worker would wait that may serve unreported. */
const FAILED_ROUNDS = 40;

it('TSWORKER_SERVE_UNREPORTED=false: 503 until the autoscaler knows that it has loaded', async () => {
  const autoscaler = await startAutoscaler();
  await autoscaler.stop();
  const worker = await startWorker({
    reportTo: autoscaler.url,
    env: {
      TSWORKER_SERVE_UNREPORTED: 'false',
      TSWORKER_REPORT_MAX_BACKOFF: '200ms',
      TSWORKER_LOG_LEVEL: 'debug',
    },
  });
  await worker.reaches('loaded');
  await worker.program.find('that many failed attempts', () =>
    worker.told('report.failed').length >= FAILED_ROUNDS ? true : undefined,
  );
  const loadedForMs = (await worker.status()).inStateMs;
  expect(loadedForMs).toBeGreaterThan(2_000);
  const refused = await request(`${worker.url}/value`);
  expect([refused.statusCode, refused.headers['retry-after'], await refused.body.json()]).toEqual([
    503,
    '5',
    { error: 'not_accepting', message: 'The worker is loaded: the backend has loaded.' },
  ]);

  await autoscaler.start();
  const serving = await worker.reaches('serving');
  expect(serving.reason).toBe('the autoscaler knows that it has loaded');
  await new Clients(worker).increment(10);
  await autoscaler.waitForMessage(
    ({ body }) => (body as { num_requests_recieved?: number }).num_requests_recieved === 10,
  );
});
