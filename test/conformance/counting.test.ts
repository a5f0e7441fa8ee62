import { describe, expect, it } from 'vitest';
import { post } from '../support/client.js';
import { next, untilState } from '../support/worker.js';
import { type Rig, type RigOptions, startRig } from './rig.js';
import { type Finished, sumsOf } from './scribe.js';

/** What a row of the table says of one event, from the beginning of the worker to the end of the test. */
interface Row {
  readonly new_load?: number;
  readonly rej_load?: number;
  readonly cur_perf?: number;
  readonly cur_load?: number;
  readonly num_requests_working?: number;
  readonly working_request_idxs?: readonly number[];
  readonly num_requests_recieved?: number;
  /** `delete_requests`: what has become of whom. */
  readonly finished?: readonly (readonly [requestIdx: number, status: Finished['status']])[];
}

const NOTHING = {
  new_load: 0,
  rej_load: 0,
  cur_perf: 0,
  cur_load: 0,
  num_requests_working: 0,
  working_request_idxs: [],
  num_requests_recieved: 0,
  finished: [],
};

/** Everything that the autoscaler was told up to now counts as the row says, and nothing else does. */
async function expectRow({ autoscaler }: Rig, row: Row): Promise<void> {
  const finished = row.finished ?? [];
  for (const [requestIdx] of finished) await autoscaler.untilFinished(requestIdx);
  const { cur_load, num_requests_working, working_request_idxs, num_requests_recieved } =
    await autoscaler.nextStatus();
  expect({
    ...sumsOf(autoscaler.statuses),
    cur_load,
    num_requests_working,
    working_request_idxs,
    num_requests_recieved,
    finished: autoscaler.finished.map(({ request_idx, status }) => [request_idx, status]),
  }).toEqual({ ...NOTHING, ...row });
}

/** From now on no status is delivered, so that what happens is told in one. */
function refuseStatuses({ autoscaler }: Rig): void {
  autoscaler.misdeed = ({ path }) => (path === '/worker_status/' ? 503 : undefined);
}

const PAUSED: RigOptions = { model: { behaviour: { pauseAfterTokens: 0 } } };

describe('a request that starts, with a valid signature', () => {
  it('adds its workload to new_load, is in what is in the worker, and is one more received', async () => {
    const rig = await startRig(PAUSED);
    rig.open('/v1/completions', { max_tokens: 7 }, { auth: { request_idx: 5 } });
    await rig.model.untilRequest();
    await expectRow(rig, {
      new_load: 7,
      cur_load: 7,
      num_requests_working: 1,
      working_request_idxs: [5],
      num_requests_recieved: 1,
    });
  });

  it('is in the expected wait', async () => {
    const rig = await startRig(PAUSED);
    rig.open('/v1/completions', { max_tokens: 101 });
    await rig.model.untilRequest();
    expect(await rig.ask('/impatient', { max_tokens: 1 })).toMatchObject({ status: 429 });
  });

  it('is itself, and not its number: two with one request_idx and one reqnum are two', async () => {
    const rig = await startRig({ ...PAUSED, env: { TSWORKER_REPORT_MAX_BACKOFF: '50ms' } });
    refuseStatuses(rig);
    const auth = { request_idx: 5, reqnum: 9 };
    rig.open('/v1/completions', { max_tokens: 7 }, { auth });
    const second = rig.open('/v1/completions', { max_tokens: 20 }, { auth });
    await rig.model.untilRequest(2);
    second.leave();
    await rig.autoscaler.untilFinished(5);
    rig.autoscaler.misdeed = () => undefined;
    await expectRow(rig, {
      new_load: 7,
      cur_load: 7,
      num_requests_working: 1,
      working_request_idxs: [5],
      num_requests_recieved: 2,
      finished: [[5, 'Cancelled']],
    });
  });
});

it('a request that succeeds leaves, adds its workload to cur_perf, and is told as Success', async () => {
  const rig = await startRig();
  expect((await rig.ask('/v1/completions', { max_tokens: 7 }, { auth: { request_idx: 5 } })).status).toBe(
    200,
  );
  await expectRow(rig, { new_load: 7, cur_perf: 7, num_requests_recieved: 1, finished: [[5, 'Success']] });
});

