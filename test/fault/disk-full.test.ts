import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sumsOf } from '../conformance/scribe.js';
import { startWithEngine } from '../support/faults-engine.js';
import { anInstance, Crowd, untilNothingIsOwed } from '../support/faults-journal.js';
import { endsWith, entered, got, readiness } from '../support/faults-outcomes.js';
import { canMount, smallDisk } from '../support/small-disk.js';
import { readLog } from '../support/supervisor/supervised.js';

it.skipIf(!canMount)(
  'a disk that is full from the start: what is not kept is told once each, the model is run, measured and served, and all is kept again when there is space',
  async () => {
    const disk = smallDisk(64);
    disk.fill();
    const [log, stateDir] = [join(disk.path, 'model.log'), join(disk.path, 'state')];
    const { autoscaler, worker, ask, behave } = await startWithEngine({
      env: {
        MODEL_LOG: log,
        TSWORKER_STATE_DIR: stateDir,
        TSWORKER_BENCHMARK_FILE: join(disk.path, 'benchmarks.json'),
        TSWORKER_BENCHMARK_RUNS: '1',
        TSWORKER_MAX_PERF: '',
      },
    });
    await worker.reaches('serving');
    expect((await got(ask())).status).toBe(200);
    expect(await readiness(worker)).toEqual([200, 'serving', expect.any(String)]);
    expect(worker.told('benchmark.unsaved')).toHaveLength(1);
    const problems = worker.told('supervisor.problem').map(({ level, problem }) => [level, problem]);
    expect(problems.toSorted()).toEqual([
      [40, expect.stringMatching(/model\.log can't be written: ENOSPC/)],
      [40, expect.stringMatching(/model-7-.*\.json can't be written, so a model .*: ENOSPC/)],
    ]);
    expect((await autoscaler.untilStatus(({ loadtime }) => loadtime > 0)).max_perf).toBeGreaterThan(0);
    const { requests } = (await worker.status()).ledger.totals;
    expect(requests).toBe(1);

    disk.free();
    await behave({ chatty: true });
    const isKept = async () => {
      expect((await got(ask())).status).toBe(200);
      return [statSync(log).size > 0, readdirSync(stateDir).length > 0];
    };
    await expect.poll(isKept, { timeout: 20_000, interval: 250 }).toEqual([true, true]);
    expect(readLog(log)[0]).toMatch(/^\[tsworker: \d+ lines are missing here\]$/);
    expect(worker.told('supervisor.problem')).toHaveLength(2);
    expect(entered(worker)).toEqual(['loading', 'loaded', 'serving']);
    const { requests: succeeded } = (await worker.status()).ledger.totals;
    await endsWith({ worker, autoscaler }, { succeeded });
  },
);

it.skipIf(!canMount)(
  'a disk that fills under the worker: that the journal is not kept is told once, clients are served, and what is owed then outlives a crash again when there is space',
  async () => {
    const disk = smallDisk(64);
    const { autoscaler, journal, start } = await anInstance(join(disk.path, 'state'));
    const first = await start();
    const crowd = new Crowd(first);
    expect(await crowd.ask()).toBe(true);
    await autoscaler.untilFinished(1);
    disk.fill();
    // There is room in the last page of the file at first.
    while (first.told('journal.unwritable').length === 0) expect(await crowd.ask()).toBe(true);
    for (let asked = 0; asked < 20; asked++) expect(await crowd.ask()).toBe(true);
    expect(await readiness(first)).toEqual([200, 'serving', expect.any(String)]);
    disk.free();
    await first.logged(({ event }) => event === 'journal.written', 20_000);
    expect(first.told('journal.unwritable').map(({ level }) => level)).toEqual([50]);
    const asked = crowd.answeredAtMs.size;
    await autoscaler.until(() => autoscaler.finished.length === asked);
    await autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === asked);
    await untilNothingIsOwed(journal, asked);
    first.kill('SIGKILL');
    await first.exited;

    const second = await start();
    expect(await new Crowd(second, 1_000_000).ask()).toBe(true);
    second.kill('SIGTERM');
    expect(await second.exited).toEqual({ code: 0, signal: null });
    expect(autoscaler.statuses.at(-1)?.num_requests_recieved).toBe(asked + 1);
    expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: asked + 1, rej_load: 0, cur_perf: asked + 1 });
    expect(second.told('journal.corrupt')).toEqual([]);
  },
);
