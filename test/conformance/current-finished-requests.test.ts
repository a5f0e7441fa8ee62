import { describe, expect, it } from 'vitest';
import { addressesForCompletions } from '../../src/dialects/current/completions.js';
import { post } from '../support/client.js';
import { nobody } from '../support/model-server.js';
import { next } from '../support/worker.js';
import { backendFor, rigAround, startModel, startRig } from './rig.js';
import { Scribe } from './scribe.js';

const isFinished = ({ path }: { path: string }) => path === '/delete_requests/';
const PAUSED = { behaviour: { pauseAfterTokens: 0 } };

describe('POST {REPORT_ADDR}/delete_requests/', () => {
  it('tells each request that has ended, with its times in Unix seconds', async () => {
    const rig = await startRig();
    const before = Date.now() / 1000;
    await rig.ask('/v1/completions', { max_tokens: 1 }, { auth: { request_idx: 1001 } });
    const told = await rig.autoscaler.untilFinished(1001);
    const after = Date.now() / 1000;
    expect(rig.autoscaler.bodiesAt('/delete_requests/')).toEqual([
      {
        worker_id: 7,
        mtoken: 'the-master-token',
        requests: [
          {
            request_idx: 1001,
            success: true,
            status: 'Success',
            entered_queue_at: expect.any(Number),
            work_started_at: expect.any(Number),
            work_completed_at: expect.any(Number),
          },
        ],
      },
    ]);
    const times = [before - 0.01, told.entered_queue_at, told.work_started_at, told.work_completed_at, after];
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  it('Error is no success, and has its times', async () => {
    const rig = await startRig({ model: { behaviour: { status: 500 } } });
    await rig.ask('/v1/completions', {}, { auth: { request_idx: 1 } });
    const told = await rig.autoscaler.untilFinished(1);
    expect(told).toMatchObject({ success: false, status: 'Error' });
    expect(Math.min(told.work_started_at, told.work_completed_at)).toBeGreaterThan(0);
  });

  it('Cancelled is a success; work_completed_at is 0', async () => {
    const rig = await startRig({ model: PAUSED });
    const client = rig.open('/v1/completions', {}, { auth: { request_idx: 1 } });
    await rig.model.untilRequest();
    client.leave();
    const told = await rig.autoscaler.untilFinished(1);
    expect(told).toMatchObject({ success: true, status: 'Cancelled', work_completed_at: 0 });
    expect(told.work_started_at).toBeGreaterThan(0);
  });

  it('Rejected is no success; work_started_at and work_completed_at are 0', async () => {
    const rig = await startRig({ model: PAUSED });
    rig.open('/v1/completions', { max_tokens: 101 });
    await rig.model.untilRequest();
    await rig.ask('/impatient', { max_tokens: 1 }, { auth: { request_idx: 1 } });
    expect(await rig.autoscaler.untilFinished(1)).toMatchObject({
      success: false,
      status: 'Rejected',
      work_started_at: 0,
      work_completed_at: 0,
      entered_queue_at: expect.closeTo(Date.now() / 1000, -1),
    });
  });

  it('is sent at most once a second, with all that have ended since', async () => {
    const rig = await startRig();
    const ask = (request_idx: number) =>
      rig.ask('/v1/completions', { max_tokens: 1 }, { auth: { request_idx } });
    await ask(1);
    await rig.autoscaler.untilFinished(1);
    await Promise.all([ask(2), ask(3), ask(4)]);
    await rig.autoscaler.untilFinished(4);
    const posts = rig.autoscaler.messages.filter(isFinished);
    expect(posts).toHaveLength(2);
    expect((posts[1]?.atMs ?? 0) - (posts[0]?.atMs ?? 0)).toBeGreaterThan(950);
    expect(rig.autoscaler.finished.map(({ request_idx }) => request_idx).sort()).toEqual([1, 2, 3, 4]);
  });

  it('is told again until its 2xx answer was read, and then no more', async () => {
    const rig = await startRig({ env: { TSWORKER_REPORT_MAX_BACKOFF: '20ms' } });
    let failures = 0;
    rig.autoscaler.misdeed = (message) => (isFinished(message) && failures++ < 1 ? 500 : undefined);
    const delivered = next(rig.worker, 'completions', ({ type }) => type === 'completions.delivered');
    await rig.ask('/v1/completions', { max_tokens: 1 }, { auth: { request_idx: 1 } });
    await delivered;
    expect(rig.autoscaler.bodiesAt('/delete_requests/')).toHaveLength(2);
    expect(rig.worker.view().completions).toEqual({ untold: 0, dropped: 0 });
  });

  it('one that ends while its twin of the same number is being posted is told as well', async () => {
    const rig = await startRig();
    const auth = { request_idx: 1 };
    rig.autoscaler.misdeed = (message) => (isFinished(message) ? 'hang' : undefined);
    await rig.ask('/v1/completions', { max_tokens: 1 }, { auth });
    await rig.autoscaler.until(() => rig.autoscaler.messages.find(isFinished));
    await rig.ask('/v1/completions', { max_tokens: 1 }, { auth });
    rig.autoscaler.misdeed = () => undefined;
    rig.autoscaler.releaseHeldBack();
    // The first was answered when it was released; the second is posted after it.
    await rig.autoscaler.untilFinished(1);
    const posts = rig.autoscaler.bodiesAt('/delete_requests/');
    expect(posts).toHaveLength(2);
    expect(posts).toMatchObject([
      { requests: [{ request_idx: 1, status: 'Success' }] },
      { requests: [{ request_idx: 1, status: 'Success' }] },
    ]);
  });

  it('does not list what was sent in a session; the session is listed once, when it ends', async () => {
    const rig = await startRig();
    const { id, auth } = await rig.hold({}, { request_idx: 50 });
    await rig.ask('/v1/completions', { max_tokens: 1 }, { session: id, auth: { request_idx: 51 } });
    await post(rig.port, '/session/end', { session_id: id, session_auth: auth });
    await rig.ask('/v1/completions', { max_tokens: 1 }, { auth: { request_idx: 52 } });
    await rig.autoscaler.untilFinished(52);
    expect(rig.autoscaler.finished.map(({ request_idx }) => request_idx)).toEqual([50, 52]);
  });

  it('goes to the next address of a comma list as well', async () => {
    const [autoscaler, model, dead] = [await Scribe.start(), await startModel(), await nobody()];
    const addresses = { REPORT_ADDR: `${dead.url},${autoscaler.url}` };
    const rig = await rigAround(autoscaler, model, backendFor(model), addresses);
    await rig.ask('/v1/completions', { max_tokens: 1 }, { auth: { request_idx: 1 } });
    expect(await autoscaler.untilFinished(1)).toMatchObject({ status: 'Success' });
  });

  it('is skipped for the address that is exactly https://cloud.vast.ai/api/v0', () => {
    const others = ['https://run.vast.ai', 'https://cloud.vast.ai/api/v0/'];
    expect(addressesForCompletions(['https://cloud.vast.ai/api/v0', ...others])).toEqual(others);
  });
});

it('in the older form two posts are sent, one of those that succeeded and one of the others', async () => {
  const rig = await startRig({ model: PAUSED, env: { TSWORKER_DELETE_REQUESTS_FORM: 'request_idxs' } });
  rig.autoscaler.misdeed = (message) => (isFinished(message) ? 'hang' : undefined);
  rig.open('/v1/completions', { max_tokens: 101 }, { auth: { request_idx: 1 } });
  await rig.model.untilRequest();
  await rig.ask('/impatient', { max_tokens: 1 }, { auth: { request_idx: 2 } });
  await rig.autoscaler.until(() => rig.autoscaler.messages.find(isFinished));
  const ended = next(rig.worker, 'request', ({ type }) => type === 'request.succeeded');
  rig.model.behave({ pauseAfterTokens: undefined });
  await ended;
  await rig.ask('/v1/completions', { max_tokens: 1 }, { auth: { request_idx: 3 } });
  rig.model.behave({ status: 500 });
  await rig.ask('/v1/completions', { max_tokens: 1 }, { auth: { request_idx: 4 } });
  rig.autoscaler.misdeed = () => undefined;
  rig.autoscaler.releaseHeldBack();
  const sender = { worker_id: 7, mtoken: 'the-master-token' };
  await rig.autoscaler.until(() => rig.autoscaler.messages.filter(isFinished).length === 3);
  expect(rig.autoscaler.bodiesAt('/delete_requests/')).toEqual([
    { ...sender, request_idxs: [2], success: false },
    { ...sender, request_idxs: [1, 3], success: true },
    { ...sender, request_idxs: [4], success: false },
  ]);
});