describe('a request that errors leaves, adds nothing to cur_perf, and is told as Error', () => {
  it.each([400, 404, 422, 429, 500, 503])('where the model answers %i', async (status) => {
    const rig = await startRig({ model: { behaviour: { status } } });
    const answer = await rig.ask('/v1/completions', { max_tokens: 7 }, { auth: { request_idx: 5 } });
    expect(answer.status).toBe(status);
    await expectRow(rig, { new_load: 7, num_requests_recieved: 1, finished: [[5, 'Error']] });
  });

  it('where the model takes too long', async () => {
    const rig = await startRig({
      ...PAUSED,
      backend: { routes: { '/v1/completions': { workload: 7, timeouts: { total: '50ms' } } } },
    });
    expect((await rig.ask('/v1/completions', {}, { auth: { request_idx: 5 } })).status).toBe(504);
    await expectRow(rig, { new_load: 7, num_requests_recieved: 1, finished: [[5, 'Error']] });
  });

  it.each([0, 3])('where the model is lost after %i tokens', async (crashAfterTokens) => {
    const rig = await startRig({ model: { behaviour: { crashAfterTokens } } });
    const body = { max_tokens: 7, stream: true };
    await rig.ask('/v1/completions', body, { auth: { request_idx: 5 } }).catch(() => {});
    await expectRow(rig, { new_load: 7, num_requests_recieved: 1, finished: [[5, 'Error']] });
  });
});

describe('a client that leaves', () => {
  it('takes its workload back from new_load, and is told as Cancelled', async () => {
    const rig = await startRig({ ...PAUSED, env: { TSWORKER_REPORT_MAX_BACKOFF: '50ms' } });
    refuseStatuses(rig);
    const client = rig.open('/v1/completions', { max_tokens: 7 }, { auth: { request_idx: 5 } });
    await rig.model.untilRequest();
    client.leave();
    await rig.autoscaler.untilFinished(5);
    rig.autoscaler.misdeed = () => undefined;
    await expectRow(rig, { num_requests_recieved: 1, finished: [[5, 'Cancelled']] });
  });

  it('after its start was reported leaves a deficit, which later work absorbs: no status is below 0', async () => {
    const rig = await startRig(PAUSED);
    const client = rig.open('/v1/completions', { max_tokens: 7 }, { auth: { request_idx: 5 } });
    await rig.autoscaler.untilStatus(({ new_load }) => new_load === 7);
    client.leave();
    await rig.autoscaler.untilFinished(5);
    const before = (await rig.autoscaler.nextStatus()).num_requests_recieved;
    rig.model.behave({ pauseAfterTokens: undefined });
    await rig.ask('/v1/completions', { max_tokens: 10 }, { auth: { request_idx: 6 } });
    await expectRow(rig, {
      new_load: 10,
      cur_perf: 10,
      num_requests_recieved: before + 1,
      finished: [
        [5, 'Cancelled'],
        [6, 'Success'],
      ],
    });
  });

  it('while it waits for its turn is told as Cancelled too, and the model never hears of it', async () => {
    const rig = await startRig({ ...PAUSED, env: { TSWORKER_REPORT_MAX_BACKOFF: '50ms' } });
    rig.open('/serial/one', { max_tokens: 7 }, { auth: { request_idx: 5 } });
    await rig.model.untilRequest();
    refuseStatuses(rig);
    const client = rig.open('/serial/two', { max_tokens: 20 }, { auth: { request_idx: 6 } });
    await next(
      rig.worker,
      'request',
      ({ type, requestIdx }) => type === 'request.started' && requestIdx === 6,
    );
    client.leave();
    await rig.autoscaler.untilFinished(6);
    rig.autoscaler.misdeed = () => undefined;
    await expectRow(rig, {
      new_load: 7,
      cur_load: 7,
      num_requests_working: 1,
      working_request_idxs: [5],
      num_requests_recieved: 2,
      finished: [[6, 'Cancelled']],
    });
    expect(rig.model.requests).toHaveLength(1);
  });
});

