import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, got, readiness, refusal } from '../support/faults-outcomes.js';
import { temporaryFolder } from '../support/worker-program.js';

it('a model that loads later than its deadline: failing is told, and left when the health route answers', async () => {
  const { autoscaler, model, worker, ask, entered } = await startBeforeModel({
    model: { behaviour: { healthStatus: 503 } },
    env: { TSWORKER_LOAD_TIMEOUT: '300ms' },
  });
  const failing = await worker.reaches('failing');
  expect(failing.reason).toContain('did not load within 0.3 s');
  const { error_msg } = await autoscaler.untilStatus((status) => status.error_msg !== '');
  expect(error_msg).toBe(failing.reason);
  expect(await readiness(worker)).toEqual([503, 'failing', expect.stringContaining(String(failing.reason))]);
  expect(await refusal(ask())).toEqual([503, 'not_accepting']);
  model.behave({ healthStatus: undefined });
  const serving = await worker.reaches('serving', failing);
  expect(serving.reason).toBe('the autoscaler knows that it has loaded');
  const { loadtime } = await autoscaler.untilStatus((status) => status.loadtime > 0);
  expect(loadtime).toBeGreaterThan(0);
  expect((await got(ask())).status).toBe(200);
  const states = entered();
  expect(states.slice(0, 2)).toEqual(['loading', 'failing']);
  expect(states.slice(-3)).toEqual(['loading', 'loaded', 'serving']);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  await endsWith({ worker, autoscaler }, { succeeded: 1, rejected: 1 });
});

it('a log that stands still while the model loads: failing is told, and left on the line that it has loaded', async () => {
  const path = join(temporaryFolder(), 'model.log');
  const { autoscaler, worker, ask, entered } = await startBeforeModel({
    env: { MODEL_LOG: path, TSWORKER_READINESS: 'log', TSWORKER_LOAD_STALL_TIMEOUT: '1s' },
  });
  await worker.logged(({ msg }) => msg.includes('is not there yet'));
  writeFileSync(path, 'INFO Starting to load model m\n');
  const failing = await worker.reaches('failing');
  expect(failing.reason).toContain(
    "the model's log has had no new line for 1 s (TSWORKER_LOAD_STALL_TIMEOUT)",
  );
  expect((await autoscaler.untilStatus(({ error_msg }) => error_msg !== '')).error_msg).toBe(failing.reason);
  expect(await readiness(worker)).toEqual([503, 'failing', expect.stringContaining(String(failing.reason))]);
  appendFileSync(path, 'INFO:     Application startup complete.\n');
  await worker.reaches('serving', failing);
  expect((await got(ask())).status).toBe(200);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  expect(entered()).toEqual(['loading', 'failing', 'loading', 'loaded', 'serving']);
  await endsWith({ worker, autoscaler }, { succeeded: 1 });
});
