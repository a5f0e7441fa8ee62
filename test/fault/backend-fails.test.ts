import { expect, it } from 'vitest';
import { acknowledgedUpdates } from '../support/faults-books.js';
import { post, startServingPuppet } from '../support/faults-puppet.js';

it('the backend fails with requests in flight, says so again and again, and recovers', async () => {
  const { autoscaler, upstream, worker, begin } = await startServingPuppet({
    hold: ['/answer', '/recovery'],
  });
  const answers = await begin(4);
  expect(await post(worker, '/fail')).toMatchObject({ status: 200, body: 'failed' });
  const failing = await worker.reaches('failing');
  await autoscaler.waitForMessage(({ kind, acknowledged }) => kind === 'error' && acknowledged);
  expect(autoscaler.workers().map(({ state, error }) => ({ state, error }))).toEqual([
    { state: 'failing', error: 'the strings are tangled' },
  ]);
  expect(await post(worker, '/ask')).toMatchObject({
    status: 503,
    body: JSON.stringify({
      error: 'not_accepting',
      message: 'The worker is failing: the strings are tangled.',
    }),
  });
  expect((await worker.status()).requestsUnderWay).toBe(4);

  upstream.release('/recovery');
  const serving = await worker.program.find('that it serves again', () =>
    worker.told('state.entered').find(({ state, time }) => state === 'serving' && time >= failing.time),
  );
  expect(serving.reason).toBe('the autoscaler knows that it has loaded');
  upstream.release('/answer');
  expect(await Promise.all(answers)).toMatchObject(Array.from({ length: 4 }, () => ({ status: 200 })));
  expect(await post(worker, '/ask')).toMatchObject({ status: 200, body: 'at once' });

  // An error destroys no counter, and it is told in the log once, however often the backend says it.
  await autoscaler.waitForMessage(
    ({ body }) => (body as { num_requests_recieved?: number }).num_requests_recieved === 6,
  );
  const { ledger, errorMessage } = await worker.status();
  const { requests, received, served } = ledger.totals;
  expect({ requests, received, served, errorMessage }).toEqual({
    requests: 6,
    received: 6,
    served: 6,
    errorMessage: '',
  });
  expect(worker.told('state.entered').map(({ state }) => state)).toEqual([
    'loading',
    'loaded',
    'serving',
    'failing',
    'loaded',
    'serving',
  ]);
  expect(autoscaler.workers().map(({ state, error }) => ({ state, error }))).toEqual([
    { state: 'serving', error: '' },
  ]);
  expect(acknowledgedUpdates(autoscaler).map((update) => update.num_requests_recieved)).toEqual(
    acknowledgedUpdates(autoscaler)
      .map((update) => update.num_requests_recieved)
      .sort((one, other) => one - other),
  );
});
