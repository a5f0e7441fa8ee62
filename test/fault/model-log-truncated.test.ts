import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, entered, got } from '../support/faults-outcomes.js';
import { temporaryFolder } from '../support/worker-program.js';

const LOADED = 'INFO:     Application startup complete.\n';

it.each([
  { how: 'and goes on shorter than it was', first: 'INFO nothing\n' },
  { how: 'and is longer than it was at once', first: `INFO ${'.'.repeat(5_000)}\n` },
])('a log that is emptied while the model loads, $how: what it says then is heard', async ({ first }) => {
  const path = join(temporaryFolder(), 'model.log');
  const { autoscaler, worker, ask } = await startBeforeModel({
    env: { MODEL_LOG: path, TSWORKER_READINESS: 'log' },
  });
  // What is in a file that was not there at first is no more old.
  await worker.logged(({ msg }) => msg.includes('is not there yet'));
  writeFileSync(path, 'INFO Starting to load model m, which takes a while\n');
  await worker.logged(({ msg }) => msg.includes('Starting to load model'));
  writeFileSync(path, first + LOADED);
  await worker.reaches('serving');
  expect((await got(ask())).status).toBe(200);
  expect(entered(worker)).toEqual(['loading', 'loaded', 'serving']);
  expect(worker.told('model.log.problem')).toHaveLength(1);
  await endsWith({ worker, autoscaler }, { succeeded: 1 });
});

it('a log that the worker writes and somebody empties: it goes on at its beginning', async () => {
  const { autoscaler, worker, ask, behave, log, pids } = await startWithEngine();
  await worker.reaches('serving');
  const models = pids();
  truncateSync(log);
  await behave({ chatty: true });
  expect((await got(ask({ prompt: 'after' }))).status).toBe(200);
  await expect.poll(() => readFileSync(log, 'utf8')).toContain('after');
  expect(readFileSync(log, 'utf8')).not.toContain('\0');
  expect(worker.told('supervisor.problem')).toEqual([]);
  await endsWith({ worker, autoscaler, pids: models }, { succeeded: 1 });
});
