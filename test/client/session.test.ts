import { describe, expect, it } from 'vitest';
import { defineBackend } from '../../src/backend/index.js';
import { status } from '../autoscaler/bodies.js';
import { report } from '../autoscaler/harness.js';
import { deferred, startWorker, untilView } from '../support/worker.js';
import { all, failureOf, json, KEY, startScripted, startWhole, startWith } from './world.js';

describe('a session', () => {
  it('holds a worker for requests and streams, and is given back at the end of its block', async () => {
    const whole = await startWhole();
    const { endpoint, model, told, workerUrl, autoscaler, worker } = whole;
    let id = '';
    {
      await using session = await endpoint.session({
        cost: 7,
        lifetime: 30,
        onCloseRoute: '/v1/models',
        onClosePayload: { bye: true },
      });
      id = session.id;
      expect(session.worker).toBe(workerUrl);
      expect(worker.view().sessions).toBe(1);
      expect(await session.isAlive()).toBe(true);
      const info = await session.info();
      expect(info).toEqual({
        lifetime: 30,
        expiresAt: expect.any(Date),
        createdAt: expect.any(Date),
        onCloseRoute: '/v1/models',
        onClosePayload: { bye: true },
      });
      expect(info.expiresAt.getTime() - info.createdAt.getTime()).toBeCloseTo(30_000, -2);
      expect((await session.request('/v1/completions', { prompt: 'a' })).status).toBe(200);
      expect(await all(session.stream('/v1/completions', { stream: true }))).toHaveLength(3);
    }
    await untilView(whole, ({ sessions }) => sessions === 0);
    // The worker is named but once, for the session itself.
    expect(told.slice(1, -1).map((event) => ('path' in event ? [event.name, event.path] : event))).toEqual([
      ['routed', '/session/create'],
      ['ended', '/session/create'],
      ['ended', '/session/health'],
      ['ended', '/session/get'],
      ['ended', '/v1/completions'],
      ['ended', '/v1/completions'],
      ['ended', '/session/end'],
    ]);
    const ended = { name: 'sessionEnded', endpoint: 'my-endpoint', sessionId: id, worker: workerUrl };
    expect(told.at(-1)).toEqual({ ...ended, outcome: 'ended', error: null });
    await autoscaler.waitForCompletion(
      ({ request_idx, status: how }) => request_idx === 1 && how === 'Success',
    );
    const bodies = model.requests.map(({ body }) => body).join();
    expect(bodies).toContain('"bye":true');
    expect(bodies).not.toContain(KEY);
  });

  it('that has ended says so, and does so but once', async () => {
    const { endpoint, told } = await startWhole();
    const session = await endpoint.session();
    await session.end();
    await session.end();
    const ends = told.filter(({ name }) => name === 'sessionEnded');
    expect(ends).toEqual([expect.objectContaining({ outcome: 'ended' })]);
    expect(await session.isAlive()).toBe(false);
    for (const call of [
      session.request('/v1/completions', {}),
      all(session.stream('/v1/completions', {})),
      session.info(),
    ]) {
      expect((await failureOf(call)).code).toBe('session_ended');
    }
  });

  it('whose worker has ended it is over for its requests, and none to worry about at its end', async () => {
    const { endpoint, told, port } = await startWhole();
    const session = await endpoint.session({ lifetime: 0.05 });
    for (;;) if (!(await session.isAlive())) break;
    const error = await failureOf(session.request('/v1/completions', {}));
    expect(error).toMatchObject({ code: 'session_ended', status: 410, worker: `http://127.0.0.1:${port}` });
    expect((await failureOf(session.info())).code).toBe('session_ended');
    await session.end();
    expect(told.at(-1)).toMatchObject({
      name: 'sessionEnded',
      outcome: 'gone',
      error: { code: 'session_ended' },
    });
  });

  it('is made with another worker when there is no place, not before Retry-After', async () => {
    const { autoscaler, endpoint } = await startWith((_received, response) =>
      json(response, 429, { error: 'too_many_sessions', message: 'Full.' }, { 'retry-after': '0' }),
    );
    const other = await startScripted((_received, response) =>
      json(response, 201, { session_id: 's', expiration: 1 }),
    );
    const session = endpoint.session();
    await report(autoscaler, status(1, { error_msg: 'full' }));
    await report(autoscaler, status(2, { url: other.url }));
    expect(await session).toMatchObject({ id: 's', worker: other.url });
    expect(other.received.map(({ url }) => url)).toEqual(['/session/create']);
  });

  it('sends the route that it was made with, to its worker, again after 503, and never the key', async () => {
    const { endpoint, worker } = await startWith((_received, response, nth) => {
      if (nth === 1) json(response, 201, { session_id: 's', expiration: 1 });
      else json(response, nth === 2 ? 503 : 200, { ended: true });
    });
    const session = await endpoint.session({ lifetime: 5 });
    await session.request('/x', { n: 1 });
    await session.end();
    const [created, , asked, ended] = worker.received.map(({ url, body }) => ({
      url,
      body: JSON.parse(body),
    }));
    const auth = created?.body.auth_data;
    expect(auth).toMatchObject({ cost: 100, request_idx: 1, url: worker.url });
    expect(created).toEqual({ url: '/session/create', body: { auth_data: auth, payload: { lifetime: 5 } } });
    expect(asked).toEqual({ url: '/x', body: { auth_data: auth, payload: { n: 1 }, session_id: 's' } });
    expect(ended).toEqual({ url: '/session/end', body: { session_id: 's', session_auth: auth } });
    expect(JSON.stringify(worker.received)).not.toContain(KEY);
  });

  it('whose worker is gone has ended, which is known after a few attempts', async () => {
    const { endpoint, worker, told } = await startWith((_received, response) =>
      json(response, 201, { session_id: 's', expiration: 1 }),
    );
    const session = await endpoint.session();
    await worker.close();
    const before = told.length;
    const error = await failureOf(session.request('/x', {}));
    expect(error).toMatchObject({ code: 'session_ended', status: undefined, worker: worker.url });
    expect(error.message).toMatch(
      /^The connection to the worker at http:\S+ was lost \(.+ECONNREFUSED.+\)\. Nobody has answered there 5 times in a row, and a session is gone with its worker\. Begin another session\.$/,
    );
    expect((await failureOf(all(session.stream('/x', {})))).code).toBe('session_ended');
    expect((await failureOf(session.info())).code).toBe('session_ended');
    expect(await session.isAlive()).toBe(false);
    await session.end();
    const ends = told.slice(before).filter(({ name }) => name === 'ended');
    expect(ends).toMatchObject([
      { path: '/x', outcome: 'failed', error: { code: 'session_ended' }, attempts: 5 },
      { path: '/x', outcome: 'failed', error: { code: 'session_ended' }, attempts: 5 },
      { path: '/session/get', outcome: 'failed', error: { code: 'session_ended' }, attempts: 5 },
      { path: '/session/health', outcome: 'succeeded', error: null, attempts: 5 },
      { path: '/session/end', outcome: 'failed', error: { code: 'session_ended' }, attempts: 5 },
    ]);
    expect(told.at(-1)).toMatchObject({ name: 'sessionEnded', outcome: 'gone' });
  });

  it('whose address another worker has now has ended, which that one says at once, also while it loads', async () => {
    const { autoscaler, endpoint, worker, port, told } = await startWhole();
    const session = await endpoint.session();
    await worker.stop('it makes way');
    const loading = deferred();
    const env = { PUBLIC_IPADDR: '127.0.0.1', WORKER_PORT: `${port}`, REPORT_ADDR: autoscaler.url };
    const routes = { '/x': { handle: () => ({ by: 'another' }) } };
    const backend = { name: 'another', dialect: 'current', maxPerf: 1, routes } as const;
    const another = await startWorker(defineBackend({ ...backend, init: () => loading.promise }), env);
    const before = told.length;
    expect(await session.isAlive()).toBe(false);
    expect(await failureOf(session.info())).toMatchObject({
      code: 'session_ended',
      reason: 'no_such_session',
    });
    expect(await failureOf(session.request('/x', {}))).toMatchObject({
      code: 'session_ended',
      reason: 'session_gone',
    });
    expect(another.worker.view().state).toBe('loading');
    loading.resolve();
    await session.end();
    expect(told.slice(before).filter(({ name }) => name === 'ended')).toMatchObject([
      { path: '/session/health', outcome: 'succeeded', attempts: 1 },
      { path: '/session/get', outcome: 'failed', attempts: 1 },
      // Until it has learnt the public key it can't tell whom it hears.
      { path: '/x', outcome: 'failed' },
      { path: '/session/end', outcome: 'failed', attempts: 1 },
    ]);
  });

  it('lives on when its worker was away for an attempt, and when its answers were cut', async () => {
    const { endpoint, worker } = await startWith(({ url }, response, nth) => {
      if (url === '/session/create') return json(response, 201, { session_id: 's', expiration: 1 });
      if (nth === 2) return response.destroy();
      if (nth > 8) return json(response, 200, { nth });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"half":', () => response.destroy());
    });
    const session = await endpoint.session();
    expect(await session.request('/x', {})).toMatchObject({ body: { nth: 9 }, attempts: 8 });
    expect(worker.received).toHaveLength(9);
  });

  it('whose worker could not be told in time throws at its end, but not at the end of its block', async () => {
    const { endpoint, worker, told } = await startWith(
      (_received, response) => json(response, 201, { session_id: 's', expiration: 1 }),
      { routeTimeout: 100, backOff: { base: 200, cap: 200 } },
    );
    const one = await endpoint.session();
    const work = async () => {
      await using _other = await endpoint.session();
      await worker.close();
      throw new Error('what happened in the block');
    };
    await expect(work()).rejects.toThrow(/^what happened in the block$/);
    const unknown = {
      name: 'sessionEnded',
      sessionId: 's',
      outcome: 'unknown',
      error: { code: 'worker_lost' },
    };
    expect(told.at(-1)).toMatchObject(unknown);
    expect((await failureOf(one.end())).code).toBe('worker_lost');
  });

  it('whose end its worker did not take is held, and can be ended again', async () => {
    let isDeaf = true;
    const { endpoint, worker, told } = await startWith(({ url }, response) => {
      if (url === '/session/create') json(response, 201, { session_id: 's', expiration: 1 });
      else if (url === '/session/end' && isDeaf) json(response, 404, {});
      else json(response, 200, { ok: true });
    });
    const session = await endpoint.session();
    expect((await failureOf(session.end())).code).toBe('worker_refused');
    expect(await session.isAlive()).toBe(true);
    expect((await session.request('/x', {})).status).toBe(200);
    isDeaf = false;
    const asked = worker.received.length;
    const ends = [session.end(), session.end()];
    // While it is being ended nothing new is begun in it.
    expect((await failureOf(session.request('/x', {}))).code).toBe('session_ended');
    await Promise.all(ends);
    await session.end();
    expect(worker.received.slice(asked).map(({ url }) => url)).toEqual(['/session/end']);
    expect(await session.isAlive()).toBe(false);
    const outcomes = told.flatMap((event) => (event.name === 'sessionEnded' ? [event.outcome] : []));
    expect(outcomes).toEqual(['unknown', 'ended']);
  });

  it('of which the worker tells nothing fails what is asked of it, and its event says so', async () => {
    const { endpoint, told } = await startWith(({ url }, response) =>
      json(response, 200, url === '/session/create' ? { session_id: 's' } : { session: 's' }),
    );
    const session = await endpoint.session();
    const before = told.length;
    expect((await failureOf(session.isAlive())).code).toBe('unexpected_answer');
    expect((await failureOf(session.info())).code).toBe('unexpected_answer');
    expect(told.slice(before)).toEqual(
      ['/session/health', '/session/get'].map((path) =>
        expect.objectContaining({
          name: 'ended',
          path,
          outcome: 'failed',
          error: expect.objectContaining({ code: 'unexpected_answer' }),
        }),
      ),
    );
  });

  it('that the worker does not understand fails', async () => {
    const { endpoint } = await startWith((_received, response) => json(response, 200, { session: 's' }));
    expect((await failureOf(endpoint.session())).code).toBe('unexpected_answer');
    expect((await failureOf(endpoint.session({ lifetime: -1 }))).code).toBe('invalid_option');
  });
});
