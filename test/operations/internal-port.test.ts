import { describe, expect, it } from 'vitest';
import { post, RawClient, send } from '../support/client.js';
import {
  deferred,
  makeWorker,
  quietBackend,
  serve,
  startWorker,
  untilState,
  untilView,
} from '../support/worker.js';

const PAGES = ['/livez', '/readyz', '/metrics', '/autoscale/load', '/status'] as const;

async function statusesOf(internalPort: number) {
  const answers = await Promise.all(PAGES.map((page) => send(internalPort, page)));
  return Object.fromEntries(PAGES.map((page, index) => [page, answers[index]?.status]));
}

const NOT_READY = { '/livez': 200, '/readyz': 503, '/metrics': 200, '/autoscale/load': 200, '/status': 200 };

describe('the internal port', () => {
  it('while the model loads, says what is waited for', async () => {
    const init = deferred();
    const { internalPort, worker } = await startWorker(
      quietBackend({ init: () => init.promise, routes: { '/run': { handle: () => 'ok' } } }),
    );
    expect(await statusesOf(internalPort)).toEqual(NOT_READY);
    const { body } = await send(internalPort, '/readyz');
    expect(body).toEqual({
      ready: false,
      state: 'loading',
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      forSeconds: expect.any(Number),
      reason: worker.view().reason,
    });
    expect(worker.view().reason).toMatch(/^it waits for/);
    init.resolve();
    await untilState(worker, 'serving');
  });

  it('while the worker serves, is ready', async () => {
    const { internalPort } = await serve();
    expect(await statusesOf(internalPort)).toEqual({ ...NOT_READY, '/readyz': 200 });
    expect((await send(internalPort, '/readyz')).body).toMatchObject({ ready: true, state: 'serving' });
    expect((await send(internalPort, '/livez')).body).toEqual({ alive: true });
  });

  it('while the model is broken, says why', async () => {
    const { internalPort, worker } = await serve(
      quietBackend({
        routes: {
          '/break': {
            handle: ({ fail }) => {
              fail('the fan has stopped');
              return 'broken';
            },
          },
        },
      }),
      {},
    ).then(async (running) => {
      await post(running.port, '/break', {});
      await untilState(running.worker, 'failing');
      return running;
    });
    expect(await statusesOf(internalPort)).toEqual(NOT_READY);
    expect((await send(internalPort, '/readyz')).body).toMatchObject({
      state: 'failing',
      reason: worker.view().reason,
    });
    expect(worker.view().reason).toContain('the fan has stopped');
    expect((await send(internalPort, '/metrics')).body).toContain('tsworker_state{state="failing"} 1');
  });

  it('while the worker drains, is not ready and tells its load', async () => {
    const answer = deferred();
    const running = await serve(
      quietBackend({ maxPerf: 10, routes: { '/run': { handle: () => answer.promise, workload: 25 } } }),
      { TSWORKER_DRAIN_TIMEOUT: '20s' },
    );
    const underWay = post(running.port, '/run', {});
    await untilView(running, ({ requestsUnderWay }) => requestsUnderWay === 1);
    const stopped = running.worker.stop('the test says so');
    await untilState(running.worker, 'draining');
    expect(await statusesOf(running.internalPort)).toEqual(NOT_READY);
    expect((await send(running.internalPort, '/readyz')).body).toMatchObject({
      state: 'draining',
      reason: 'the test says so',
    });
    expect((await send(running.internalPort, '/autoscale/load')).body).toEqual({
      state: 'draining',
      ready: false,
      inFlight: 1,
      queued: 0,
      pendingWorkload: 25,
      maxPerf: 10,
      utilisation: 2.5,
      rejectedLastMinute: 0,
    });
    answer.resolve();
    await underWay;
    expect(await stopped).toBe('clean');
  });

  it('takes HEAD, and answers with the head of what a GET would get', async () => {
    const { internalPort } = await serve();
    for (const page of PAGES) {
      const [get, head] = [
        await send(internalPort, page),
        await send(internalPort, page, { method: 'HEAD' }),
      ];
      expect([page, head.status, head.headers['content-type'], head.body]).toEqual([
        ...[page, get.status, get.headers['content-type'], ''],
      ]);
      expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
    }
  });

  it('takes nothing else', async () => {
    const { internalPort } = await serve();
    for (const page of PAGES) {
      const { status, headers } = await post(internalPort, page, {});
      expect([page, status, headers.allow]).toEqual([page, 405, 'GET, HEAD']);
    }
  });
});

describe('with a token', () => {
  const TOKEN = 'the-token-of-the-tests';
  const withToken = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  it('shows its pages to those alone who send it', async () => {
    const { internalPort, log } = await serve(undefined, { TSWORKER_INTERNAL_TOKEN: TOKEN });
    for (const page of [...PAGES, '/nothing']) {
      for (const sent of [{}, withToken('another'), withToken(''), { headers: { authorization: TOKEN } }]) {
        if (page === '/nothing') continue;
        const { status, headers, body } = await send(internalPort, page, sent);
        expect([page, status, headers['www-authenticate']]).toEqual([page, 401, 'Bearer']);
        expect(body).toMatchObject({ error: 'unauthorized' });
      }
      const { status, body } = await send(internalPort, page, withToken(TOKEN));
      expect([page, status]).toEqual([page, page === '/nothing' ? 404 : 200]);
      expect(JSON.stringify(body)).not.toContain(TOKEN);
    }
    expect(JSON.stringify(log.lines)).not.toContain(TOKEN);
  });

  it('listens where others can reach it', async () => {
    const env = { TSWORKER_INTERNAL_HOST: '0.0.0.0', TSWORKER_INTERNAL_TOKEN: TOKEN };
    const { internalPort } = await serve(undefined, env);
    const client = new RawClient(internalPort);
    expect(client.socket.destroyed).toBe(false);
    expect((await fetch(`http://127.0.0.2:${internalPort}/livez`, withToken(TOKEN))).status).toBe(200);
  });

  it('nothing is asked of the programs beside the model, which have a secret of their own', async () => {
    const { internalPort } = await serve(
      quietBackend({ model: { url: 'http://127.0.0.1:9' }, maxPerf: 1, routes: { '/run': {} } }),
      { TSWORKER_INTERNAL_TOKEN: TOKEN },
    );
    const mtoken = 'the-master-token';
    expect((await post(internalPort, '/report_capacity', { mtoken, max_batch_tokens: 1 })).status).toBe(200);
    expect((await post(internalPort, '/report_capacity', { mtoken: 'x', max_batch_tokens: 1 })).status).toBe(
      401,
    );
  });
});

