import { expect, it } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { endsWith, entered, got, refusal } from '../support/faults-outcomes.js';

/** The first life loads for ever. */
const FIRST_IS_SLOW = 'if [ -e lived ]; then slow=1ms; else slow=1h; fi; touch lived;';

it('a model that crashes while it loads: failing is told, and the next one loads and serves', async () => {
  const { autoscaler, worker, ask, pids } = await startWithEngine({
    before: FIRST_IS_SLOW,
    loadTime: '$slow',
    env: { TSWORKER_READINESS: 'both' },
  });
  await expect.poll(() => pids().length, { timeout: 15_000 }).toBe(1);
  expect(await refusal(ask())).toEqual([503, 'not_accepting']);
  expect(entered(worker)).toEqual(['loading']);
  process.kill(pids()[0] ?? 0, 'SIGABRT');
  const failing = await worker.reaches('failing');
  expect(failing.reason).toBe('the model server has died (1 of 5): killed by SIGABRT');
  const { error_msg, loadtime } = await autoscaler.untilStatus((status) => status.error_msg !== '');
  expect([error_msg.split('\n')[0], loadtime]).toEqual([failing.reason, 0]);
  await worker.reaches('serving', failing);
  expect((await got(ask())).status).toBe(200);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  expect(entered(worker)).toEqual(['loading', 'failing', 'loading', 'loaded', 'serving']);
  expect(pids()).toHaveLength(2);
  await endsWith({ worker, autoscaler, pids: pids() }, { succeeded: 1, rejected: 1 });
});
