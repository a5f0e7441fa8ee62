import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import helloautoscaler from '../../backends/helloautoscaler.js';
import helloworld from '../../backends/helloworld.js';
import { defineBackend } from '../../src/index.js';
import { deferred, postJson, runningAutoscaler, runningWorker } from '../support/running-worker.js';

const units = (worker: { view(): { ledger: { totals: { requests: number; received: number } } } }) => {
  const { requests, received } = worker.view().ledger.totals;
  return { requests, received };
};

describe('the hello-autoscaler worker', () => {
  it('loads, tells that it has, and serves', async () => {
    const autoscaler = await runningAutoscaler();
    const { worker, url, path, reaches } = await runningWorker(helloautoscaler, {
      REPORT_ADDR: autoscaler.url,
    });
    await reaches('serving');
    expect(path).toEqual(['loading', 'loaded', 'serving']);

    const incremented = await postJson(`${url}/increment`, { amount: 2 });
    expect([incremented.status, await incremented.text()]).toEqual([200, 'Incremented']);
    const value = await fetch(`${url}/value`);
    expect([value.status, await value.json()]).toEqual([200, { value: 2 }]);

    expect(await worker.stop('it is time')).toBe('clean');
    const bodies = autoscaler.messages().map(({ body }) => body as Record<string, unknown>);
    expect(bodies[0]).toEqual({
      id: 7,
      mtoken: expect.any(String),
      loadtime: expect.any(Number),
      max_perf: 0.5,
    });
    expect(bodies.at(-1)).toEqual({
      id: 7,
      mtoken: expect.any(String),
      cur_load: expect.any(Number),
      num_requests_recieved: 2,
    });
    expect(worker.view().ledger.unreported).toMatchObject({ requests: 0, received: 0 });
  });

  it.each<
    [what: string, send: (url: string) => Promise<Response>, status: number, code: string, counts: boolean]
  >([
    ['no JSON', (url) => postJson(`${url}/increment`, '{'), 400, 'invalid_json', true],
    ['no body', (url) => postJson(`${url}/increment`, ''), 400, 'invalid_json', true],
    ['no amount', (url) => postJson(`${url}/increment`, {}), 400, 'invalid_request', true],
    [
      'an amount of text',
      (url) => postJson(`${url}/increment`, { amount: '2' }),
      400,
      'invalid_request',
      true,
    ],
    [
      'an infinite amount',
      (url) => postJson(`${url}/increment`, '{"amount":1e999}'),
      400,
      'invalid_request',
      true,
    ],
    ['a list', (url) => postJson(`${url}/increment`, []), 400, 'invalid_request', true],
    [
      'another content type',
      (url) => postJson(`${url}/increment`, '{}', { headers: { 'content-type': 'text/plain' } }),
      415,
      'unsupported_media_type',
      true,
    ],
    [
      'too much',
      (url) => postJson(`${url}/increment`, ' '.repeat(2 ** 20 + 1)),
      413,
      'payload_too_large',
      false,
    ],
    ['an unknown path', (url) => postJson(`${url}/decrement`, {}), 404, 'not_found', false],
    ['a path that is not well encoded', (url) => fetch(`${url}/%E0%A4%A`), 404, 'not_found', false],
    ['a wrong method', (url) => fetch(`${url}/increment`), 405, 'method_not_allowed', false],
  ])('answers %s with an error that says so', async (_what, send, status, code, counts) => {
    const { worker, url, reaches } = await runningWorker(helloautoscaler);
    await reaches('serving');
    const response = await send(url);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: code, message: expect.any(String) });
    expect(response.headers.get('allow')).toBe(status === 405 ? 'POST' : null);
    expect(units(worker)).toEqual(counts ? { requests: 1, received: 1 } : { requests: 0, received: 0 });
    expect((await postJson(`${url}/increment`, { amount: 1 })).status).toBe(200);
  });

  it('answers no body whatsoever with a server error', async () => {
    const { worker, url, reaches } = await runningWorker(helloautoscaler);
    await reaches('serving');
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.record({ amount: fc.anything() }).map((body) => JSON.stringify(body) ?? ''),
        ),
        async (body) => {
          sent += 1;
          const response = await postJson(`${url}/increment`, body);
          await response.arrayBuffer();
          expect([200, 400]).toContain(response.status);
        },
      ),
      { numRuns: 200 },
    );
    expect(units(worker)).toEqual({ requests: sent, received: sent });
  });
});

describe('a worker that reports nothing', () => {
  it('serves at once and stops clean', async () => {
    const { worker, url, path } = await runningWorker(helloworld);
    expect((await postJson(`${url}/increment`, { amount: 3 })).status).toBe(200);
    expect(await (await fetch(`${url}/value`)).json()).toEqual({ value: 3 });
    expect(await worker.stop('it is time')).toBe('clean');
    expect(path).toEqual(['loading', 'loaded', 'serving', 'draining', 'stopped']);
  });
});

