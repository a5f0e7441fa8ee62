import { describe, expect, it } from 'vitest';
import type { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { type Backend, defineBackend } from '../../src/backend/index.js';
import { ask, startAutoscaler } from '../autoscaler/harness.js';
import { post, RawClient, send } from '../support/client.js';
import {
  deferred,
  type Env,
  next,
  type RunningWorker,
  serve,
  startWorker,
  typesOf,
  untilView,
} from '../support/worker.js';

interface Work {
  readonly units: number;
}

/** The work of a request is what its body says, so that it can not be mistaken for the cost of its route. */
function backendWith(hang: Promise<unknown> = Promise.resolve()): Backend {
  const workload = ({ units }: Work) => units;
  const parseRequest = (json: unknown) => json as Work;
  return defineBackend({
    name: 'small',
    dialect: 'current',
    maxPerf: 100,
    maxSessions: 1,
    routes: {
      '/run': { parseRequest, workload, maxQueueTime: '1s', handle: ({ body }) => ({ done: body.units }) },
      '/wait': {
        parseRequest,
        workload,
        handle: ({ signal }) =>
          new Promise((resolve, reject) => {
            void hang.then(resolve);
            signal.addEventListener('abort', () => reject(signal.reason));
          }),
      },
      '/fail': {
        parseRequest,
        workload,
        handle: () => {
          throw new Error('out of memory');
        },
      },
    },
  });
}

const ENV: Env = {
  PUBLIC_IPADDR: '127.0.0.1',
  TSWORKER_REPORT_INTERVAL: '50ms',
  TSWORKER_DRAIN_TIMEOUT: '10s',
};

interface Place {
  readonly autoscaler: LocalAutoscaler;
  readonly running: RunningWorker;
}

async function place(backend = backendWith()): Promise<Place> {
  const autoscaler = await startAutoscaler({ reportIntervalMs: 60_000 });
  const running = await serve(backend, { ...ENV, REPORT_ADDR: autoscaler.url });
  await autoscaler.waitForMessage(({ body }) => Number(Object(body).max_perf) > 0);
  return { autoscaler, running };
}

/** What the autoscaler signs for one request to this worker. */
async function routed({ autoscaler, running }: Place, cost = 1): Promise<Record<string, unknown>> {
  const { body } = await ask(autoscaler, { cost });
  expect(body).toMatchObject({ url: `http://127.0.0.1:${running.port}`, cost });
  return Object(body);
}

async function call(at: Place, path: string, payload: object, sessionId: string | null = null) {
  const auth_data = await routed(at);
  const answer = await post(at.running.port, path, { auth_data, payload, session_id: sessionId });
  return { ...answer, requestIdx: Number(auth_data.request_idx) };
}

/** Stops the worker, and compares what the autoscaler was told with what there was. */
async function expectSums(
  { autoscaler, running }: Place,
  sums: { new_load: number; rej_load: number; cur_perf: number; num_requests_recieved: number },
) {
  expect(await running.worker.stop('the test says so')).toBe('clean');
  const [worker] = autoscaler.workers();
  expect(worker?.sums).toMatchObject(sums);
}

const told = (autoscaler: LocalAutoscaler) =>
  autoscaler.completions().map(({ request_idx, status, duplicate }) => ({ request_idx, status, duplicate }));
const once = (request_idx: number, status: string) => ({ request_idx, status, duplicate: false });

describe('a signed request', () => {
  it('is served, counted by its own work, and told as finished', async () => {
    const at = await place();
    const { status, body, requestIdx } = await call(at, '/run', { units: 7 });
    expect([status, body]).toEqual([200, { done: 7 }]);
    expect(at.running.requests).toMatchObject([
      { type: 'request.started', kind: 'request', workload: 7, requestIdx },
      { type: 'request.succeeded', kind: 'request', workload: 7, requestIdx },
    ]);
    await expectSums(at, { new_load: 7, rej_load: 0, cur_perf: 7, num_requests_recieved: 1 });
    expect(told(at.autoscaler)).toEqual([once(requestIdx, 'Success')]);
  });

  it('that fails was received, and was not served', async () => {
    const at = await place();
    const { status, requestIdx } = await call(at, '/fail', { units: 7 });
    expect(status).toBe(500);
    await expectSums(at, { new_load: 7, rej_load: 0, cur_perf: 0, num_requests_recieved: 1 });
    expect(told(at.autoscaler)).toEqual([once(requestIdx, 'Error')]);
  });

  it('whose client leaves is given up again', async () => {
    const at = await place(backendWith(new Promise(() => {})));
    const auth_data = await routed(at);
    const json = JSON.stringify({ auth_data, payload: { units: 7 }, session_id: null });
    const client = new RawClient(at.running.port).write(
      `POST /wait HTTP/1.1\r\nHost: worker\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
    );
    await untilView(at.running, ({ ledger }) => ledger.totals.received === 7);
    client.socket.resetAndDestroy();
    await untilView(at.running, ({ requestsUnderWay }) => requestsUnderWay === 0);
    expect(typesOf(at.running.requests)).toEqual(['request.started', 'request.cancelled']);
    await call(at, '/run', { units: 10 });
    await at.running.worker.stop('the test says so');
    const [worker] = at.autoscaler.workers();
    expect(worker?.sums).toMatchObject({ new_load: 10, cur_perf: 10, num_requests_recieved: 2 });
    expect(told(at.autoscaler)[0]).toEqual(once(Number(auth_data.request_idx), 'Cancelled'));
  });
});

describe('a request that is not let in', () => {
  it.each<[name: string, change: (auth: Record<string, unknown>) => object, status: number]>([
    ['with a wrong signature', (auth) => ({ ...auth, signature: 'AAAA' }), 401],
    ['with a signature for another worker', (auth) => ({ ...auth, url: 'http://127.0.0.1:9' }), 401],
    ['without a signature', ({ signature: _, ...auth }) => auth, 422],
  ])('%s changes nothing', async (_, change, expected) => {
    const at = await place();
    const auth_data = change(await routed(at));
    const { ledger } = at.running.worker.view();
    for (const path of ['/run', '/session/create']) {
      const payload = path === '/run' ? { units: 7 } : {};
      expect((await post(at.running.port, path, { auth_data, payload, session_id: null })).status).toBe(
        expected,
      );
    }
    const view = at.running.worker.view();
    expect({ ...view.ledger.totals, diskGib: 0 }).toEqual({ ...ledger.totals, diskGib: 0 });
    expect([view.requestsUnderWay, view.sessions, at.running.requests]).toEqual([0, 0, []]);
    await expectSums(at, { new_load: 0, rej_load: 0, cur_perf: 0, num_requests_recieved: 0 });
    expect(told(at.autoscaler)).toEqual([]);
  });

  it('because there is no key yet is asked to come again, and changes nothing', async () => {
    const running = await startWorker(backendWith(), { PUBLIC_IPADDR: '127.0.0.1' });
    const auth_data = {
      cost: 1,
      endpoint: 'e',
      reqnum: 1,
      request_idx: 1,
      signature: 'AAAA',
      url: 'http://x',
    };
    const { status, headers, body } = await post(running.port, '/run', {
      auth_data,
      payload: { units: 7 },
      session_id: null,
    });
    expect([status, headers['retry-after'], body]).toMatchObject([503, '5', { error: 'no_public_key' }]);
    expect([running.worker.view().ledger.totals.requests, running.requests]).toEqual([0, []]);
  });
});

describe('a request that is valid and refused', () => {
  it('with 429, because it would wait for too long, is rejected work', async () => {
    const hang = deferred<string>();
    const at = await place(backendWith(hang.promise));
    const begun = next(at.running.worker, 'request');
    const first = call(at, '/wait', { units: 500 });
    await begun;
    const refused = await call(at, '/run', { units: 7 });
    expect(refused.status).toBe(429);
    expect(at.running.requests.at(-1)).toMatchObject({ type: 'request.rejected', workload: 7 });
    hang.resolve('done');
    const { requestIdx } = await first;
    await expectSums(at, { new_load: 500, rej_load: 7, cur_perf: 500, num_requests_recieved: 2 });
    expect(told(at.autoscaler)).toEqual([once(refused.requestIdx, 'Rejected'), once(requestIdx, 'Success')]);
  });

  it('with 503, because the worker drains, is rejected work', async () => {
    const hang = deferred<string>();
    const at = await place(backendWith(hang.promise));
    const auth_data = await routed(at);
    const begun = next(at.running.worker, 'request');
    const first = call(at, '/wait', { units: 5 });
    await begun;
    const stopped = at.running.worker.stop('the test says so');
    const { status } = await post(at.running.port, '/run', {
      auth_data,
      payload: { units: 7 },
      session_id: null,
    });
    expect(status).toBe(503);
    hang.resolve('done');
    await first;
    expect(await stopped).toBe('clean');
    const [worker] = at.autoscaler.workers();
    expect(worker?.sums).toMatchObject({
      new_load: 5,
      rej_load: 7,
      cur_perf: 5,
      num_requests_recieved: 2,
    });
  });
});

describe('a session', () => {
  async function create(at: Place, cost: number) {
    const auth_data = await routed(at, cost);
    const { status, body } = await post(at.running.port, '/session/create', {
      auth_data,
      payload: { lifetime: 60 },
      session_id: null,
    });
    const { session_id } = Object(body);
    return { status, auth_data, reference: { session_id, session_auth: auth_data } };
  }
  const at = (place: Place, path: string, body: object) => post(place.running.port, path, body);

  it('counts as one request of its cost from its creation to its end', async () => {
    const here = await place();
    const { status, auth_data, reference } = await create(here, 30);
    expect(status).toBe(201);
    expect(await at(here, '/session/get', reference)).toMatchObject({
      status: 200,
      body: { session_id: reference.session_id, auth_data, lifetime: 60 },
    });
    expect(await at(here, '/session/health', reference)).toMatchObject({ status: 200, body: { ok: true } });
    const present = await here.autoscaler.waitForMessage(
      ({ body }) => Object(body).num_requests_working === 1,
    );
    expect(present.body).toMatchObject({ cur_load: 30, working_request_idxs: [auth_data.request_idx] });
    expect(told(here.autoscaler)).toEqual([]);
    expect(await at(here, '/session/end', reference)).toMatchObject({
      status: 200,
      body: { ended: true, removed_session: reference.session_id },
    });
    expect(await at(here, '/session/health', reference)).toMatchObject({ status: 200, body: { ok: false } });
    expect((await at(here, '/session/end', reference)).status).toBe(410);
    await expectSums(here, { new_load: 30, rej_load: 0, cur_perf: 30, num_requests_recieved: 1 });
    expect(told(here.autoscaler)).toEqual([once(Number(auth_data.request_idx), 'Success')]);
  });

  it('has what is sent in it counted as work, and not as requests', async () => {
    const here = await place();
    const { auth_data, reference } = await create(here, 30);
    const inSession = await call(here, '/run', { units: 7 }, reference.session_id);
    expect(inSession).toMatchObject({ status: 200, body: { done: 7 } });
    expect(here.running.requests.map(({ kind }) => kind)).toEqual(['session', 'in-session', 'in-session']);
    await at(here, '/session/end', reference);
    expect((await call(here, '/run', { units: 7 }, reference.session_id)).status).toBe(410);
    await expectSums(here, { new_load: 37, rej_load: 0, cur_perf: 37, num_requests_recieved: 1 });
    expect(told(here.autoscaler)).toEqual([once(Number(auth_data.request_idx), 'Success')]);
  });

  it('that is one too many is rejected work', async () => {
    const here = await place();
    const first = await create(here, 30);
    const refused = await create(here, 40);
    expect(refused.status).toBe(429);
    await at(here, '/session/end', first.reference);
    await expectSums(here, { new_load: 30, rej_load: 40, cur_perf: 30, num_requests_recieved: 2 });
    expect(told(here.autoscaler)).toEqual([
      once(Number(refused.auth_data.request_idx), 'Rejected'),
      once(Number(first.auth_data.request_idx), 'Success'),
    ]);
  });
});

it('many requests of all kinds at once come to the same sums that the autoscaler is told', async () => {
  const at = await place();
  const paths = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? '/fail' : '/wait'));
  const answers = await Promise.all(paths.map((path, index) => call(at, path, { units: index })));
  expect(answers.map(({ status }) => status)).toEqual(paths.map((path) => (path === '/fail' ? 500 : 204)));
  await expectSums(at, { new_load: 435, rej_load: 0, cur_perf: 300, num_requests_recieved: 30 });
  const byIndex = (one: { request_idx: number }, two: { request_idx: number }) =>
    one.request_idx - two.request_idx;
  expect(told(at.autoscaler).toSorted(byIndex)).toEqual(
    answers
      .map(({ requestIdx, status }) => once(requestIdx, status === 500 ? 'Error' : 'Success'))
      .toSorted(byIndex),
  );
  expect((await send(at.autoscaler.port, '/pubkey/')).status).toBe(200);
});
