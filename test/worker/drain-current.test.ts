import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type Rig, type RigOptions, ROUTES, startRig } from '../conformance/rig.js';
import { sumsOf } from '../conformance/scribe.js';
import { post, RawClient } from '../support/client.js';
import { serveModel } from '../support/model-server.js';
import { next } from '../support/worker.js';

const HANGS: RigOptions = { model: { behaviour: { pauseAfterTokens: 0 } } };

/** The ends that the autoscaler was told, by the request's index. */
function endsAt({ autoscaler }: Rig): unknown {
  return Object.fromEntries(autoscaler.finished.map(({ request_idx, status }) => [request_idx, status]));
}

/** What the log says in the fields of an event. */
function toldBy({ log }: Rig, event: string): unknown[] {
  return log.about(event).map(({ fields }) => fields.requests);
}

describe('at the deadline', () => {
  it('requests are cut and sessions ended, and all of it is told before the worker stops', async () => {
    const rig = await startRig({ ...HANGS, env: { TSWORKER_DRAIN_TIMEOUT: '1s' } });
    const session = await rig.hold({}, { cost: 50, request_idx: 1 });
    const streams = [
      rig.open('/v1/completions', { max_tokens: 10, stream: true }, { auth: { request_idx: 2 } }),
      rig.open('/serial/one', { max_tokens: 5 }, { auth: { request_idx: 3 } }),
      rig.open('/serial/two', { max_tokens: 6 }, { auth: { request_idx: 4 } }),
      rig.open('/v1/completions', { max_tokens: 7 }, { session: session.id }),
    ];
    await rig.autoscaler.untilStatus(({ num_requests_working }) => num_requests_working === 5);
    const cut = streams.map(({ response }) => response.then(text, (error) => error.code));

    expect(await rig.worker.stop('it is time')).toBe('cut');
    expect(await Promise.all(cut)).toEqual(Array.from({ length: 4 }, () => 'ECONNRESET'));
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 78, rej_load: 0, cur_perf: 50 });
    expect(endsAt(rig)).toEqual({ 1: 'Success', 2: 'Error', 3: 'Error', 4: 'Error' });
    expect(rig.autoscaler.statuses.at(-1)).toMatchObject({
      num_requests_working: 0,
      cur_load: 0,
      working_request_idxs: [],
      num_requests_recieved: 4,
    });
    expect(rig.worker.view().ledger.totals).toMatchObject({ errored: 28, served: 50 });
    expect(rig.worker.view().completions.untold).toBe(0);
    expect(toldBy(rig, 'requests.cut')).toEqual([4]);
    expect(rig.log.about('left.unreported')).toEqual([]);
    expect(rig.log.about('left.unfinished')).toEqual([]);
  });

  it('an autoscaler that takes no reports does not hold the worker for long', async () => {
    const rig = await startRig({ ...HANGS, env: { TSWORKER_DRAIN_TIMEOUT: '300ms' } });
    rig.open('/v1/completions', { max_tokens: 10 });
    await rig.model.untilRequest();
    rig.autoscaler.misdeed = () => 'hang';
    const stoppedAtMs = performance.now();
    expect(await rig.worker.stop('it is time')).toBe('cut');
    expect(performance.now() - stoppedAtMs).toBeLessThan(3_000);
    expect(toldBy(rig, 'left.unfinished')).toEqual([1]);
  });
});

describe('an autoscaler that has gone', () => {
  const DRAIN_TIMEOUT_MS = 1_000;
  const statusesFail = ({ path }: { path: string }) => (path === '/worker_status/' ? 500 : undefined);

  /** A worker to which nothing has happened, whose statuses nobody takes any more, once `work` is done. */
  async function abandoned(work: (rig: Rig) => Promise<unknown> = async () => {}) {
    const rig = await startRig({ env: { TSWORKER_DRAIN_TIMEOUT: `${DRAIN_TIMEOUT_MS}ms` } });
    rig.autoscaler.misdeed = statusesFail;
    await next(rig.worker, 'report', ({ type }) => type === 'report.failed');
    await work(rig);
    const stoppedAtMs = performance.now();
    const outcome = await rig.worker.stop('it is time');
    return { rig, outcome, isLate: performance.now() - stoppedAtMs > DRAIN_TIMEOUT_MS - 50 };
  }

  it('is not waited for when there is nothing to tell it', async () => {
    const { rig, outcome } = await abandoned();
    expect(outcome).toBe('clean');
    expect(rig.log.about('left.unreported')).toEqual([]);
  });

  it('is waited for with work that is not even in the books yet', async () => {
    const { rig, outcome, isLate } = await abandoned((rig) => rig.ask('/v1/completions', { max_tokens: 4 }));
    expect([outcome, isLate, toldBy(rig, 'left.unreported')]).toEqual(['unreported', true, [1]]);
  });
});

