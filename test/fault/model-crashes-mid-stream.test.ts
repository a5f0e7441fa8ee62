import { expect, it } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { endsWith, entered, got, readiness } from '../support/faults-outcomes.js';

const CRASHES = 'the fake model crashes, as it was told';
const DIED = 'the model server has died (1 of 5): exit code 1';

it('a model that crashes with requests under way: their clients see it, failing is told with its last lines, and the worker serves again', async () => {
  const { autoscaler, worker, ask, behave, pids } = await startWithEngine({
    loadTime: '300ms',
    env: { TSWORKER_MAX_PERF: '', TSWORKER_BENCHMARK_RUNS: '1' },
  });
  await worker.reaches('serving');
  const { max_perf } = await autoscaler.untilStatus(({ loadtime }) => loadtime > 0);
  expect(max_perf).toBeGreaterThan(0);
  await behave({ pauseAfterTokens: 2 });
  const [streamed, whole] = [got(ask({ stream: true })), got(ask())];
  await autoscaler.untilStatus(({ num_requests_working }) => num_requests_working === 2);
  await behave({ crashAfterTokens: 2, pauseAfterTokens: null });
  expect(await streamed).toEqual({ status: 200, body: expect.stringMatching(/tok0.* tok1/s), whole: false });
  expect(await whole).toEqual({
    status: 500,
    body: expect.stringContaining('"model_failed"'),
    whole: true,
  });

  const failing = await worker.reaches('failing');
  expect(failing.reason).toBe(DIED);
  const { error_msg, loadtime } = await autoscaler.untilStatus((status) => status.error_msg !== '');
  const lines = error_msg.split('\n');
  expect([lines.slice(0, 2), lines.at(-1), loadtime > 0]).toEqual([[DIED, 'its last lines:'], CRASHES, true]);
  const reloads = await worker.reaches('loading', failing);
  expect((await readiness(worker)).slice(0, 2)).toEqual([503, 'loading']);
  await worker.reaches('serving', reloads);
  expect((await readiness(worker)).slice(0, 2)).toEqual([200, 'serving']);
  const told = autoscaler.statuses.slice(autoscaler.statuses.findIndex((status) => status.error_msg !== ''));
  expect(told.find((status) => status.error_msg === '')?.loadtime).toBe(0);
  const again = await autoscaler.nextStatus();
  expect([again.max_perf, again.error_msg, again.loadtime > 0]).toEqual([max_perf, '', true]);
  expect(worker.told('benchmark.reused')).toHaveLength(1);
  expect((await got(ask())).status).toBe(200);
  expect(entered(worker)).toEqual([
    ...['loading', 'loaded', 'serving', 'failing'],
    ...['loading', 'loaded', 'serving'],
  ]);
  expect(pids()).toHaveLength(2);
  await endsWith({ worker, autoscaler, pids: pids() }, { succeeded: 1, errored: 2 });
});
