import { expect, it } from 'vitest';
import { defineBackend } from '../../src/backend/index.js';
import { startAutoscaler } from '../autoscaler/harness.js';
import { nobody } from '../support/model-server.js';
import { next, quietBackend, serve, startWorker, untilView } from '../support/worker.js';

it('while the model loads, the reason says what is waited for', async () => {
  const { url } = await nobody();
  const running = await startWorker(
    quietBackend({ model: { url, health: '/health' }, routes: { '/run': {} } }),
  );
  const view = await untilView(running, ({ reason }) => reason.startsWith('it waits for'));
  expect(view).toMatchObject({ state: 'loading', reason: expect.stringMatching(/^it waits for .*health/) });
});

const current = defineBackend({
  name: 'current',
  dialect: 'current',
  maxPerf: 1,
  routes: { '/run': { handle: () => 'ok' } },
});
const FOUND = { PUBLIC_IPADDR: '127.0.0.1' };

it('a key that nobody needs is not asked for', async () => {
  const { worker } = await serve();
  expect(worker.view()).toMatchObject({
    key: 'unasked',
    id: 7,
    report: 'quiet',
    reporter: { addresses: [] },
  });
});

it('a key that is needed is sought until there is one', async () => {
  const { url } = await nobody();
  const { worker } = await startWorker(current, { ...FOUND, REPORT_ADDR: url });
  expect(worker.view().key).toBe('sought');
});

it('a key that was given is held', async () => {
  const autoscaler = await startAutoscaler();
  const running = await startWorker(current, { ...FOUND, REPORT_ADDR: autoscaler.url });
  if (running.worker.view().key !== 'held')
    await next(running.worker, 'key', ({ type }) => type === 'key.held');
  expect((await untilView(running, ({ key }) => key === 'held')).reporter.addresses).toEqual([
    autoscaler.url,
  ]);
});

it('nothing is owed of what is told to nobody, though it is counted', async () => {
  const { worker, port } = await serve(quietBackend({ routes: { '/run': { handle: () => 'ok' } } }));
  await fetch(`http://127.0.0.1:${port}/run`, { method: 'POST', body: '{}' });
  const { totals, unreported } = worker.view().ledger;
  expect(totals.requests).toBe(1);
  expect(Object.values(unreported).filter((amount) => amount !== 0)).toEqual([]);
});
