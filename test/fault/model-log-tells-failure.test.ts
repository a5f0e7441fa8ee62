import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, got, readiness, refusal } from '../support/faults-outcomes.js';
import { temporaryFolder } from '../support/worker-program.js';

const LOADED = 'INFO:     Application startup complete.\n';
const FAILED = 'RuntimeError: Engine core initialization failed. See root cause above.\n';

it('a model that is known by its log alone: failing is left on a later line that it has loaded', async () => {
  const path = join(temporaryFolder(), 'model.log');
  const { autoscaler, worker, ask, entered } = await startBeforeModel({
    env: { MODEL_LOG: path, TSWORKER_READINESS: 'log' },
  });
  await worker.logged(({ msg }) => msg.includes('is not there yet'));
  writeFileSync(path, FAILED);
  const failing = await worker.reaches('failing');
  expect(failing.reason).toContain('Engine core initialization failed');
  expect(await readiness(worker)).toEqual([503, 'failing', expect.stringContaining(String(failing.reason))]);
  expect(await refusal(ask())).toEqual([503, 'not_accepting']);
  expect((await autoscaler.untilStatus(({ error_msg }) => error_msg !== '')).error_msg).toBe(failing.reason);
  appendFileSync(path, LOADED);
  await worker.reaches('serving', failing);
  expect((await got(ask())).status).toBe(200);
  expect(entered()).toEqual(['loading', 'failing', 'loading', 'loaded', 'serving']);
  await endsWith({ worker, autoscaler }, { succeeded: 1, rejected: 1 });
});

it('a log with the failure of an earlier run, and then that it has loaded: it serves, and has never failed', async () => {
  const path = join(temporaryFolder(), 'model.log');
  writeFileSync(path, `${FAILED}INFO starting again\n${LOADED}`);
  const { autoscaler, worker, entered } = await startBeforeModel({ env: { MODEL_LOG: path } });
  await worker.reaches('serving');
  // One that is not taken back counts after two seconds, which are twenty reports.
  for (let reports = 0; reports < 30; reports++) await autoscaler.nextStatus();
  expect(entered()).toEqual(['loading', 'loaded', 'serving']);
});

it('a log that ends with the failure of an earlier run: the model that loads anew is waited for, and serves', async () => {
  const path = join(temporaryFolder(), 'model.log');
  writeFileSync(path, `${FAILED}INFO starting again\n`);
  const { autoscaler, worker, entered } = await startBeforeModel({ env: { MODEL_LOG: path } });
  await worker.logged(({ msg }) => msg.includes('before the worker began it told of a failure'));
  expect((await worker.status()).reason).toContain('Engine core initialization failed');
  for (let reports = 0; reports < 30; reports++) await autoscaler.nextStatus();
  expect(autoscaler.statuses.filter(({ error_msg }) => error_msg !== '')).toEqual([]);
  appendFileSync(path, LOADED);
  await worker.reaches('serving');
  expect(entered()).toEqual(['loading', 'loaded', 'serving']);
});

it('a model that fails anew after the failure of an earlier run: it is told', async () => {
  const path = join(temporaryFolder(), 'model.log');
  writeFileSync(path, FAILED);
  const { worker } = await startBeforeModel({ env: { MODEL_LOG: path } });
  await worker.logged(({ msg }) => msg.includes('before the worker began it told of a failure'));
  appendFileSync(path, FAILED);
  expect((await worker.reaches('failing')).reason).toContain('Engine core initialization failed');
});

it('a log that ends with an earlier run that loaded, and a model that loads anew: its health route is waited for', async () => {
  const path = join(temporaryFolder(), 'model.log');
  writeFileSync(path, `${LOADED}INFO starting again\n`);
  const { autoscaler, model, worker, entered } = await startBeforeModel({
    model: { behaviour: { healthStatus: 503 } },
    env: { MODEL_LOG: path },
  });
  await model.untilHealthCheck();
  for (let reports = 0; reports < 10; reports++) await autoscaler.nextStatus();
  expect(entered()).toEqual(['loading']);
  model.behave({ healthStatus: undefined });
  await worker.reaches('serving');
  expect(entered()).toEqual(['loading', 'loaded', 'serving']);
});

it('a worker that is started anew beside a model that had loaded, and told of a failed request since: it serves', async () => {
  const path = join(temporaryFolder(), 'model.log');
  writeFileSync(path, `${LOADED}ERROR torch.OutOfMemoryError: CUDA out of memory, for one request\n`);
  const { autoscaler, worker, ask, entered } = await startBeforeModel({ env: { MODEL_LOG: path } });
  await worker.reaches('serving');
  for (let reports = 0; reports < 30; reports++) await autoscaler.nextStatus();
  expect([entered(), (await ask()).statusCode]).toEqual([['loading', 'loaded', 'serving'], 200]);
});

it('a log with the failure of an earlier run alone: the health route of this run takes it back', async () => {
  const path = join(temporaryFolder(), 'model.log');
  writeFileSync(path, FAILED);
  const { autoscaler, worker, entered } = await startBeforeModel({
    env: { MODEL_LOG: path, TSWORKER_READINESS: 'health' },
  });
  await worker.reaches('serving');
  for (let reports = 0; reports < 30; reports++) await autoscaler.nextStatus();
  expect(entered()).toEqual(['loading', 'loaded', 'serving']);
});
