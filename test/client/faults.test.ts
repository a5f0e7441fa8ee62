import { describe, expect, it } from 'vitest';
import type { CallFault, Fault } from '../../src/autoscaler/index.js';
import { status } from '../autoscaler/bodies.js';
import { report } from '../autoscaler/harness.js';
import { failureOf, json, startClient, startPlace, startScripted, startWhole } from './world.js';

/** Every kind of the fault kit: what is added to it has to be added here. */
const BY_KIND: { readonly [K in Fault['kind']]: readonly Extract<Fault, { kind: K }>[] } = {
  status: [
    { kind: 'status', status: 408 },
    { kind: 'status', status: 429, retryAfter: 0 },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503, retryAfter: 0 },
  ],
  hang: [{ kind: 'hang' }],
  reset: [{ kind: 'reset' }],
  slow: [{ kind: 'slow', delayMs: 30 }],
  cut: [{ kind: 'cut' }],
  duplicate: [{ kind: 'duplicate' }],
  reorder: [{ kind: 'reorder' }],
};

/** As they may befall a message of a worker. */
const FAULTS: readonly Fault[] = Object.values(BY_KIND).flat();

/** As they may befall a call. */
const CALL_FAULTS = FAULTS.flatMap((fault): [name: string, fault: CallFault][] =>
  fault.kind === 'duplicate' ? [] : [[Object.values(fault).slice(0, 2).join(' '), fault]],
);

describe('a fault of the autoscaler', () => {
  it.each(CALL_FAULTS)('%s is got over, whatever is asked for', async (_name, fault) => {
    const met: Record<string, number> = {};
    const neverEnds = fault.kind === 'hang' || fault.kind === 'reorder';
    const place = await startPlace(neverEnds ? { routeTimeout: 500 } : {}, {
      callFault: ({ path }) => {
        met[path] = (met[path] ?? 0) + 1;
        return met[path] <= 2 ? fault : undefined;
      },
    });
    const worker = await startScripted((_received, response) => json(response, 200, { n: 1 }));
    await report(place.autoscaler, status(4, { url: worker.url }));
    const { body, attempts } = await place.endpoint.request('/x', {});
    expect({ body, attempts }).toEqual({ body: { n: 1 }, attempts: 1 });
    expect(worker.received).toHaveLength(1);
    expect(await place.endpoint.workers()).toEqual([expect.objectContaining({ id: 4, status: 'Ready' })]);
    const tries = fault.kind === 'slow' ? 1 : 3;
    expect(met).toEqual({ '/api/v0/endptjobs/': tries, '/route/': tries, '/get_endpoint_workers/': tries });
    const codes = place.told.flatMap((event) => (event.name === 'retry' ? [event.error.code] : []));
    const code = fault.kind === 'status' ? 'autoscaler_failed' : 'autoscaler_lost';
    expect(codes).toEqual(Array.from({ length: 3 * (tries - 1) }, () => code));
  });

  it('that lasts ends the call within its time, and is told', async () => {
    let fault: CallFault | undefined;
    const options = { callFault: () => fault };
    // Of what is not answered nobody can tell how busy the machine is; for what is there must be time.
    const silent = { ...(await startPlace({ routeTimeout: 50 }, options)), timeout: 150 };
    const answered = { ...(await startPlace({}, options)), timeout: 600 };
    for (const [, lasting] of CALL_FAULTS.filter(([, { kind }]) => kind !== 'slow')) {
      fault = lasting;
      const { endpoint, told, timeout } = lasting.kind === 'status' ? answered : silent;
      told.length = 0;
      const calls = [endpoint.request('/x', {}, { timeout }), endpoint.workers({ timeout })];
      const errors = await Promise.all(calls.map(failureOf));
      const code = lasting.kind === 'status' ? 'autoscaler_failed' : 'autoscaler_lost';
      const statusCode = lasting.kind === 'status' ? lasting.status : undefined;
      const expected = { code, status: statusCode };
      expect(errors.map((error) => ({ code: error.code, status: error.status }))).toEqual([
        expected,
        expected,
      ]);
      const ends = told.flatMap((event) => (event.name === 'ended' ? [[event.outcome, event.attempts]] : []));
      expect(ends).toEqual([
        ['failed', 0],
        ['failed', 0],
      ]);
    }
  });

  it('that it says nothing ends a call within its time, however long one question may take', async () => {
    const { endpoint } = await startPlace(
      { routeTimeout: 600_000 },
      { callFault: ({ path }) => (path === '/route/' ? { kind: 'hang' } : undefined) },
    );
    const { code, what } = await failureOf(endpoint.request('/x', {}, { timeout: 100 }));
    expect([code, what]).toEqual(['autoscaler_lost', 'The autoscaler did not answer in time.']);
  });

  it('in what workers tell it keeps no request from its answer', async () => {
    let isFaulty = false;
    const place = await startWhole({
      autoscaler: {
        fault: ({ sequence }) =>
          isFaulty && sequence % 2 === 0 ? FAULTS[(sequence / 2) % FAULTS.length] : undefined,
      },
      env: { TSWORKER_REPORT_TIMEOUT: '100ms', TSWORKER_REPORT_MAX_BACKOFF: '50ms' },
    });
    isFaulty = true;
    for (let round = 0; round < 16; round++) {
      expect((await place.endpoint.request('/v1/completions', {}, { cost: 1 })).status).toBe(200);
    }
    isFaulty = false;
    await place.autoscaler.waitForCompletion(({ request_idx }) => request_idx === 16);
  });

  it('that it is stopped and started is got over', async () => {
    const { autoscaler, endpoint } = await startPlace();
    const worker = await startScripted((_received, response) => json(response, 200, {}));
    await report(autoscaler, status(1, { url: worker.url }));
    await autoscaler.stop();
    const answer = endpoint.request('/x', {});
    await autoscaler.start();
    expect((await answer).status).toBe(200);
  });

  it('that a key is another one is told at once', async () => {
    const { autoscaler } = await startPlace();
    const { client, told } = startClient(autoscaler.url, { apiKey: 'another' });
    const error = await failureOf(client.endpoint('my-endpoint'));
    expect(error).toMatchObject({ code: 'unauthorized', status: 401, reason: 'unauthorized' });
    expect(error.message).toMatch(/ Give the API key of the endpoint as apiKey\.$/);
    expect(told.map(({ name }) => name)).toEqual(['ended']);
  });

  it('that the answer is something else is told at once', async () => {
    const route = { cost: 1, endpoint: 'e', reqnum: 1, request_idx: 1, signature: 's' };
    const noAddresses = [
      'javascript:alert(1)',
      '//host',
      'http://user@host',
      'http://host/?q',
      'http://host/#f',
      'http://host:65536',
      7,
    ];
    const bodies = [
      'null',
      '{}',
      '<html>',
      '{"request_idx":"1"}',
      '{"request_idx":1,"url":"http://127.0.0.1:9"}',
      ...noAddresses.map((url) => JSON.stringify({ ...route, url })),
    ];
    let answered = '{"results":[{"id":1,"endpoint_name":"e"}]}';
    const other = await startScripted((_received, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(answered),
    );
    const endpoint = await startClient(other.url).client.endpoint('e');
    const codes: string[] = [];
    for (const body of bodies) {
      answered = body;
      codes.push(
        (await failureOf(endpoint.request('/x', {}))).code,
        (await failureOf(endpoint.workers())).code,
      );
    }
    expect(codes).toEqual(codes.map(() => 'unexpected_answer'));
    expect(other.received).toHaveLength(1 + 2 * bodies.length);
  });
});
