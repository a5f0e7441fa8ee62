import { describe, expect, it } from 'vitest';
import { post, send } from '../support/client.js';
import { serve, untilState } from '../support/worker.js';
import { backendFor, memberOf, rigAround, startModel, startRig } from './rig.js';
import { Scribe } from './scribe.js';

const mtoken = 'the-master-token';
const PATHS = ['/report_loading', '/report_loaded', '/report_capacity', '/report_done', '/report_error'];

/** A body that each of them takes. */
const FITTING = { loadtime: 3, max_batch_tokens: 1, tokens_per_second: 1, error_msg: 'x' };

/** The model says nothing by itself: only a log that nobody writes would tell that it has loaded. */
const SILENT = {
  loading: true,
  env: { MODEL_LOG: '/no/such/folder/model.log', TSWORKER_READINESS: 'log' },
};

describe('the log watcher posts with mtoken in the body, on the internal port alone', () => {
  it.each(PATHS)('%s: 404 on the public port', async (path) => {
    const { port } = await startRig();
    expect((await post(port, path, { mtoken, ...FITTING })).status).toBe(404);
  });

  it.each(PATHS)('%s: 401 with a wrong mtoken, or none, whatever else is there', async (path) => {
    const { internalPort, worker } = await startRig();
    for (const body of [{ ...FITTING, mtoken: 'wrong' }, FITTING, { ...FITTING, mtoken: '' }]) {
      expect((await post(internalPort, path, body)).status).toBe(401);
    }
    expect(worker.view().state).toBe('serving');
  });

  it.each(['', 'mtoken'])('nothing is taken where MASTER_TOKEN is %j', async (token) => {
    const { internalPort } = await startRig({ env: { MASTER_TOKEN: token } });
    for (const path of PATHS) {
      expect((await post(internalPort, path, { ...FITTING, mtoken: token })).status).toBe(401);
    }
  });

  it.each(PATHS)('%s: 405 for another method, 400 for what is no JSON', async (path) => {
    const { internalPort } = await startRig();
    expect((await send(internalPort, path)).status).toBe(405);
    const headers = { 'content-type': 'application/json' };
    expect((await send(internalPort, path, { method: 'POST', headers, body: '{' })).status).toBe(400);
  });

  it.each(PATHS)('%s: 64 KiB are read, and a byte more is refused with 413', async (path) => {
    const { internalPort } = await startRig();
    const text = (bytes: number) => JSON.stringify({ ...FITTING, mtoken }).padEnd(bytes);
    const given = (bytes: number) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: text(bytes),
    });
    expect((await send(internalPort, path, given(64 * 1024))).status).toBe(200);
    expect(await send(internalPort, path, given(64 * 1024 + 1))).toMatchObject({
      status: 413,
      body: { error: 'payload_too_large' },
    });
  });

  it('a lower TSWORKER_BODY_LIMIT holds for it as well', async () => {
    const { internalPort } = await startRig({ env: { TSWORKER_BODY_LIMIT: '1KiB' } });
    const told = { mtoken, error_msg: 'x'.repeat(1024) };
    expect((await post(internalPort, '/report_error', told)).status).toBe(413);
  });

  it('is there only where there is a model server', async () => {
    const { default: helloautoscaler } = await import('../../backends/helloautoscaler.js');
    const { internalPort } = await serve(helloautoscaler);
    for (const path of PATHS) {
      expect((await post(internalPort, path, { mtoken, ...FITTING })).status).toBe(404);
    }
  });
});

describe('what it tells', () => {
  it('/report_loading: the model still loads', async () => {
    const { internalPort, worker } = await startRig(SILENT);
    expect(await post(internalPort, '/report_loading', { mtoken })).toMatchObject({
      status: 200,
      body: { ok: true },
    });
    expect(worker.view().state).toBe('loading');
  });

  it('/report_loaded {loadtime}: the model has loaded', async () => {
    const rig = await startRig(SILENT);
    expect((await post(rig.internalPort, '/report_loaded', { mtoken, loadtime: 3 })).status).toBe(200);
    await untilState(rig.worker, 'serving');
    const { loadtime } = await rig.autoscaler.untilStatus((status) => status.loadtime > 0);
    expect(loadtime).toBe(rig.worker.view().loadTimeSeconds);
  });

  it('/report_loaded may tell max_perf as well', async () => {
    const rig = await startRig(SILENT);
    await post(rig.internalPort, '/report_loaded', { mtoken, loadtime: 3, max_perf: 44 });
    await untilState(rig.worker, 'serving');
    expect(rig.worker.view().maxPerf).toBe(44);
  });

  it.each([
    {},
    { max_batch_tokens: -1 },
    { max_batch_tokens: '16000' },
    { max_batch_tokens: 1, max_batch_prefill_tokens: -1 },
    { max_batch_tokens: 1, max_capacity: null },
  ])('/report_capacity %j is refused', async (body) => {
    const { internalPort } = await startRig();
    expect((await post(internalPort, '/report_capacity', { mtoken, ...body })).status).toBe(400);
  });

  it.each([
    ['TGI', { queue_time: 0.1, inference_time: 2, time_per_token: 0.05, max_new_tokens: 40 }],
    ['ooba', { tokens_per_second: 12, tokens_generated: 60 }],
    ['Stable Diffusion', { wait_time: 1.5 }],
  ])('/report_done of %s is taken', async (_name, body) => {
    const { internalPort } = await startRig();
    expect((await post(internalPort, '/report_done', { mtoken, ...body })).status).toBe(200);
  });

  it('/report_done with a time of next to nothing for a token is no speed: the next report has a number', async () => {
    const model = await startModel();
    const rig = await rigAround(await Scribe.start(), model, backendFor(model, { dialect: 'legacy' }));
    await post(rig.internalPort, '/report_done', { mtoken, tokens_per_second: 12 });
    await post(rig.internalPort, '/report_done', { mtoken, time_per_token: Number.MIN_VALUE });
    const told = () => rig.autoscaler.bodiesAt('/worker_status/').filter((body) => isData(body));
    const count = told().length;
    await rig.autoscaler.until(() => told().length > count + 1);
    expect(told().at(-1)).toMatchObject({ curr_tokens_per_second: 12 });
  });

  it('/report_error while it loads: the load has failed, until /report_loaded says that it has loaded', async () => {
    const rig = await startRig(SILENT);
    await post(rig.internalPort, '/report_error', { mtoken, error_msg: 'out of memory' });
    await untilState(rig.worker, 'failing');
    await post(rig.internalPort, '/report_loaded', { mtoken, loadtime: 3 });
    await untilState(rig.worker, 'serving');
    expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
  });

  it('/report_error while it serves: /report_loaded leads back', async () => {
    const rig = await startRig();
    await post(rig.internalPort, '/report_error', { mtoken, error_msg: 'out of memory' });
    await untilState(rig.worker, 'failing');
    await post(rig.internalPort, '/report_loaded', { mtoken });
    await untilState(rig.worker, 'serving');
  });

  it('/report_error {error_msg}: the worker has failed, and says why', async () => {
    const rig = await startRig();
    await post(rig.internalPort, '/report_error', { mtoken, error_msg: 'out of memory' });
    const { error_msg } = await rig.autoscaler.untilStatus((status) => status.error_msg !== '');
    expect(error_msg).toBe('out of memory');
    expect((await rig.ask('/v1/completions', {})).status).toBe(503);
  });
});

function isData(body: unknown): boolean {
  return memberOf(body, 'message') === 'data update';
}
