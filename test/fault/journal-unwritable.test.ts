import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sumsOf } from '../conformance/scribe.js';
import { anInstance, Crowd, untilNothingIsOwed } from '../support/faults-journal.js';
import { readiness } from '../support/faults-outcomes.js';
import { temporaryFolder } from '../support/worker-program.js';

it('a journal that can not be written: that is told once, and the worker serves and tells', async () => {
  const taken = join(temporaryFolder(), 'a-file');
  writeFileSync(taken, '');
  const { autoscaler, start } = await anInstance(join(taken, 'state'));
  const worker = await start();
  const crowd = new Crowd(worker);
  for (let asked = 0; asked < 3; asked++) {
    expect(await crowd.ask()).toBe(true);
    await autoscaler.untilFinished(asked + 1);
  }
  expect(await readiness(worker)).toEqual([200, 'serving', expect.any(String)]);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(worker.told('journal.unwritable').map(({ level }) => level)).toEqual([50]);
  expect(worker.told('left.unreported')).toEqual([]);
  expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: 3, rej_load: 0, cur_perf: 3 });
});

it('a journal that is deleted under the worker, with its folder: all of it is written again, and the next life goes on from it', async () => {
  const { autoscaler, stateDir, journal, start } = await anInstance();
  const first = await start();
  const crowd = new Crowd(first);
  expect(await crowd.ask()).toBe(true);
  await autoscaler.untilFinished(1);
  rmSync(stateDir, { recursive: true });
  expect(await crowd.ask()).toBe(true);
  await first.logged(({ event }) => event === 'journal.unwritable');
  await first.logged(({ event }) => event === 'journal.written');
  await autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === 2);
  await untilNothingIsOwed(journal, 2);
  first.kill('SIGKILL');
  await first.exited;
  const second = await start();
  expect(await new Crowd(second, 1_000_000).ask()).toBe(true);
  second.kill('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });
  expect(autoscaler.statuses.at(-1)?.num_requests_recieved).toBe(3);
  expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: 3, rej_load: 0, cur_perf: 3 });
  expect(second.told('journal.corrupt')).toEqual([]);
});