describe('a request refused after a valid signature adds its workload to rej_load, is received, and told as Rejected', () => {
  it('with 429, where the expected wait is too long', async () => {
    const rig = await startRig(PAUSED);
    rig.open('/v1/completions', { max_tokens: 101 }, { auth: { request_idx: 5 } });
    await rig.model.untilRequest();
    const { status, headers } = await rig.ask('/impatient', { max_tokens: 9 }, { auth: { request_idx: 6 } });
    expect([status, headers['retry-after']]).toEqual([429, '1']);
    await expectRow(rig, {
      new_load: 101,
      rej_load: 9,
      cur_load: 101,
      num_requests_working: 1,
      working_request_idxs: [5],
      num_requests_recieved: 2,
      finished: [[6, 'Rejected']],
    });
  });

  it('with 429, where it has waited too long: what it added to new_load it takes back', async () => {
    const rig = await startRig(PAUSED);
    rig.open('/serial/one', { max_tokens: 7 }, { auth: { request_idx: 5 } });
    await rig.model.untilRequest();
    const { status, headers } = await rig.ask('/impatient', { max_tokens: 9 }, { auth: { request_idx: 6 } });
    expect([status, headers['retry-after']]).toEqual([429, expect.any(String)]);
    await rig.autoscaler.untilFinished(6);
    const { rej_load } = sumsOf((await rig.autoscaler.nextStatus()) ? rig.autoscaler.statuses : []);
    expect(rej_load).toBe(9);
    expect(rig.worker.view().ledger.totals).toMatchObject({ load: 7, rejected: 9, requests: 2 });
    expect(rig.autoscaler.finished).toMatchObject([{ request_idx: 6, status: 'Rejected', success: false }]);
  });

  it('with 503, where the worker does not accept', async () => {
    const rig = await startRig({
      loading: true,
      model: { behaviour: { healthStatus: 503 } },
    });
    await rig.autoscaler.until(() => rig.worker.view().key === 'held' && true);
    const { status, headers } = await rig.ask(
      '/v1/completions',
      { max_tokens: 9 },
      { auth: { request_idx: 6 } },
    );
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    await expectRow(rig, { rej_load: 9, num_requests_recieved: 1, finished: [[6, 'Rejected']] });
    expect(rig.model.requests).toEqual([]);
  });

  it('with 503, where the worker drains', async () => {
    const rig = await startRig({ ...PAUSED, env: { TSWORKER_DRAIN_TIMEOUT: '10s' } });
    rig.open('/v1/completions', { max_tokens: 7 }, { auth: { request_idx: 5 } });
    await rig.model.untilRequest();
    const stopped = rig.worker.stop('the test says so');
    const { status, headers } = await rig.ask(
      '/v1/completions',
      { max_tokens: 9 },
      { auth: { request_idx: 6 } },
    );
    expect([status, headers.connection]).toEqual([503, 'close']);
    rig.model.behave({ pauseAfterTokens: undefined });
    expect(await stopped).toBe('clean');
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 7, rej_load: 9, cur_perf: 7 });
    expect(rig.autoscaler.statuses.at(-1)).toMatchObject({ num_requests_recieved: 2, cur_load: 0 });
    expect(rig.autoscaler.finished.map(({ request_idx, status: told }) => [request_idx, told])).toEqual([
      [6, 'Rejected'],
      [5, 'Success'],
    ]);
  });
});

describe('a request refused for what it is counts nowhere', () => {
  it.each<[number, (rig: Rig) => Promise<unknown>]>([
    [401, (rig) => rig.ask('/v1/completions', {}, { auth: { signature: 'AAAA' } })],
    [410, (rig) => rig.ask('/v1/completions', {}, { session: 'no-such-session' })],
    [413, (rig) => rig.ask('/v1/completions', { prompt: 'x'.repeat(5_000) })],
    [415, (rig) => rig.ask('/v1/completions', {}, { headers: { 'content-type': 'text/plain' } })],
    [422, (rig) => post(rig.port, '/v1/completions', { payload: {} })],
  ])('with %i', async (status, ask) => {
    const rig = await startRig({ env: { TSWORKER_BODY_LIMIT: '4KiB' } });
    expect(await ask(rig)).toMatchObject({ status });
    await expectRow(rig, {});
    expect([rig.requests, rig.autoscaler.finished]).toEqual([[], []]);
  });
});

