import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sumsOf } from '../conformance/scribe.js';
import { anInstance, Crowd, untilNothingIsOwed } from '../support/faults-journal.js';
import { readiness } from '../support/faults-outcomes.js';
import type { WorkerProcess } from '../support/process.js';

/** One that comes after the crash, with an index that nobody had. */
const LATE = 1_000_000;

/** What can become of the bytes of a journal; how it is told; and whether what it held is known all the same. */
const DAMAGES = [
  { what: 'something else', damage: () => 'not a journal\nat all\n', corrupt: 1, knows: 0 },
  {
    what: 'whole lines, with others behind them that are not',
    damage: (text: string) => `${text}00000000 {"takenAt":1}\n${text.split('\n')[0]}\n`,
    corrupt: 1,
    knows: 3,
  },
  {
    what: 'whole lines, and a part of one',
    damage: (text: string) => `${text}12345678 {"takenAt":1,"acc`,
    corrupt: 0,
    knows: 3,
  },
] as const;

async function stops(worker: WorkerProcess): Promise<void> {
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
}

it.each(DAMAGES)(
  'a journal that a crash has left as $what: what is whole of it is used, damage is told and put aside, and the worker serves',
  async ({ damage, corrupt, knows }) => {
    const { autoscaler, stateDir, journal, start } = await anInstance();
    const first = await start();
    const crowd = new Crowd(first);
    for (let asked = 1; asked <= 3; asked++) {
      expect(await crowd.ask()).toBe(true);
      await autoscaler.untilFinished(asked);
    }
    await autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === 3);
    await untilNothingIsOwed(journal, 3);
    first.kill('SIGKILL');
    await first.exited;
    writeFileSync(journal, damage(readFileSync(journal, 'utf8')));

    const second = await start();
    expect(second.told('journal.corrupt').map(({ level }) => level)).toEqual(Array(corrupt).fill(40));
    expect(await readiness(second)).toEqual([200, 'serving', expect.any(String)]);
    expect(await new Crowd(second, LATE).ask()).toBe(true);
    await stops(second);
    expect(autoscaler.statuses.at(-1)?.num_requests_recieved).toBe(knows + 1);
    // What was acknowledged before is not told again, whatever is known of it.
    expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: 4, rej_load: 0, cur_perf: 4 });
    expect(autoscaler.finished.map(({ request_idx }) => request_idx)).toEqual([1, 2, 3, LATE]);
    const aside = Array(corrupt).fill(expect.stringMatching(/^journal-7-\d+\.corrupt-/));
    expect(readdirSync(stateDir).toSorted()).toEqual([expect.stringMatching(/^journal-7-\d+$/), ...aside]);
  },
);

it('a folder where the journal should be: told as one that can not be read, and once as one that can not be written', async () => {
  const { autoscaler, journal, start } = await anInstance();
  mkdirSync(journal, { recursive: true });
  const worker = await start();
  expect(worker.told('journal.unreadable').map(({ level }) => level)).toEqual([40]);
  expect(await new Crowd(worker).ask()).toBe(true);
  await stops(worker);
  expect(worker.told('journal.unwritable').map(({ level }) => level)).toEqual([50]);
  expect(sumsOf(autoscaler.statuses).new_load).toBe(1);
});