describe('looking at a worker', () => {
  it('costs no request its turn', async () => {
    const answers = [deferred(), deferred(), deferred()];
    const order: number[] = [];
    const running = await serve(
      quietBackend({
        routes: {
          '/in-turn': {
            handle: async () => {
              const index = order.push(order.length) - 1;
              await answers[index]?.promise;
              return index;
            },
            parallel: false,
            maxQueueTime: '1h',
          },
        },
      }),
    );
    const sent = [post(running.port, '/in-turn', {})];
    await untilView(running, ({ requestsUnderWay }) => requestsUnderWay === 1);
    sent.push(post(running.port, '/in-turn', {}));
    await untilView(running, ({ requestsQueued }) => requestsQueued === 1);
    sent.push(post(running.port, '/in-turn', {}));
    await untilView(running, ({ requestsQueued }) => requestsQueued === 2);
    const before = running.requests.length;
    for (let round = 0; round < 20; round++) {
      const { body } = await send(running.internalPort, '/metrics');
      expect(body).toContain('tsworker_requests_queued 2\n');
      expect(body).toContain('tsworker_requests_in_flight{route="/in-turn"} 3\n');
    }
    expect([running.requests.length, order.length]).toEqual([before, 1]);
    for (const answer of answers) answer.resolve();
    expect((await Promise.all(sent)).map(({ body }) => body)).toEqual([0, 1, 2]);
    await untilView(running, ({ requestsUnderWay }) => requestsUnderWay === 0);
    const { body } = await send(running.internalPort, '/metrics');
    expect(body).toContain('tsworker_request_queue_seconds_count{route="/in-turn"} 3\n');
    expect(body).toContain('tsworker_requests_total{route="/in-turn",outcome="succeeded"} 3\n');
  });

  it('shows neither secrets nor what clients send, and no label of theirs', async () => {
    const running = await serve(
      quietBackend({
        routes: {
          '/run': { handle: () => 'ok' },
          '/broken': {
            handle: () => {
              throw new Error('a cause-of-the-backend');
            },
          },
        },
      }),
    );
    await post(running.port, '/run?api_key=a-secret-key', { prompt: 'a-secret-prompt' });
    await post(running.port, '/broken', { prompt: 'a-secret-prompt' });
    await post(running.port, '/of-a-client', { prompt: 'a-secret-prompt' });
    await send(running.port, '/run', { method: 'POST', headers: { 'x-a-secret': 'x' }, body: '{' });
    const shown = await Promise.all(PAGES.map((page) => send(running.internalPort, page)));
    const text = JSON.stringify(shown.map(({ body }) => body));
    expect(text).not.toMatch(/a-secret|of-a-client|cause-of-the-backend|the-master-token/);
    expect(text).toContain('tsworker_errors_told_total{code=\\"not_found\\"} 1');
    expect(text).toContain('tsworker_requests_total{route=\\"/broken\\",outcome=\\"errored\\"} 1');
    const routes = [...text.matchAll(/route=\\"([^"\\]+)\\"/g)].map(([, route]) => route);
    expect([...new Set(routes)]).toEqual(['/run', '/broken']);
  });

  it('tells of bytes, of the first one and of the end', async () => {
    const running = await serve(
      quietBackend({
        routes: {
          '/stream': {
            async *handle() {
              yield 'first';
              yield 'second';
            },
          },
        },
      }),
    );
    await post(running.port, '/stream', { a: 1 });
    await untilView(running, ({ requestsUnderWay }) => requestsUnderWay === 0);
    const { body } = await send(running.internalPort, '/metrics');
    expect(body).toContain('tsworker_request_bytes_total{route="/stream"} 7\n');
    expect(body).toContain('tsworker_response_bytes_total{route="/stream"} 11\n');
    expect(body).toContain('tsworker_request_first_byte_seconds_count{route="/stream"} 1\n');
    expect(body).toContain('tsworker_request_duration_seconds_count{route="/stream"} 1\n');
  });
});

it('each worker of a process has metrics of its own', async () => {
  const backend = quietBackend({ routes: { '/run': { handle: () => 'ok' } } });
  const [one, other] = [await serve(backend), await serve(backend)];
  await post(one.port, '/run', {});
  const line = (count: number) => `tsworker_requests_total{route="/run",outcome="succeeded"} ${count}\n`;
  await untilView(one, ({ requestsUnderWay }) => requestsUnderWay === 0);
  expect((await send(one.internalPort, '/metrics')).body).toContain(line(1));
  expect((await send(other.internalPort, '/metrics')).body).toContain(line(0));
});

it('a worker on an address that others reach is not made without a token', () => {
  expect(() => makeWorker(undefined, { TSWORKER_INTERNAL_HOST: '0.0.0.0' })).toThrow(
    'TSWORKER_INTERNAL_TOKEN',
  );
});
