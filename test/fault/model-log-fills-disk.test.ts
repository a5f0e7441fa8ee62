import { statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { endsWith, entered, got, readiness } from '../support/faults-outcomes.js';
import { canMount, smallDisk } from '../support/small-disk.js';
import { readLog } from '../support/supervisor/supervised.js';

const MISSING = /^\[tsworker: \d+ lines are missing here\]$/;

it.skipIf(!canMount)(
  'a model whose log fills the disk: that is told once, the model is still heard and serves, and the log goes on when there is space',
  async () => {
    const disk = smallDisk(64);
    const log = join(disk.path, 'model.log');
    const { autoscaler, worker, ask, behave, pids } = await startWithEngine({
      env: { MODEL_LOG: log, TSWORKER_READINESS: 'both' },
    });
    await worker.reaches('serving');
    const models = pids();
    await behave({ chatty: true });
    let asked = 0;
    const told = () => worker.told('supervisor.problem');
    for (; told().length === 0; asked++) expect((await got(ask())).status).toBe(200);
    expect(told()).toMatchObject([{ level: 40, problem: expect.stringMatching(/ENOSPC/) }]);
    const size = statSync(log).size;
    for (let more = 0; more < 20; more++, asked++) expect((await got(ask())).status).toBe(200);
    expect(statSync(log).size).toBe(size);
    expect(await readiness(worker)).toEqual([200, 'serving', expect.any(String)]);
    // The model may die and come back meanwhile.
    await behave({ crashAfterTokens: 0 });
    expect((await got(ask())).status).toBeGreaterThanOrEqual(500);
    const failing = await worker.reaches('failing');
    expect(failing.reason).toBe('the model server has died (1 of 5): exit code 1');
    await worker.reaches('serving', failing);
    truncateSync(log);
    await behave({ chatty: true });
    const goesOn = async () => {
      asked++;
      expect((await got(ask())).status).toBe(200);
      return readLog(log).some((line) => MISSING.test(line));
    };
    await expect.poll(goesOn, { timeout: 20_000, interval: 200 }).toBe(true);
    expect(told()).toHaveLength(1);
    expect(entered(worker)).toEqual([
      ...['loading', 'loaded', 'serving', 'failing'],
      ...['loading', 'loaded', 'serving'],
    ]);
    await endsWith({ worker, autoscaler, pids: models }, { succeeded: asked, errored: 1 });
  },
);

it('a log that goes to where nothing can be written: that is told once, and the model is heard and serves', async () => {
  const { autoscaler, worker, ask, behave } = await startWithEngine({
    env: { MODEL_LOG: '/dev/full', TSWORKER_READINESS: 'both' },
  });
  await worker.reaches('serving');
  await behave({ chatty: true });
  for (let asked = 0; asked < 5; asked++) expect((await got(ask())).status).toBe(200);
  expect(worker.told('supervisor.problem')).toMatchObject([
    { level: 40, problem: expect.stringMatching(/^\/dev\/full can't be written: ENOSPC/) },
  ]);
  expect(entered(worker)).toEqual(['loading', 'loaded', 'serving']);
  await endsWith({ worker, autoscaler }, { succeeded: 5 });
});