describe('a session', () => {
  it('that starts adds its cost to new_load, is in what is in the worker, and is one more received', async () => {
    const rig = await startRig();
    await rig.hold({}, { cost: 40, request_idx: 5 });
    await expectRow(rig, {
      new_load: 40,
      cur_load: 40,
      num_requests_working: 1,
      working_request_idxs: [5],
      num_requests_recieved: 1,
    });
  });

  it('is not in the expected wait', async () => {
    const rig = await startRig();
    await rig.hold({}, { cost: 1_000_000 });
    expect((await rig.ask('/impatient', { max_tokens: 1 })).status).toBe(200);
  });

  it('that ends leaves, adds its cost to cur_perf, and is told as Success, once', async () => {
    const rig = await startRig();
    const { id, auth } = await rig.hold({}, { cost: 40, request_idx: 5 });
    await post(rig.port, '/session/end', { session_id: id, session_auth: auth });
    await expectRow(rig, {
      new_load: 40,
      cur_perf: 40,
      num_requests_recieved: 1,
      finished: [[5, 'Success']],
    });
  });

  it('that expires likewise', async () => {
    const rig = await startRig();
    await rig.hold({ lifetime: 0.01 }, { cost: 40, request_idx: 5 });
    await expectRow(rig, {
      new_load: 40,
      cur_perf: 40,
      num_requests_recieved: 1,
      finished: [[5, 'Success']],
    });
  });

  it('has requests that add to new_load, cur_load and cur_perf, and are neither received nor told', async () => {
    const rig = await startRig(PAUSED);
    const { id } = await rig.hold({}, { cost: 40, request_idx: 5 });
    const client = rig.open('/v1/completions', { max_tokens: 7 }, { session: id, auth: { request_idx: 6 } });
    await rig.model.untilRequest();
    await expectRow(rig, {
      new_load: 47,
      cur_load: 47,
      num_requests_working: 2,
      working_request_idxs: [5],
      num_requests_recieved: 1,
    });
    rig.model.behave({ pauseAfterTokens: undefined });
    (await client.response).resume();
    await rig.autoscaler.untilStatus(({ cur_perf }) => cur_perf === 7);
    await expectRow(rig, {
      new_load: 47,
      cur_load: 40,
      cur_perf: 7,
      num_requests_working: 1,
      working_request_idxs: [5],
      num_requests_recieved: 1,
    });
  });

  it('that is refused counts as a request that is refused', async () => {
    const rig = await startRig({ env: { TSWORKER_MAX_SESSIONS: '1' } });
    await rig.hold({}, { cost: 40, request_idx: 5 });
    const refused = { auth_data: rig.authFor({ cost: 9, request_idx: 6 }), payload: {} };
    expect((await post(rig.port, '/session/create', refused)).status).toBe(429);
    await expectRow(rig, {
      new_load: 40,
      rej_load: 9,
      cur_load: 40,
      num_requests_working: 1,
      working_request_idxs: [5],
      num_requests_recieved: 2,
      finished: [[6, 'Rejected']],
    });
  });
});

it('a request without a signature to check counts like any other where the door is open', async () => {
  const rig = await startRig({ env: { UNSECURED: 'true' } });
  await untilState(rig.worker, 'serving');
  const body = { auth_data: { request_idx: 5, url: rig.url }, payload: { max_tokens: 7 } };
  expect((await post(rig.port, '/v1/completions', body)).status).toBe(200);
  await expectRow(rig, { new_load: 7, cur_perf: 7, num_requests_recieved: 1, finished: [[5, 'Success']] });
});
