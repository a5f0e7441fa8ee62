import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Scribe } from '../conformance/scribe.js';
import { startBeforeModel } from '../support/faults-model.js';
import { temporaryFolder } from '../support/worker-program.js';

type Started = Awaited<ReturnType<typeof startBeforeModel>>;

/** A worker that loads and will not have loaded, and when it has come so far. */
interface Case {
  readonly name: string;
  readonly start: () => Promise<Started>;
  readonly waits: (started: Started) => Promise<unknown>;
}

const isUnwell = ({ worker }: Started) => worker.logged(({ event }) => event === 'waiting');

const CASES: readonly Case[] = [
  {
    name: 'the health route is not well',
    start: () => startBeforeModel({ model: { behaviour: { healthStatus: 503 } } }),
    waits: isUnwell,
  },
  {
    name: 'the health route hangs',
    start: () => startBeforeModel({ model: { behaviour: { hang: true } } }),
    waits: isUnwell,
  },
  {
    name: 'the log of the model is not there',
    start: () =>
      startBeforeModel({
        env: { TSWORKER_READINESS: 'log', MODEL_LOG: join(temporaryFolder(), 'model.log') },
      }),
    waits: ({ worker }) => worker.logged(({ event }) => event === 'model.log.problem'),
  },
  {
    name: 'it is measured by a benchmark that hangs',
    start: () =>
      startBeforeModel({
        model: { behaviour: { pauseAfterTokens: 0 } },
        env: { TSWORKER_MAX_PERF: '', TSWORKER_BENCHMARK_FILE: join(temporaryFolder(), 'benchmarks.json') },
      }),
    waits: ({ model }) => model.untilRequest(),
  },
  {
    name: 'the autoscaler does not give its key',
    start: async () => {
      const autoscaler = await Scribe.start();
      autoscaler.misdeed = ({ path }) => (path === '/pubkey/' ? 'hang' : undefined);
      return startBeforeModel({ autoscaler });
    },
    waits: ({ autoscaler }) => autoscaler.until(() => autoscaler.bodiesAt('/pubkey/').length > 0),
  },
];

it.each(CASES)(
  'SIGTERM while $name: it ends at once, and nobody is told that it has loaded',
  async (given) => {
    const started = await given.start();
    const { autoscaler, worker } = started;
    await given.waits(started);
    await autoscaler.until(() => autoscaler.statuses.length > 0);
    expect((await worker.status()).state).toBe('loading');
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.told('state.entered').map(({ state, reason }) => `${state}: ${reason}`)).toEqual([
      'loading: the worker has started',
      'draining: SIGTERM was received',
      'stopped: everything is finished and reported',
    ]);
    const [draining, stopped] = worker.told('state.entered').slice(-2);
    // Far less than any time-out of what it waits for.
    expect(Number(stopped?.time) - Number(draining?.time)).toBeLessThan(5_000);
    expect(autoscaler.statuses.filter(({ loadtime, error_msg }) => loadtime > 0 || error_msg !== '')).toEqual(
      [],
    );
    expect(worker.log.filter(({ event }) => event?.startsWith('left.'))).toEqual([]);
  },
);