describe('a session', () => {
  async function withCallbacks(grace: string) {
    const told: string[] = [];
    const server = await serveModel((request, response) => {
      if (request.url === '/on/close') told.push('closed');
      response.end('{}');
    });
    const env = { TSWORKER_DRAIN_TIMEOUT: '15s', TSWORKER_SESSION_GRACE: grace };
    const rig = await startRig({
      backend: { model: { url: server.url, health: '/health' }, routes: ROUTES },
      env,
    });
    return { rig, told };
  }

  it('in which nothing happens is ended, its callback called, and the end is clean', async () => {
    const { rig, told } = await withCallbacks('200ms');
    await rig.hold({ lifetime: 60, on_close_route: '/on/close' }, { cost: 5, request_idx: 1 });
    const stoppedAtMs = performance.now();
    expect(await rig.worker.stop('it is time')).toBe('clean');
    expect(performance.now() - stoppedAtMs).toBeLessThan(8_000);
    expect([told, endsAt(rig)]).toEqual([['closed'], { 1: 'Success' }]);
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 5, rej_load: 0, cur_perf: 5 });
  });

  it('whose client is between two requests goes on, and takes no new sessions beside it', async () => {
    const { rig, told } = await withCallbacks('3s');
    const session = await rig.hold({ on_close_route: '/on/close' }, { request_idx: 1 });
    const stopped = rig.worker.stop('it is time');
    const inSession = { session: session.id };
    for (let call = 0; call < 3; call++) {
      expect((await rig.ask('/v1/completions', { max_tokens: 1 }, inSession)).status).toBe(200);
    }
    const late = { auth_data: rig.authFor({ request_idx: 2 }), payload: {} };
    expect((await post(rig.port, '/session/create', late)).status).toBe(503);
    await post(rig.port, '/session/end', { session_id: session.id, session_auth: session.auth });
    expect(await stopped).toBe('clean');
    expect([told, endsAt(rig)]).toEqual([['closed'], { 1: 'Success', 2: 'Rejected' }]);
  });

  it('is ended after the last of its requests has ended, not before', async () => {
    const env = { TSWORKER_DRAIN_TIMEOUT: '15s', TSWORKER_SESSION_GRACE: '1ms' };
    const rig = await startRig({ ...HANGS, env });
    const session = await rig.hold({}, { request_idx: 1 });
    const client = rig.open('/v1/completions', { max_tokens: 1 }, { session: session.id });
    await rig.model.untilRequest();
    const idle = await rig.hold({}, { request_idx: 2 });
    const stopped = rig.worker.stop('it is time');
    // The idle one goes first.
    await rig.autoscaler.untilFinished(2);
    expect(idle.id).not.toBe(session.id);
    rig.model.behave({ pauseAfterTokens: undefined });
    expect((await client.response).statusCode).toBe(200);
    (await client.response).resume();
    expect(await stopped).toBe('clean');
    expect(endsAt(rig)).toEqual({ 1: 'Success', 2: 'Success' });
  });
});

describe('a request whose body is still on its way when draining begins', () => {
  const bodyFor = (rig: Rig, request_idx: number) =>
    JSON.stringify({ auth_data: rig.authFor({ request_idx }), payload: { max_tokens: 4 } });

  function upload(rig: Rig, body: string, first: number): RawClient {
    return new RawClient(rig.port).write(
      `POST /v1/completions HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, first)}`,
    );
  }
  const underWay = async (rig: Rig, requests: number) => {
    while (rig.worker.view().requestsUnderWay !== requests) await new Promise(setImmediate);
  };

  it('does not hold the drain: it is told to go elsewhere, and the end is clean', async () => {
    const rig = await startRig({ env: { TSWORKER_DRAIN_TIMEOUT: '15s' } });
    const client = upload(rig, bodyFor(rig, 1), 3);
    await underWay(rig, 1);
    const stoppedAtMs = performance.now();
    expect(await rig.worker.stop('it is time')).toBe('clean');
    expect(performance.now() - stoppedAtMs).toBeLessThan(8_000);
    expect(await client.untilEnd()).toMatch(/^HTTP\/1.1 503 .*Connection: close.*not_accepting/is);
    expect(rig.worker.view().ledger.totals).toMatchObject({ requests: 0, received: 0, rejected: 0 });
    expect(endsAt(rig)).toEqual({});
  });

  it('is served when it comes in time', async () => {
    const rig = await startRig({ env: { TSWORKER_DRAIN_TIMEOUT: '15s' } });
    const body = bodyFor(rig, 1);
    const client = upload(rig, body, 30);
    await underWay(rig, 1);
    const stopped = rig.worker.stop('it is time');
    client.write(body.slice(30));
    expect(await client.untilEnd()).toMatch(/^HTTP\/1.1 200 /);
    expect(await stopped).toBe('clean');
    expect(endsAt(rig)).toEqual({ 1: 'Success' });
  });

  it('is served when it comes while the worker waits for others anyway', async () => {
    const rig = await startRig({ ...HANGS, env: { TSWORKER_DRAIN_TIMEOUT: '15s' } });
    const other = rig.open('/v1/completions', { max_tokens: 1 }, { auth: { request_idx: 2 } });
    await rig.model.untilRequest();
    const body = bodyFor(rig, 1);
    const client = upload(rig, body, 30);
    await underWay(rig, 2);
    const stoppedAtMs = performance.now();
    const stopped = rig.worker.stop('it is time');
    // Longer than it would be waited for alone.
    while (performance.now() - stoppedAtMs < 2_300) await next(rig.worker, 'report');
    client.write(body.slice(30));
    while (rig.model.inFlight < 2) await new Promise(setImmediate);
    rig.model.behave({ pauseAfterTokens: undefined });
    expect(await client.untilEnd()).toMatch(/^HTTP\/1.1 200 /);
    (await other.response).resume();
    expect(await stopped).toBe('clean');
    expect(endsAt(rig)).toEqual({ 1: 'Success', 2: 'Success' });
  });
});
