import { describe, expect, it } from 'vitest';
import { ServerlessError } from '../../src/client/index.js';
import { finished, status } from '../autoscaler/bodies.js';
import { report, tellFinished } from '../autoscaler/harness.js';
import {
  failureOf,
  json,
  KEY,
  startClient,
  startPlace,
  startScripted,
  startWhole,
  startWith,
} from './world.js';

describe('a request', () => {
  it('goes to a worker, through it to the model, and back', async () => {
    const { endpoint, model, told, workerUrl, autoscaler } = await startWhole();
    const answer = await endpoint.request('/v1/completions', { prompt: 'Once', max_tokens: 3 }, { cost: 3 });
    expect(answer).toEqual({
      status: 200,
      headers: expect.any(Headers),
      body: expect.objectContaining({ object: 'text_completion' }),
      worker: workerUrl,
      requestIdx: 1,
      attempts: 1,
      durationMs: expect.any(Number),
    });
    expect(model.requests.map(({ body }) => JSON.parse(body))).toEqual([{ prompt: 'Once', max_tokens: 3 }]);
    const facts = { call: 2, endpoint: 'my-endpoint', path: '/v1/completions' };
    expect(told.slice(1)).toEqual([
      { name: 'routed', ...facts, requestIdx: 1, worker: workerUrl },
      {
        name: 'ended',
        ...facts,
        outcome: 'succeeded',
        error: null,
        worker: workerUrl,
        attempts: 1,
        durationMs: expect.any(Number),
      },
    ]);
    await autoscaler.waitForCompletion(
      ({ request_idx, status: how }) => request_idx === 1 && how === 'Success',
    );
  });

  it('tells the worker the route, the payload and nothing else: no key, no query', async () => {
    const { endpoint, worker } = await startWith((_received, response) => json(response, 200, {}));
    await endpoint.request('/x', { prompt: 'é😀', nested: [1, { a: null }] }, { cost: 2.5 });
    const [received] = worker.received;
    expect(received).toMatchObject({ method: 'POST', url: '/x' });
    expect(JSON.parse(received?.body ?? '')).toEqual({
      auth_data: {
        cost: 2.5,
        endpoint: 'my-endpoint',
        reqnum: 1,
        request_idx: 1,
        signature: expect.stringMatching(/^[\w+/]+=*$/),
        url: worker.url,
      },
      payload: { prompt: 'é😀', nested: [1, { a: null }] },
      session_id: null,
    });
    expect(received?.headers).not.toHaveProperty('authorization');
    expect(received?.headers).not.toHaveProperty('cookie');
    expect(JSON.stringify(worker.received)).not.toContain(KEY);
  });

  it('waits for a worker, and says for what', async () => {
    const { autoscaler, endpoint, told } = await startPlace();
    const worker = await startScripted((_received, response) => json(response, 200, { n: 1 }));
    const answer = endpoint.request('/x', {});
    const waits = () => told.filter(({ name }) => name === 'waiting');
    await expect.poll(() => waits().length).toBeGreaterThan(1);
    await report(autoscaler, status(1, { url: worker.url }));
    expect((await answer).body).toEqual({ n: 1 });
    expect(waits()[0]).toMatchObject({ requestIdx: 1, status: 'no worker has reported yet' });
    expect(autoscaler.requests()).toHaveLength(1);
  });

  it('is given up when no worker is ready in time, with the words of the autoscaler', async () => {
    const { autoscaler, endpoint } = await startPlace();
    await report(autoscaler, status(1, { loadtime: 0 }));
    const error = await failureOf(endpoint.request('/x', {}, { timeout: 100 }));
    expect(error.code).toBe('no_worker');
    expect(error.message).toBe(
      'No worker was ready within 0.1 s: 1 worker: 1 loading. Raise timeout, or keep workers ready: the endpoint has none that is.',
    );
  });

  it('is tried again after 408, 429 and 5xx, as the same request', async () => {
    let code = 0;
    const { endpoint, worker, told } = await startWith((_received, response, nth) =>
      json(response, nth % 3 === 0 ? 200 : code, { nth }),
    );
    const codes = [408, 429, 500, 502, 503, 504];
    for (code of codes) expect((await endpoint.request('/x', {})).attempts).toBe(3);
    const idxs = worker.received.map((each) => JSON.parse(each.body).auth_data.request_idx);
    expect(idxs).toEqual(codes.flatMap((_, index) => [index + 1, index + 1, index + 1]));
    const errors = told.flatMap((event) => (event.name === 'retry' ? [event.error] : []));
    expect(errors).toEqual(
      codes.flatMap((status) => {
        const error = { code: 'worker_failed', status, reason: undefined, worker: worker.url };
        return [error, error];
      }),
    );
  });

  it('is not tried again after any other 4xx', async () => {
    let code = 0;
    const body = { error: 'invalid_json', message: 'The body is not valid JSON.' };
    const { endpoint, worker } = await startWith((_received, response) => json(response, code, body));
    const codes = [400, 401, 404, 405, 410, 413, 415, 422];
    for (code of codes) {
      const error = await failureOf(endpoint.request('/x', {}));
      expect(error).toMatchObject({
        code: 'worker_refused',
        status: code,
        worker: worker.url,
        reason: 'invalid_json',
        body,
        message: `The worker at ${worker.url} answered ${code} invalid_json: The body is not valid JSON. Mend what the answer names: it would be the same again.`,
      });
      expect(error.headers?.get('content-type')).toBe('application/json');
    }
    expect(worker.received).toHaveLength(codes.length);
  });

  it('comes again no sooner than Retry-After asks', async () => {
    const times: number[] = [];
    const { endpoint, told } = await startWith((_received, response, nth) => {
      times.push(performance.now());
      json(response, nth === 1 ? 429 : 200, {}, nth === 1 ? { 'retry-after': '1' } : {});
    });
    await endpoint.request('/x', {});
    const pauses = told.flatMap((event) => (event.name === 'retry' ? [event.pauseMs] : []));
    expect(pauses).toEqual([expect.any(Number)]);
    expect(pauses[0]).toBeGreaterThanOrEqual(1_000);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(999);
  });

  it('is given up at once where Retry-After asks for more time than there is', async () => {
    const { endpoint, worker } = await startWith((_received, response) =>
      json(response, 503, { error: 'not_accepting', message: 'It loads.' }, { 'retry-after': '3600' }),
    );
    const error = await failureOf(endpoint.request('/x', {}, { timeout: 10_000 }));
    expect(worker.received).toHaveLength(1);
    expect(error.code).toBe('worker_failed');
    expect(error.what).toMatch(
      /answered 503 not_accepting: It loads\. It was the only attempt: the next one needs 3600 s, and less is left of the timeout of 10 s\.$/,
    );
  });

  it('is tried again within its time and no longer', async () => {
    const { endpoint, worker } = await startWith((_received, response) => json(response, 500, {}));
    const error = await failureOf(endpoint.request('/x', {}, { timeout: 1_000 }));
    const count = worker.received.length;
    // Where the time ends while an attempt is under way, that is told, with what came before.
    expect(error.code).toMatch(/^(worker_failed|timeout)$/);
    expect(error.what).toMatch(
      / answered 500\. It was the last of \d+ attempts|The attempt before failed: .* answered 500\./,
    );
    expect(count).toBeGreaterThan(2);
  });

  it('is sent again no more often than is allowed', async () => {
    const { endpoint, worker } = await startWith((_received, response) => json(response, 500, {}));
    for (const [maxRetries, count] of [
      [0, 1],
      [2, 4],
    ] as const) {
      const error = await failureOf(endpoint.request('/x', {}, { maxRetries }));
      expect(error.what).toMatch(/maxRetries allows no more\.$/);
      expect(worker.received).toHaveLength(count);
    }
  });

  it('is routed anew after its worker has told that it was rejected', async () => {
    const { autoscaler, endpoint, worker } = await startWith((_received, response, nth) => {
      if (nth > 1) return json(response, 200, {});
      const told = tellFinished(
        autoscaler,
        finished(1, { request_idx: 1, status: 'Rejected', success: false }),
      );
      void told.then(() => json(response, 429, {}));
    });
    await endpoint.request('/x', {});
    expect(worker.received.map(({ body }) => JSON.parse(body).auth_data.reqnum)).toEqual([1, 2]);
  });

  it('goes to another worker when its own is gone', async () => {
    const { autoscaler, endpoint, worker, told } = await startWith((_received, response) =>
      response.destroy(),
    );
    const other = await startScripted((_received, response) => json(response, 200, { from: 'other' }));
    await report(autoscaler, status(2, { url: other.url, cur_load: 800 }));
    await worker.close();
    const answers = await Promise.all(Array.from({ length: 20 }, () => endpoint.request('/x', {})));
    expect(answers.map(({ body, worker: by }) => [body, by])).toEqual(
      answers.map(() => [{ from: 'other' }, other.url]),
    );
    expect(told.some((event) => event.name === 'retry' && event.error.code === 'worker_lost')).toBe(true);
  });

  it('is tried again when the answer is cut, as a new request', async () => {
    const { endpoint, worker } = await startWith((_received, response, nth) => {
      if (nth > 1) return json(response, 200, { nth });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"half":', () => response.destroy());
    });
    expect((await endpoint.request('/x', {})).body).toEqual({ nth: 2 });
    expect(worker.received.map(({ body }) => JSON.parse(body).auth_data.request_idx)).toEqual([1, 2]);
  });

  it('that takes too long is aborted at the worker', async () => {
    const { endpoint, model, autoscaler } = await startWhole({
      model: { behaviour: { pauseAfterTokens: 1 } },
    });
    const error = await failureOf(endpoint.request('/v1/completions', {}, { timeout: 1_000 }));
    expect(error).toMatchObject({ code: 'timeout', worker: expect.stringMatching(/^http:/) });
    expect(error.message).toBe(
      `The worker at ${error.worker} did not answer in time. Raise timeout (for a stream idleTimeout as well), or send less work at once.`,
    );
    expect(model.requests).toHaveLength(1);
    await autoscaler.waitForCompletion(({ status: how }) => how === 'Cancelled');
  });

  it.each([
    'before it is sent',
    'while a worker is waited for',
    'while the worker works',
    'between attempts',
  ])('ends with its signal %s', async (when) => {
    const gone = new AbortController();
    const reason = new Error('the user left');
    const place = await startWith(
      (_received, response) => {
        if (when === 'while the worker works') gone.abort(reason);
        else json(response, 503, {});
      },
      { backOff: { base: 20_000, cap: 20_000 } },
    );
    const { client, endpoint, autoscaler } = place;
    if (when === 'before it is sent') gone.abort(reason);
    if (when === 'while a worker is waited for') {
      await report(autoscaler, status(1, { loadtime: 0, url: place.worker.url }));
      client.on('waiting', () => gone.abort(reason));
    }
    if (when === 'between attempts') client.on('retry', () => gone.abort(reason));
    const error = await failureOf(endpoint.request('/x', {}, { signal: gone.signal, timeout: 200_000 }));
    expect(error).toMatchObject({ code: 'aborted', cause: reason });
    expect(error.message).toBe(
      'The call was aborted. There is nothing to mend: the signal of the call ended it. The reason is the cause.',
    );
    expect(place.told.at(-1)).toMatchObject({ name: 'ended', outcome: 'failed', error: { code: 'aborted' } });
  });

  it('that its signal ends as an attempt fails is not said to be tried again', async () => {
    const gone = new AbortController();
    const leaving: typeof fetch = async (input, init) => {
      if (!String(input).endsWith('/x')) return fetch(input, init);
      gone.abort(new Error('the user left'));
      return Response.json({}, { status: 503 });
    };
    const { endpoint, told } = await startWith(() => {}, { fetch: leaving });
    told.length = 0;
    const error = await failureOf(endpoint.request('/x', {}, { signal: gone.signal }));
    expect(error).toMatchObject({ code: 'aborted', cause: new Error('the user left') });
    expect(told.map(({ name }) => name)).toEqual(['routed', 'ended']);
  });

  it('whose last attempt takes too long says how the one before failed', async () => {
    let attempts = 0;
    const impatient: typeof fetch = async (input, init) => {
      if (!String(input).endsWith('/x') || ++attempts === 1) return fetch(input, init);
      // As Node's own fetch fails when it has waited long enough.
      const cause = Object.assign(new Error('Headers Timeout Error'), { code: 'UND_ERR_HEADERS_TIMEOUT' });
      throw new TypeError('fetch failed', { cause });
    };
    const place = await startWith((_received, response) => json(response, 500, {}), { fetch: impatient });
    const error = await failureOf(place.endpoint.request('/x', {}));
    const who = `The worker at ${place.worker.url}`;
    expect([error.code, error.what]).toEqual([
      'timeout',
      `${who} did not answer in time. The attempt before failed: ${who} answered 500.`,
    ]);
  });

  it('leaves no listener on a signal that lives longer', async () => {
    const { endpoint } = await startWith((_received, response, nth) =>
      json(response, nth % 2 ? 503 : 200, {}),
    );
    const { signal } = new AbortController();
    const added = new Set<unknown>();
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: () => void, options?: object) => {
      added.add(listener);
      add(type, listener, options);
    };
    signal.removeEventListener = (type: string, listener: () => void) => {
      added.delete(listener);
      remove(type, listener);
    };
    for (let request = 0; request < 5; request++) await endpoint.request('/x', {}, { signal });
    expect(added.size).toBe(0);
  });

  it('has a body of the kind that its answer is of', async () => {
    const kinds: [type: string | undefined, bytes: string, body: unknown][] = [
      ['application/json; charset=utf-8', '{"a":1}', { a: 1 }],
      ['application/problem+json', '[1]', [1]],
      ['text/plain; charset=utf-8', 'Incremented', 'Incremented'],
      ['image/png', 'PNG', new TextEncoder().encode('PNG')],
      [undefined, 'x', new TextEncoder().encode('x')],
    ];
    const { endpoint } = await startWith((_received, response, nth) => {
      const [type, bytes] = kinds[nth - 1] ?? [];
      response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(bytes);
    });
    const bodies: unknown[] = [];
    for (const _ of kinds) bodies.push((await endpoint.request('/x', {})).body);
    expect(bodies).toEqual(kinds.map(([, , body]) => body));
  });

  it('has the body that parse makes, or fails with what parse says', async () => {
    const { endpoint, worker } = await startWith((_received, response) => json(response, 200, { n: 7 }));
    const parse = (body: unknown) => {
      if (typeof body === 'object' && body !== null && 'n' in body) return Number(body.n);
      throw new TypeError('there is no n');
    };
    expect((await endpoint.request('/x', {}, { parse })).body).toBe(7);
    const strict = (): number => {
      throw new TypeError('n must be text');
    };
    const error = await failureOf(endpoint.request('/x', {}, { parse: strict }));
    expect(error).toMatchObject({ code: 'unexpected_answer', body: { n: 7 } });
    expect(error.what).toBe(
      `The worker at ${worker.url} answered what parse does not take (n must be text).`,
    );
    expect(worker.received).toHaveLength(2);
  });

  it('whose answer is said to be JSON and is not fails, and is not sent again', async () => {
    const { endpoint, worker } = await startWith((_received, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('<html>'),
    );
    const error = await failureOf(endpoint.request('/x', {}));
    expect(error).toMatchObject({
      code: 'unexpected_answer',
      body: '<html>',
      cause: expect.any(SyntaxError),
    });
    expect(worker.received).toHaveLength(1);
  });

  it('whose error is said to be JSON and is not fails with that error', async () => {
    const { endpoint } = await startWith((_received, response) =>
      response.writeHead(502, { 'content-type': 'application/json' }).end('<html>'),
    );
    const error = await failureOf(endpoint.request('/x', {}, { maxRetries: 0 }));
    expect(error).toMatchObject({ code: 'worker_failed', status: 502, body: '<html>' });
  });

  it('follows no redirect, neither of a worker nor of the autoscaler', async () => {
    const elsewhere = await startScripted((_received, response) => json(response, 200, {}));
    const redirect = await startWith((_received, response) =>
      response.writeHead(307, { location: elsewhere.url }).end(),
    );
    const error = await failureOf(redirect.endpoint.request('/x', {}));
    expect([error.code, error.status]).toEqual(['worker_refused', 307]);
    expect(error.what).toContain('with a redirect, which is not followed');
    const moved = await startScripted((_received, response) =>
      response.writeHead(308, { location: `${elsewhere.url}/` }).end(),
    );
    const lost = await failureOf(startClient(moved.url).client.endpoint('my-endpoint'));
    expect(lost.code).toBe('autoscaler_refused');
    expect(elsewhere.received).toEqual([]);
  });

  it('is told by events that hold neither key nor payload nor answer, whoever listens', async () => {
    const { endpoint, client, told } = await startWith((_received, response, nth) =>
      json(response, nth === 1 ? 500 : 200, { answer: 's3cret-answer' }),
    );
    const complaints: unknown[] = [];
    const console_ = console.error;
    console.error = (...args: unknown[]) => void complaints.push(args);
    try {
      client.on('routed', () => {
        throw new Error('a mistake of the listener');
      });
      client.on('routed', async () => {
        throw new Error('a mistake of an async listener');
      });
      const heard: number[] = [];
      const off = client.on('routed', ({ call }) => void heard.push(call));
      await endpoint.request('/x', { prompt: 's3cret-prompt' });
      off();
      await endpoint.request('/x', {});
      expect(heard).toEqual([2, 2]);
    } finally {
      console.error = console_;
    }
    const mistakes = ['a mistake of the listener', 'a mistake of an async listener'];
    const complaint = (mistake: string) => ['A listener of "routed" failed:', new Error(mistake)];
    // The first call was tried twice.
    expect(complaints).toEqual([...mistakes, ...mistakes, ...mistakes].map(complaint));
    expect(JSON.stringify(told)).not.toMatch(/s3cret/);
    expect(JSON.stringify(told)).not.toContain(KEY);
  });
});

describe('an error', () => {
  it('is one class, with a code, and keeps its cause', async () => {
    const gone = await startScripted(() => {});
    await gone.close();
    const { client } = startClient(gone.url, { backOff: { base: 30_000, cap: 30_000 } });
    const error = await failureOf(client.endpoint('x', { timeout: 10_000 }));
    expect(error).toBeInstanceOf(ServerlessError);
    expect(error).toMatchObject({
      name: 'ServerlessError',
      code: 'autoscaler_lost',
      cause: expect.any(TypeError),
    });
    expect(error.message).toMatch(
      /^The connection to the autoscaler was lost \(fetch failed: .+\)\. It was the only attempt.+ Check autoscalerUrl and the network\./,
    );
  });
});
