import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Fault, LocalAutoscaler } from '../../src/autoscaler/index.js';
import { postJson, runningAutoscaler } from '../support/running-worker.js';
import { type WorkerProcess, workerProcess } from '../support/worker-process.js';

const REQUESTS = 400;

/** Which way the n-th report is answered badly. */
type Plan = (sequence: number) => Fault | undefined;

const third =
  (fault: Fault): Plan =>
  (sequence) =>
    sequence % 3 === 0 ? fault : undefined;

const faults: [name: string, plan: Plan][] = [
  ['answers 500 to a third', third({ kind: 'status', status: 500 })],
  ['redirects a third', third({ kind: 'status', status: 302 })],
  ['hangs on a third', third({ kind: 'hang' })],
  ['resets a third', third({ kind: 'reset' })],
  ['answers after 1 s', () => ({ kind: 'slow', delayMs: 1_000 })],
  [
    'does each of these in turn',
    (sequence) =>
      [
        { kind: 'status', status: 500 } as const,
        { kind: 'hang' } as const,
        { kind: 'reset' } as const,
        { kind: 'slow', delayMs: 1_000 } as const,
        undefined,
      ][sequence % 5],
  ],
];

/** Sends requests a few at a time; each must be answered with 200. */
async function sendAll(worker: WorkerProcess, count: number): Promise<void> {
  let left = count;
  const client = async () => {
    while (left-- > 0) {
      const response = await postJson(`${worker.url}/increment`, { amount: 1 });
      expect([response.status, await response.text()]).toEqual([200, 'Incremented']);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
}

/** What the autoscaler acknowledged last: the count of the worker's life. */
function lastAcknowledgedCount(autoscaler: LocalAutoscaler): unknown {
  const update = autoscaler
    .messages()
    .findLast(({ kind, acknowledged }) => kind === 'update' && acknowledged);
  return (update?.body as { num_requests_recieved?: number } | undefined)?.num_requests_recieved;
}

/** Everything that was sent was acknowledged, exactly, in requests and in units. */
async function expectNothingLost(
  worker: WorkerProcess,
  autoscaler: LocalAutoscaler,
  sent: number,
): Promise<void> {
  await worker.logged((line) => line.report === 'update' && line.num_requests_recieved === sent);
  expect(lastAcknowledgedCount(autoscaler)).toBe(sent);
  const { ledger } = await worker.status();
  expect(ledger.reported).toMatchObject({ requests: sent, received: sent, served: sent });
  expect(ledger.unreported).toMatchObject({ requests: 0, received: 0, served: 0 });
}

describe('an autoscaler that', () => {
  it.each(faults)('%s loses nothing', async (_name, plan) => {
    const autoscaler = await runningAutoscaler({ fault: ({ sequence }) => plan(sequence) });
    const worker = await workerProcess({ REPORT_ADDR: autoscaler.url, TSWORKER_REPORT_TIMEOUT: '1500ms' });
    await worker.reaches('serving');
    await sendAll(worker, REQUESTS);
    await expectNothingLost(worker, autoscaler, REQUESTS);
    expect(autoscaler.messages().some(({ kind, acknowledged }) => kind === 'loaded' && acknowledged)).toBe(
      true,
    );
    worker.child.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });

  it('is away for 60 s loses nothing, is told of once, and costs nothing meanwhile', async () => {
    const autoscaler = await runningAutoscaler();
    await autoscaler.stop();
    const worker = await workerProcess({ REPORT_ADDR: autoscaler.url });
    await worker.reaches('serving');
    await sendAll(worker, 1_000);
    const before = worker.resources();
    const back = delay(60_000);
    await sendAll(worker, 2_000);
    await back;
    const after = worker.resources();
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 4);
    expect(after.residentMib).toBeLessThan(before.residentMib + 40);

    await autoscaler.start();
    await autoscaler.waitForMessage(({ kind, acknowledged }) => kind === 'loaded' && acknowledged);
    await expectNothingLost(worker, autoscaler, 3_000);
    const outage = worker.log.filter(({ event }) => event === 'outage.began' || event === 'outage.ended');
    expect(outage.map(({ event }) => event)).toEqual(['outage.began', 'outage.ended']);
  });
});
