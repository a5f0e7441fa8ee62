import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { send } from '../support/client.js';
import { untilState } from '../support/worker.js';
import { backendFor, type Rig, ROUTES, rigAround, startModel, startRig } from './rig.js';
import { Scribe } from './scribe.js';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tsworker-ready-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const LOGS = {
  loaded: ['startup complete'],
  failed: [{ prefix: 'FATAL:' }, /^Traceback/],
  info: ['progress'],
};

/** A worker that waits for a line in a log of the test's own. */
async function waitingForLog(
  readiness: 'log' | 'both' = 'log',
  path = join(folder(), 'model.log'),
  env = {},
) {
  const [autoscaler, model] = [await Scribe.start(), await startModel()];
  const backend = backendFor(model, {
    model: { url: model.url, health: '/health', log: path, logs: LOGS, readiness },
  });
  const rig = await rigAround(autoscaler, model, backend, env, true);
  // What is written from here on is new to it.
  if (!existsSync(path)) await untilLogged(rig.log, 'is not there yet');
  return { ...rig, path };
}

describe('1. it starts to listen, fetches the public key, and starts to report', () => {
  it('until it is loaded a signed request is refused with 503 and the reason, and not forwarded', async () => {
    const rig = await startRig({ loading: true, model: { loadTimeMs: 3_600_000 } });
    await rig.autoscaler.until(() => rig.autoscaler.statuses.length > 0 && rig.worker.view().key === 'held');
    expect(await rig.ask('/v1/completions', {})).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { error: 'not_accepting', message: expect.stringContaining('loading') },
    });
    expect(rig.autoscaler.statuses.every(({ loadtime, max_perf }) => loadtime + max_perf === 0)).toBe(true);
    expect(rig.model.requests).toEqual([]);
  });
});

describe('2. the log of the model tells the way to readiness', () => {
  it('a line with an on_load text means that the model server is up; the file may come later', async () => {
    const { worker, path } = await waitingForLog();
    expect(worker.view().state).toBe('loading');
    writeFileSync(path, 'INFO: startup complete\n');
    await untilState(worker, 'serving');
  });

  it('an on_error text means that it has failed, with the line as the reason', async () => {
    const { worker, path, autoscaler } = await waitingForLog();
    writeFileSync(path, 'FATAL: no such model\n');
    await untilState(worker, 'failing');
    expect((await autoscaler.untilStatus(({ error_msg }) => error_msg !== '')).error_msg).toContain(
      'FATAL: no such model',
    );
    await autoscaler.nextStatus();
    expect(worker.view().state).toBe('failing');
  });

  it('and is loaded after all when a later line says so', async () => {
    const env = { TSWORKER_HEALTH_INTERVAL: '20ms' };
    const { worker, path, states } = await waitingForLog('log', undefined, env);
    writeFileSync(path, 'FATAL: no such model\n');
    await untilState(worker, 'failing');
    appendFileSync(path, 'INFO: startup complete\n');
    await untilState(worker, 'serving');
    expect(states.map(({ state }) => state)).toEqual(['loading', 'failing', 'loading', 'loaded', 'serving']);
  });

  it('where the later line is there already, it has never failed', async () => {
    const path = join(folder(), 'model.log');
    writeFileSync(path, 'FATAL: of an earlier run\nINFO: startup complete\n');
    const { worker, states } = await waitingForLog('log', path);
    await untilState(worker, 'serving');
    expect(states.map(({ state }) => state)).toEqual(['loading', 'loaded', 'serving']);
  });

  it("an on_info text is passed on to the worker's log", async () => {
    const { worker, path, log } = await waitingForLog();
    writeFileSync(path, 'progress: 10 %\nnothing of note\nINFO: startup complete\n');
    await untilState(worker, 'serving');
    expect(log.text).toContain('progress: 10 %');
    expect(log.text).not.toContain('nothing of note');
  });

  it('the file may be rotated (a new inode)', async () => {
    const { worker, path, log } = await waitingForLog();
    writeFileSync(path, 'progress: one\n');
    await untilLogged(log, 'progress: one');
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'INFO: startup complete\n');
    await untilState(worker, 'serving');
  });

  it('the file may be truncated', async () => {
    const { worker, path, log } = await waitingForLog();
    writeFileSync(path, 'progress: one, in a line that is longer than all that follows\n');
    await untilLogged(log, 'progress: one');
    truncateSync(path);
    appendFileSync(path, 'startup complete\n');
    await untilState(worker, 'serving');
  });
});

async function untilLogged(log: Rig['log'], text: string): Promise<void> {
  while (!log.text.includes(text)) await new Promise((resolve) => setImmediate(resolve));
}

