import { createVerify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { data, failed, finished, loaded, loading, status } from './bodies.js';
import { ask, handClock, report, send, startAutoscaler, tellFinished } from './harness.js';

const URL_OF = (id: number) => `http://127.0.0.1:${3000 + id}`;

/** A worker that serves, with this load. */
const serving = (id: number, cur_load = 0, max_perf = 10) =>
  status(id, { url: URL_OF(id), cur_load, max_perf });

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const SIGNATURE = expect.stringMatching(/^[\w+/]{342}==$/);

async function genuine(autoscaler: LocalAutoscaler, text: string, body: unknown): Promise<boolean> {
  const pem = String((await send(`${autoscaler.url}/pubkey/`)).body);
  const { signature } = Object(body);
  return createVerify('RSA-SHA256').update(text).verify(pem, signature, 'base64');
}

describe('POST /route/', () => {
  it.each(['/route/', '/route'])('gives the worker and signs its url, at %s', async (path) => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(1));
    const answer = await send(autoscaler.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${autoscaler.apiKey}` },
      body: JSON.stringify({ endpoint: 'my-endpoint', cost: 256 }),
    });
    expect([answer.status, answer.body]).toEqual([
      200,
      { cost: 256, endpoint: 'my-endpoint', reqnum: 1, request_idx: 1, signature: SIGNATURE, url: URL_OF(1) },
    ]);
    expect(await genuine(autoscaler, `{\n    "url": "${URL_OF(1)}"\n}`, answer.body)).toBe(true);
  });

  it('signs cost, endpoint, reqnum and url for a legacy worker that told its url', async () => {
    const autoscaler = await startAutoscaler({ endpoint: 'péché' });
    await report(autoscaler, loaded(1));
    expect((await ask(autoscaler)).body).toMatchObject({
      status:
        '1 worker: 1 serving without a url; a worker whose backend has no model server tells its address in the current dialect only: start it with TSWORKER_DIALECT=current',
    });
    await report(autoscaler, data(1, { url: URL_OF(1) }));
    const { body } = await ask(autoscaler, { cost: 0.5 });
    expect(body).toEqual({
      cost: 0.5,
      endpoint: 'péché',
      reqnum: 1,
      request_idx: 2,
      signature: SIGNATURE,
      url: URL_OF(1),
    });
    const text = `{\n    "cost": 0.5,\n    "endpoint": "p\\u00e9ch\\u00e9",\n    "reqnum": 1,\n    "url": "${URL_OF(1)}"\n}`;
    expect(await genuine(autoscaler, text, body)).toBe(true);
  });

  it('a client polls with the same request_idx until a worker is ready', async () => {
    const autoscaler = await startAutoscaler();
    expect((await ask(autoscaler)).body).toEqual({
      endpoint: 'my-endpoint',
      request_idx: 1,
      status: 'no worker has reported yet',
    });
    await report(autoscaler, loading(1));
    await report(autoscaler, status(2, { loadtime: 0, error_msg: 'out of memory' }));
    expect((await ask(autoscaler, { request_idx: 1 })).body).toEqual({
      endpoint: 'my-endpoint',
      request_idx: 1,
      status: '2 workers: 1 loading, 1 failing',
    });
    expect((await ask(autoscaler)).body).toMatchObject({ request_idx: 2 });
    await report(autoscaler, serving(1));
    expect((await ask(autoscaler, { request_idx: 1 })).body).toMatchObject({ request_idx: 1, reqnum: 1 });
    expect((await ask(autoscaler, { request_idx: 2 })).body).toMatchObject({ request_idx: 2, reqnum: 2 });
    expect((await ask(autoscaler)).body).toMatchObject({ request_idx: 3, reqnum: 3 });
  });

  it('prefers the least wait, and counts what it routed since the last status', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(1, 0, 10));
    await report(autoscaler, serving(2, 0, 20));
    const workers: unknown[] = [];
    for (let count = 0; count < 6; count++) workers.push(Object((await ask(autoscaler)).body).url);
    // Waits of 0 and 0, then 10 and 0, 10 and 5, 10 and 10, 20 and 10, 20 and 15 seconds.
    expect(workers).toEqual([1, 2, 2, 1, 2, 2].map(URL_OF));
    await report(autoscaler, serving(2, 0, 20));
    expect(Object((await ask(autoscaler)).body).url).toBe(URL_OF(2));
    await report(autoscaler, serving(2, 10_000, 20));
    expect(Object((await ask(autoscaler)).body).url).toBe(URL_OF(1));
  });

  it('a request that has its worker is told the same again, and counts once', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(1));
    await report(autoscaler, serving(2));
    const first = await ask(autoscaler);
    const again = await ask(autoscaler, { request_idx: 1 });
    expect(again.body).toEqual(first.body);
    expect((await ask(autoscaler)).body).toMatchObject({ reqnum: 2, request_idx: 2, url: URL_OF(2) });
  });

  it.each<[string, (autoscaler: LocalAutoscaler, advance: (ms: number) => void) => unknown]>([
    ['its worker fails', (autoscaler) => report(autoscaler, failed(1))],
    ['its worker moved', (autoscaler) => report(autoscaler, status(1, { url: URL_OF(9), cur_load: 1e6 }))],
    ['it was rejected', (autoscaler) => tellFinished(autoscaler, finished(1, { status: 'Rejected' }))],
    ['it was routed longer ago than replay_timeout', (_autoscaler, advance) => advance(2_000)],
  ])('it is routed anew under its request_idx when %s', async (_name, happen) => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now });
    await report(autoscaler, serving(1));
    const fields = { replay_timeout: 2 };
    expect((await ask(autoscaler, fields)).body).toMatchObject({ reqnum: 1, request_idx: 1, url: URL_OF(1) });
    await report(autoscaler, serving(2));
    await happen(autoscaler, clock.advance);
    const again = await ask(autoscaler, { ...fields, request_idx: 1 });
    expect(again.body).toMatchObject({ reqnum: 2, request_idx: 1, url: URL_OF(2) });
  });

  it('a request_idx that is not known, or no longer, is taken as it is', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now });
    await ask(autoscaler, { replay_timeout: 1.5 });
    clock.advance(1_499);
    expect(autoscaler.requests()).toHaveLength(1);
    clock.advance(1);
    expect(autoscaler.requests()).toEqual([]);
    for (const request_idx of [1, 7]) {
      expect((await ask(autoscaler, { request_idx })).body).toMatchObject({ request_idx });
    }
  });

  it('a request whose client never goes to its worker is let go of, and one that is at work is not', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now });
    const working = (...working_request_idxs: number[]) =>
      report(autoscaler, { ...serving(1), working_request_idxs });
    const left = () => autoscaler.requests().map(({ requestIdx }) => requestIdx);
    await working();
    for (let count = 0; count < 3; count++) await ask(autoscaler);
    const pass = async (seconds: number, ...working_request_idxs: number[]) => {
      for (let second = 0; second < seconds; second += 10) {
        clock.advance(10_000);
        await working(...working_request_idxs);
        autoscaler.requests();
      }
    };
    await pass(60, 2, 3);
    expect(left()).toEqual([3, 2, 1]);
    await pass(10, 2, 3);
    expect(left()).toEqual([3, 2]);
    await pass(600, 2, 3);
    expect(left()).toEqual([3, 2]);
    // The last word on a request that has ended may come late.
    await pass(60, 2);
    await tellFinished(autoscaler, finished(1, { request_idx: 3 }));
    await pass(600, 2);
    expect(autoscaler.requests()).toMatchObject([
      { requestIdx: 3, state: 'finished', status: 'Success' },
      { requestIdx: 2, state: 'assigned' },
    ]);
  });

  it.each<[what: string, body: object, tellsOn: boolean]>([
    ['that is gone', status(1, { url: URL_OF(1), working_request_idxs: [1] }), false],
    ['of the legacy dialect, which tells no ends', data(1, { url: URL_OF(1) }), true],
  ])('a request of a worker %s is let go of', async (_what, body, tellsOn) => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now });
    await report(autoscaler, body);
    await ask(autoscaler);
    let seconds = 0;
    while (autoscaler.requests().length > 0) {
      clock.advance(10_000);
      seconds += 10;
      if (tellsOn) await report(autoscaler, body);
    }
    // A worker is silent after three report intervals.
    expect(seconds).toBe(tellsOn ? 60 : 90);
  });

  it('a request that may have been cut off a long list is kept', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now });
    const body = (count: number) =>
      status(1, {
        url: URL_OF(1),
        working_request_idxs: Array.from({ length: count }, (_, index) => 2_000 - index),
      });
    await report(autoscaler, body(0));
    await ask(autoscaler);
    for (let seconds = 0; seconds < 100; seconds += 10) {
      clock.advance(10_000);
      await report(autoscaler, body(2_000));
      expect(autoscaler.requests()).toMatchObject([{ requestIdx: 1, state: 'assigned' }]);
    }
  });

  it('routes to no silent worker', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now, reportIntervalMs: 1_000 });
    await report(autoscaler, serving(1));
    clock.advance(3_000);
    expect((await ask(autoscaler)).body).toMatchObject({ status: '1 worker: 1 silent' });
  });

  it.each([
    ['cost', { cost: -1 }],
    ['cost', { cost: '1' }],
    ['cost', { cost: undefined }],
    ['cost', { cost: 1e308 }],
    ['cost', { cost: 1e12 + 1 }],
    ['endpoint', { endpoint: 1 }],
    ['request_idx', { request_idx: -1 }],
    ['request_idx', { request_idx: 1.5 }],
    ['request_idx', { request_idx: '1' }],
    ['replay_timeout', { replay_timeout: 0 }],
    ['replay_timeout', { replay_timeout: 'x' }],
  ])('a wrong %s is named, and counts nothing (%o)', async (field, fields) => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(1));
    const answer = await ask(autoscaler, fields);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      error: 'invalid_request',
      message: expect.stringMatching(new RegExp(`^${field}: `)),
    });
    expect(autoscaler.requests()).toEqual([]);
  });

  it('never answers 5xx, whatever is asked or told', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(1));
    const odd = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom('my-endpoint', -0, 2 ** 53, 1e308));
    const routes = fc.record(
      { endpoint: odd, cost: odd, request_idx: odd, replay_timeout: odd },
      { requiredKeys: [] },
    );
    const entry = fc.record({ request_idx: odd, success: odd, status: odd }, { requiredKeys: [] });
    const ends = fc.record(
      { worker_id: fc.oneof(fc.nat(), odd), requests: fc.array(entry), request_idxs: odd, success: odd },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(routes, ends, async (route, end) => {
        expect([200, 400, 404]).toContain((await ask(autoscaler, route)).status);
        expect([200, 400]).toContain((await tellFinished(autoscaler, end)).status);
      }),
      { numRuns: 100 },
    );
    expect((await send(`${autoscaler.url}/api/workers`)).status).toBe(200);
  });

  it('one more than may wait is told to come later, and those that wait keep their places', async () => {
    const autoscaler = await startAutoscaler();
    for (let count = 0; count < 10_000; count++) await autoscaler.route(1);
    const answer = await ask(autoscaler);
    expect([answer.status, answer.headers.get('retry-after'), answer.body]).toEqual([
      503,
      '5',
      { error: 'no_worker', message: 'No worker is ready, and as many requests wait as may. Try again.' },
    ]);
    expect((await ask(autoscaler, { request_idx: 1 })).body).toMatchObject({ request_idx: 1 });
    expect(autoscaler.requests().at(-1)).toMatchObject({ requestIdx: 1, state: 'waiting' });
    await report(autoscaler, serving(1));
    expect((await ask(autoscaler)).body).toMatchObject({ reqnum: 1 });
  });

  it('an unknown endpoint is 404, and says which there is', async () => {
    const autoscaler = await startAutoscaler({ endpoint: 'llama' });
    const answer = await ask(autoscaler, { endpoint: 'other' });
    expect([answer.status, answer.body]).toEqual([
      404,
      { error: 'not_found', message: 'There is no such endpoint: the one endpoint here is "llama".' },
    ]);
    expect(autoscaler.requests()).toEqual([]);
  });
});

describe('route()', () => {
  it('is the same as over HTTP', async () => {
    const autoscaler = await startAutoscaler();
    expect(await autoscaler.route(5)).toEqual({
      endpoint: 'my-endpoint',
      request_idx: 1,
      status: 'no worker has reported yet',
    });
    await report(autoscaler, serving(1));
    const route = await autoscaler.route(5, { requestIdx: 1 });
    expect(route).toEqual((await ask(autoscaler, { request_idx: 1 })).body);
    await expect(autoscaler.route(Number.NaN)).rejects.toThrow(/^cost: /);
    await expect(autoscaler.route(-1)).rejects.toThrow(/^cost: /);
  });

  it('is signed with the new key after a rotation', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(1));
    const before = await autoscaler.route(5);
    await autoscaler.rotateKey();
    const after = await autoscaler.route(5);
    const text = `{\n    "url": "${URL_OF(1)}"\n}`;
    expect([await genuine(autoscaler, text, before), await genuine(autoscaler, text, after)]).toEqual([
      false,
      true,
    ]);
  });
});

describe('GET /api/requests', () => {
  it('tells the last ones, latest first, without their signatures', async () => {
    const autoscaler = await startAutoscaler();
    await ask(autoscaler, { cost: 3 });
    await report(autoscaler, serving(1));
    await ask(autoscaler, { cost: 4 });
    await ask(autoscaler, { cost: 5 });
    await tellFinished(autoscaler, finished(1, { request_idx: 2, status: 'Error', success: false }));
    const of = { workerId: 1, url: URL_OF(1), askedAt: ISO, polledAt: ISO, assignedAt: ISO };
    const expected = [
      { requestIdx: 3, state: 'assigned', cost: 5, ...of, reqnum: 2, finishedAt: null, status: null },
      { requestIdx: 2, state: 'finished', cost: 4, ...of, reqnum: 1, finishedAt: ISO, status: 'Error' },
      {
        requestIdx: 1,
        state: 'waiting',
        cost: 3,
        workerId: null,
        url: null,
        reqnum: null,
        askedAt: ISO,
        polledAt: ISO,
        assignedAt: null,
        finishedAt: null,
        status: null,
      },
    ];
    expect((await send(`${autoscaler.url}/api/requests`)).body).toEqual({ requests: expected });
    expect((await send(`${autoscaler.url}/api/requests?limit=2`)).body).toEqual({
      requests: expected.slice(0, 2),
    });
    expect(autoscaler.requests()).toEqual(expected);
    expect((await send(`${autoscaler.url}/api/requests?limit=0`)).status).toBe(400);
    expect(Object((await send(`${autoscaler.url}/api/workers`)).body).endpoint).toEqual({
      id: 1,
      name: 'my-endpoint',
      requests: {
        routed: 2,
        waiting: 1,
        assigned: 1,
        finished: { Success: 0, Error: 1, Cancelled: 0, Rejected: 0 },
        dropped: 0,
        expired: 0,
      },
      completions: { told: 1, duplicates: 0, dropped: 0 },
    });
  });
});
