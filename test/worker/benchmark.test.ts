import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type BackendContext, defineBackend } from '../../src/backend/index.js';
import { serveModel } from '../support/model-server.js';
import { startWorker, untilState } from '../support/worker.js';

const WARMUP = 1;
const ATTEMPT = WARMUP + 2 * 3;

/** A worker whose model answers 500 to its first requests; `host` is what its backend can tell it. */
async function stand({ failing, timeout }: { failing: number; timeout: number | string }) {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-benchmark-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const model = await serveModel((_request, response) => {
    response.writeHead(model.requests.length > failing ? 200 : 500).end('CUDA error');
  });
  const host: { context?: Pick<BackendContext, 'recovered'> } = {};
  const backend = defineBackend({
    name: 'measured',
    dialect: 'none',
    model: { url: model.url },
    init: (context) => {
      host.context = context;
    },
    routes: {
      '/run': {
        parallel: true,
        workload: 10,
        benchmark: { dataset: ['a'], runs: 2, concurrency: 3, warmup: WARMUP, timeout },
      },
    },
  });
  const running = await startWorker(backend, { TSWORKER_BENCHMARK_FILE: join(folder, 'benchmarks.json') });
  return { ...running, model, host };
}

const REASON = 'no request of the benchmark succeeded: it answered with status 500: CUDA error';

it('a model that answers errors at first is measured again after a pause, and then served', async () => {
  const { worker, model, log, states } = await stand({ failing: ATTEMPT, timeout: '1m' });
  await untilState(worker, 'serving');
  expect(model.requests).toEqual(Array(2 * ATTEMPT).fill('POST /run'));
  expect(states.map(({ state }) => state)).not.toContain('failing');
  expect(worker.view().maxPerf).toBe(
    Math.max(...log.about('benchmark.round').map(({ fields }) => Number(fields.perf))),
  );
  expect(log.about('benchmark.failed')).toEqual([
    {
      level: 'warn',
      message: `the benchmark is tried again in 2 s: ${REASON}`,
      fields: { event: 'benchmark.failed', reason: REASON, retryMs: 2_000 },
    },
  ]);
});

it('a model that answers nothing but errors fails the load when the time is over; a load anew measures again', async () => {
  const { worker, model, host } = await stand({ failing: ATTEMPT, timeout: 1_500 });
  await untilState(worker, 'failing');
  const { reason, maxPerf } = worker.view();
  expect([reason, maxPerf]).toEqual([`${REASON} (measured once in 1.5 s)`, 0]);
  expect(model.requests).toHaveLength(ATTEMPT);
  host.context?.recovered();
  await untilState(worker, 'serving');
  expect(model.requests).toHaveLength(2 * ATTEMPT);
  expect(worker.view().maxPerf).toBeGreaterThan(0);
});