describe('3. on load it runs the benchmark', () => {
  const DATASET = [{ max_tokens: 4 }, { max_tokens: 6 }];

  async function benchmarked(options: {
    file?: string;
    serial?: boolean;
    status?: number;
    loading?: boolean;
    timeout?: string;
    model?: Awaited<ReturnType<typeof startModel>>;
  }) {
    const { file = join(folder(), 'benchmarks.json'), status } = options;
    const model = options.model ?? (await startModel({ behaviour: status === undefined ? {} : { status } }));
    const backend = backendFor(model, {
      maxPerf: 0,
      routes: {
        ...ROUTES,
        '/v1/completions': {
          parallel: options.serial !== true,
          workload: (body: unknown) => (body as { max_tokens: number }).max_tokens,
          benchmark: { dataset: DATASET, runs: 3, concurrency: 4, timeout: options.timeout ?? '1m' },
        },
      },
    });
    const env = { TSWORKER_BENCHMARK_FILE: file };
    const rig = await rigAround(await Scribe.start(), model, backend, env, options.loading);
    return { ...rig, file };
  }

  it('one warm-up request, then runs of so many at once; max_perf is the best round', async () => {
    const rig = await benchmarked({});
    expect(rig.model.requests).toHaveLength(1 + 3 * 4);
    expect(rig.model.maxInFlight).toBeLessThanOrEqual(4);
    const rounds = rig.log.about('benchmark.round').map(({ fields }) => Number(fields.perf));
    expect(rounds).toHaveLength(3);
    const { max_perf } = await rig.autoscaler.untilStatus(({ loadtime }) => loadtime > 0);
    expect(max_perf).toBe(Math.max(...rounds));
    expect(rig.requests).toEqual([]);
  });

  it('one at a time where the route is serial', async () => {
    const rig = await benchmarked({ serial: true });
    expect([rig.model.requests.length, rig.model.maxInFlight]).toEqual([1 + 3, 1]);
  });

  it('no success: failed, with the reason, and not loaded with a max_perf of 0', async () => {
    const rig = await benchmarked({ status: 500, loading: true, timeout: '1500ms' });
    const { error_msg, loadtime } = await rig.autoscaler.untilStatus((status) => status.error_msg !== '');
    expect([error_msg, loadtime]).toEqual([expect.stringContaining('500'), 0]);
    expect(rig.worker.view().state).toBe('failing');
  });

  it('the result is kept in a file, and not measured again after a restart', async () => {
    const first = await benchmarked({});
    await first.worker.stop('it starts again');
    const measured = first.model.requests.length;
    const second = await benchmarked({ file: first.file, model: first.model });
    expect(second.model.requests).toHaveLength(measured);
    expect(second.worker.view().maxPerf).toBe(first.worker.view().maxPerf);
  });

  it.each(['', '{', '[]'])(
    'a file that can not be read is measured again and written anew: %j',
    async (text) => {
      const file = join(folder(), 'benchmarks.json');
      writeFileSync(file, text);
      const rig = await benchmarked({ file });
      expect(rig.model.requests).toHaveLength(13);
      expect(existsSync(file) && readFileSync(file, 'utf8')).toContain(String(rig.worker.view().maxPerf));
    },
  );

  it('is not needed where TSWORKER_MAX_PERF says it', async () => {
    const rig = await startRig({ env: { TSWORKER_MAX_PERF: '77' } });
    expect([rig.worker.view().maxPerf, rig.model.requests]).toEqual([77, []]);
  });
});

describe('4. it waits for the first 200 of the health route, and for the public key', () => {
  it('health', async () => {
    const rig = await startRig({ loading: true, model: { behaviour: { healthStatus: 503 } } });
    await rig.model.untilHealthCheck();
    expect(rig.worker.view().state).toBe('loading');
    rig.model.behave({ healthStatus: undefined });
    await untilState(rig.worker, 'serving');
  });

  it('the key', async () => {
    const [autoscaler, model] = [await Scribe.start(), await startModel()];
    autoscaler.misdeed = ({ path }) => (path === '/pubkey/' ? 'hang' : undefined);
    const env = { TSWORKER_REPORT_TIMEOUT: '100ms' };
    const { worker } = await rigAround(autoscaler, model, backendFor(model), env, true);
    await model.untilHealthCheck();
    await autoscaler.nextStatus();
    expect(worker.view()).toMatchObject({ state: 'loading', reason: expect.stringContaining('key') });
    autoscaler.misdeed = () => undefined;
    await untilState(worker, 'serving');
  });

  it('the log and health both, where the backend has both', async () => {
    const { worker, path, model } = await waitingForLog('both');
    model.behave({ healthStatus: 503 });
    writeFileSync(path, 'INFO: startup complete\n');
    await model.untilHealthCheck();
    expect(worker.view().state).toBe('loading');
    model.behave({ healthStatus: undefined });
    await untilState(worker, 'serving');
  });
});

describe('5. it reports loaded', () => {
  it('the next status carries loadtime and max_perf, and requests are taken', async () => {
    const rig = await startRig({ env: { TSWORKER_REPORT_INTERVAL: '1h' } });
    const { loadtime, max_perf } = await rig.autoscaler.untilStatus((status) => status.loadtime > 0);
    expect([loadtime, max_perf]).toEqual([rig.worker.view().loadTimeSeconds, 1_000]);
    expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
  });
});

describe('6. from then on the health route is asked at every interval', () => {
  const OFTEN = { TSWORKER_HEALTH_INTERVAL: '20ms', TSWORKER_HEALTH_TIMEOUT: '200ms' };

  it('again and again', async () => {
    const rig = await startRig({ env: OFTEN });
    await rig.model.untilHealthCheck(5);
    expect(rig.worker.view().state).toBe('serving');
  });

  it('a failure reports the worker failed, with the reason; its recovery leads back to serving', async () => {
    const rig = await startRig({ env: OFTEN });
    rig.model.behave({ healthStatus: 500 });
    const { error_msg } = await rig.autoscaler.untilStatus((status) => status.error_msg !== '');
    expect(error_msg).toContain('500');
    expect((await rig.ask('/v1/completions', {})).status).toBe(503);
    rig.model.behave({ healthStatus: undefined });
    await untilState(rig.worker, 'serving');
    expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
    await rig.autoscaler.nextStatus();
    expect(rig.autoscaler.statuses.at(-1)?.error_msg).toBe('');
  });

  it('its answers count nowhere', async () => {
    const rig = await startRig({ env: OFTEN });
    await rig.model.untilHealthCheck(3);
    expect((await send(rig.internalPort, '/status')).body).toMatchObject({
      ledger: { totals: { requests: 0 } },
    });
  });
});
