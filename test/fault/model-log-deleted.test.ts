import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, entered, got, readiness } from '../support/faults-outcomes.js';
import { temporaryFolder } from '../support/worker-program.js';

const LOADED = 'INFO:     Application startup complete.\n';

it('a log that is deleted while the model loads, and its folder as well: that is told once, and the new one is heard', async () => {
  const folder = join(temporaryFolder(), 'logs');
  const path = join(folder, 'model.log');
  const { autoscaler, worker, ask } = await startBeforeModel({
    env: { MODEL_LOG: path, TSWORKER_READINESS: 'log' },
  });
  const isMissing = { level: 40, problem: `${path} is not there yet` };
  await worker.logged(({ event }) => event === 'model.log.problem');
  mkdirSync(folder);
  writeFileSync(path, 'INFO Starting to load model m\n');
  await worker.logged(({ msg }) => msg.includes('Starting to load model'));
  rmSync(folder, { recursive: true });
  await expect.poll(() => worker.told('model.log.problem').length, { timeout: 10_000 }).toBe(2);
  expect((await readiness(worker)).slice(0, 2)).toEqual([503, 'loading']);
  mkdirSync(folder);
  writeFileSync(path, LOADED);
  await worker.reaches('serving');
  expect((await got(ask())).status).toBe(200);

  // It serves without one, too.
  rmSync(path);
  await expect.poll(() => worker.told('model.log.problem').length, { timeout: 10_000 }).toBe(3);
  expect(worker.told('model.log.problem')).toMatchObject([isMissing, isMissing, isMissing]);
  expect((await got(ask())).status).toBe(200);
  expect(entered(worker)).toEqual(['loading', 'loaded', 'serving']);
  await endsWith({ worker, autoscaler }, { succeeded: 2 });
});

it('a log that the worker writes and somebody deletes, with its folder: it is made again', async () => {
  const log = join(temporaryFolder(), 'logs', 'model.log');
  const { autoscaler, worker, ask, behave, pids } = await startWithEngine({ env: { MODEL_LOG: log } });
  await worker.reaches('serving');
  const models = pids();
  rmSync(dirname(log), { recursive: true });
  await behave({ chatty: true });
  expect((await got(ask({ prompt: 'after' }))).status).toBe(200);
  await expect.poll(() => existsSync(log) && readFileSync(log, 'utf8')).toContain('after');
  expect(worker.told('supervisor.problem')).toEqual([]);
  await endsWith({ worker, autoscaler, pids: models }, { succeeded: 1 });
});
