import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, entered, got, readiness } from '../support/faults-outcomes.js';
import { readLog } from '../support/supervisor/supervised.js';
import { temporaryFolder } from '../support/worker-program.js';

it('a log that is moved away while its engine still writes to it: the last line is heard, and those of the next file', async () => {
  const path = join(temporaryFolder(), 'model.log');
  const { autoscaler, worker, ask } = await startBeforeModel({
    env: { MODEL_LOG: path, TSWORKER_READINESS: 'log' },
  });
  // What is in a file that was not there at first is no more old.
  await worker.logged(({ msg }) => msg.includes('is not there yet'));
  const engine = openSync(path, 'a');
  onTestFinished(() => closeSync(engine));
  writeSync(engine, 'INFO Starting to load model m\n');
  await worker.logged(({ msg }) => msg.includes('Starting to load model m'));
  renameSync(path, `${path}.1`);
  writeSync(engine, 'INFO:     Application startup complete.\n');
  appendFileSync(path, 'INFO GPU KV cache size: 1\n');
  await worker.reaches('serving');
  await worker.logged(({ msg }) => msg.includes('GPU KV cache size: 1'));
  expect((await got(ask())).status).toBe(200);

  // Once it serves, what the log says decides nothing, in whichever file.
  renameSync(path, `${path}.2`);
  appendFileSync(path, 'RuntimeError: Engine core initialization failed.\n');
  await worker.logged(({ event }) => event === 'model.log.failed');
  expect(await readiness(worker)).toEqual([200, 'serving', expect.any(String)]);
  expect((await got(ask())).status).toBe(200);
  expect(entered(worker)).toEqual(['loading', 'loaded', 'serving']);
  expect(worker.log.map(({ event }) => event).filter((event) => event?.startsWith('model.log.'))).toEqual([
    ...['model.log.problem', 'model.log.info', 'model.log.loaded', 'model.log.info', 'model.log.failed'],
  ]);
  await endsWith({ worker, autoscaler }, { succeeded: 2 });
});

it('a log that the worker writes and somebody moves away: it goes on in a new file', async () => {
  const { autoscaler, worker, ask, log, pids } = await startWithEngine({ behaviour: { chatty: true } });
  await worker.reaches('serving');
  expect((await got(ask())).status).toBe(200);
  await expect.poll(() => readLog(log).some((line) => line.includes('max_tokens'))).toBe(true);
  const models = pids();
  renameSync(log, `${log}.moved`);
  expect((await got(ask({ prompt: 'after' }))).status).toBe(200);
  await expect.poll(() => existsSync(log) && readLog(log).some((line) => line.includes('after'))).toBe(true);
  expect(readLog(`${log}.moved`).filter((line) => line.includes('after'))).toEqual([]);
  expect(worker.told('supervisor.problem')).toEqual([]);
  expect(entered(worker)).toEqual(['loading', 'loaded', 'serving']);
  await endsWith({ worker, autoscaler, pids: models }, { succeeded: 2 });
});

it('a model that talks a lot: the worker puts its log aside, and never keeps more than it may', async () => {
  const { autoscaler, worker, ask, folder, behave } = await startWithEngine({
    env: { TSWORKER_MODEL_LOG_SIZE: '4KiB', TSWORKER_MODEL_LOG_KEEP: '2' },
  });
  await worker.reaches('serving');
  await behave({ chatty: true });
  for (let asked = 0; asked < 30; asked++) expect((await got(ask())).status).toBe(200);
  const sizes = () => {
    const names = readdirSync(folder).filter((name) => name.startsWith('model.log'));
    return names.map(
      (name) => [name, statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0] as const,
    );
  };
  await expect
    .poll(
      () =>
        sizes()
          .map(([name]) => name)
          .toSorted(),
      { timeout: 10_000 },
    )
    .toEqual(['model.log', 'model.log.1', 'model.log.2']);
  for (const [name, size] of sizes()) expect([name, size <= 4096]).toEqual([name, true]);
  await endsWith({ worker, autoscaler }, { succeeded: 30 });
});