describe('the lifecycle, from outside', () => {
  it('lets nobody in while it loads, and says why', async () => {
    const loaded = deferred();
    const backend = defineBackend({
      name: 'slow',
      maxPerf: 1,
      init: () => loaded.promise,
      routes: { '/go': { handle: () => 'gone' } },
    });
    const { worker, url, internalUrl, reaches } = await runningWorker(backend);
    const refused = await postJson(`${url}/go`, {});
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await refused.json()).toEqual({
      error: 'not_accepting',
      message: 'The worker is loading: the worker has started.',
    });
    const status = (await (await fetch(`${internalUrl}/status`)).json()) as { state: string };
    expect(status.state).toBe('loading');
    loaded.resolve();
    await reaches('serving');
    expect((await postJson(`${url}/go`, {})).status).toBe(200);
    expect(units(worker)).toEqual({ requests: 1, received: 100 });
  });

  it('fails when the backend says so, tells the autoscaler, and comes back', async () => {
    const autoscaler = await runningAutoscaler();
    let recover = () => {};
    const backend = defineBackend({
      name: 'moody',
      maxPerf: 1,
      init: ({ recovered }) => {
        recover = recovered;
      },
      routes: {
        '/break': {
          handle: ({ fail }) => {
            fail('out of memory');
            return 'broken';
          },
        },
      },
    });
    const { url, path, reaches } = await runningWorker(backend, {
      REPORT_ADDR: autoscaler.url,
      TSWORKER_DRAIN_TIMEOUT: '10s',
    });
    await reaches('serving');
    expect((await postJson(`${url}/break`, {})).status).toBe(200);
    await reaches('failing');
    const told = await autoscaler.waitForMessage(({ kind }) => kind === 'error');
    expect(told.body).toMatchObject({ id: 7, error_msg: 'out of memory' });
    const refused = await postJson(`${url}/break`, {});
    expect(await refused.json()).toEqual({
      error: 'not_accepting',
      message: 'The worker is failing: out of memory.',
    });
    recover();
    await autoscaler.waitForMessage(({ kind, sequence }) => kind === 'loaded' && sequence > told.sequence);
    expect(path.slice(3, 5)).toEqual(['failing', 'loaded']);
  });

  it('drains: what is under way finishes, what is new is refused, and connections are closed', async () => {
    const autoscaler = await runningAutoscaler();
    const [begun, end] = [deferred(), deferred()];
    const backend = defineBackend({
      name: 'slow',
      maxPerf: 1,
      routes: {
        '/go': {
          workload: 3,
          handle: async () => {
            begun.resolve();
            await end.promise;
            return 'gone';
          },
        },
      },
    });
    const { worker, url, reaches } = await runningWorker(backend, {
      REPORT_ADDR: autoscaler.url,
      TSWORKER_DRAIN_TIMEOUT: '10s',
    });
    await reaches('serving');
    const underWay = postJson(`${url}/go`, {});
    await begun.promise;
    const stopped = worker.stop('it is time');
    const refused = await postJson(`${url}/go`, {});
    expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close']);
    end.resolve();
    const finished = await underWay;
    expect([finished.status, finished.headers.get('connection'), await finished.text()]).toEqual([
      200,
      'close',
      'gone',
    ]);
    expect(await stopped).toBe('clean');
    expect(autoscaler.messages().at(-1)?.body).toMatchObject({ num_requests_recieved: 1 });
  });

  it('cuts what is still under way when the time for draining is over', async () => {
    const begun = deferred();
    const backend = defineBackend({
      name: 'endless',
      dialect: 'none',
      routes: {
        '/go': {
          handle: ({ signal }) => {
            begun.resolve();
            return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          },
        },
      },
    });
    const { worker, url } = await runningWorker(backend, { TSWORKER_DRAIN_TIMEOUT: '50ms' });
    const underWay = postJson(`${url}/go`, {}).then(
      () => 'answered',
      () => 'cut',
    );
    await begun.promise;
    expect(await worker.stop('it is time')).toBe('cut');
    expect(await underWay).toBe('cut');
  });

  it('counts a client that leaves as cancelled, and tells the handler', async () => {
    const [begun, aborted] = [deferred(), deferred<string>()];
    const backend = defineBackend({
      name: 'patient',
      dialect: 'none',
      routes: {
        '/go': {
          workload: 2,
          handle: ({ signal }) => {
            begun.resolve();
            return new Promise((_, reject) =>
              signal.addEventListener('abort', () => {
                aborted.resolve((signal.reason as Error).name);
                reject(signal.reason);
              }),
            );
          },
        },
      },
    });
    const { worker, url } = await runningWorker(backend);
    const ended = deferred<unknown>();
    worker.bus.on('request', (event) => {
      if (event.type !== 'request.started') ended.resolve(event);
    });
    const client = new AbortController();
    const left = postJson(`${url}/go`, {}, { signal: client.signal }).catch(() => 'left');
    await begun.promise;
    client.abort();
    expect(await aborted.promise).toBe('ClientGone');
    expect(await ended.promise).toEqual({
      type: 'request.cancelled',
      id: 1,
      workload: 2,
      atMs: expect.any(Number),
    });
    expect(await left).toBe('left');
  });

  it('answers an error of the backend with 500, and nothing of what is inside', async () => {
    const backend = defineBackend({
      name: 'broken',
      dialect: 'none',
      routes: {
        '/throws': {
          handle: () => {
            throw new Error('a secret of the inside');
          },
        },
        '/bigint': { handle: () => ({ value: 1n }) },
      },
    });
    const { url } = await runningWorker(backend);
    for (const path of ['/throws', '/bigint']) {
      const response = await postJson(`${url}${path}`, {});
      expect([response.status, await response.json()]).toEqual([
        500,
        { error: 'backend_error', message: 'The backend failed to answer. The worker log has the reason.' },
      ]);
    }
  });

  it('leaves nothing listening when a port is taken', async () => {
    const { url } = await runningWorker(helloworld);
    const port = new URL(url).port;
    await expect(runningWorker(helloworld, { WORKER_PORT: port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
