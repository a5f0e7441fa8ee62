import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { post, send } from '../support/client.js';
import { serveModel } from '../support/model-server.js';
import { next } from '../support/worker.js';
import { type Definition, type Rig, ROUTES, startRig } from './rig.js';

const nowSeconds = () => Date.now() / 1000;

function call(rig: Rig, name: string, session: { id: string; auth: unknown }, port = rig.port) {
  return post(port, `/session/${name}`, { session_id: session.id, session_auth: session.auth });
}

describe('POST /session/create', () => {
  it('answers 201 with the id and the expiration, now + lifetime', async () => {
    const rig = await startRig();
    const before = nowSeconds();
    const body = { auth_data: rig.authFor(), payload: { lifetime: 30 } };
    const answer = await post(rig.port, '/session/create', body);
    expect(answer).toMatchObject({ status: 201, body: { session_id: expect.stringMatching(/^[\w-]{32}$/) } });
    expect(Object.keys(answer.body as object).sort()).toEqual(['expiration', 'session_id']);
    const { expiration } = answer.body as { expiration: number };
    expect(expiration).toBeGreaterThanOrEqual(before + 30 - 0.01);
    expect(expiration).toBeLessThanOrEqual(nowSeconds() + 30.01);
  });

  it('has a lifetime of 60 s where none is asked for', async () => {
    const rig = await startRig();
    const session = await rig.hold();
    expect((await call(rig, 'get', session)).body).toMatchObject({ lifetime: 60 });
  });

  it('answers 429 over max_sessions, until one has ended', async () => {
    const rig = await startRig({ env: { TSWORKER_MAX_SESSIONS: '2' } });
    const [first] = [await rig.hold(), await rig.hold()];
    const body = { auth_data: rig.authFor(), payload: {} };
    expect(await post(rig.port, '/session/create', body)).toMatchObject({
      status: 429,
      headers: { 'retry-after': '5' },
      body: { error: 'too_many_sessions' },
    });
    await call(rig, 'end', first);
    expect((await post(rig.port, '/session/create', body)).status).toBe(201);
  });

  it.each([
    [undefined, 10],
    ['0', 12],
  ])('holds as many as max_sessions says: %s', async (max, most) => {
    const rig = await startRig(max === undefined ? {} : { env: { TSWORKER_MAX_SESSIONS: max } });
    const body = () => ({ auth_data: rig.authFor(), payload: {} });
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => post(rig.port, '/session/create', body())),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(most);
  });

  it('is authenticated', async () => {
    const rig = await startRig();
    const body = { auth_data: rig.authFor({ signature: 'AAAA' }), payload: {} };
    expect((await post(rig.port, '/session/create', body)).status).toBe(401);
    expect(rig.worker.view().sessions).toBe(0);
  });

  it.each([
    [{ lifetime: 0 }, 'payload.lifetime'],
    [{ lifetime: 'long' }, 'payload.lifetime'],
    [{ on_close_route: 'http://elsewhere/close' }, 'payload.on_close_route'],
    [{ on_close_route: '//elsewhere/close' }, 'payload.on_close_route'],
    [{ on_close_route: '/close?x=1' }, 'payload.on_close_route'],
    [{ on_close_payload: 'text' }, 'payload.on_close_payload'],
  ])('answers 422 for %j', async (payload, field) => {
    const rig = await startRig();
    expect(await post(rig.port, '/session/create', { auth_data: rig.authFor(), payload })).toMatchObject({
      status: 422,
      body: { [field]: expect.any(String) },
    });
  });
});

describe('POST /session/get', () => {
  it('answers 200 with all of it', async () => {
    const rig = await startRig();
    const payload = { lifetime: 30, on_close_route: '/close', on_close_payload: { a: 1 } };
    const session = await rig.hold(payload, { cost: 5 });
    expect(await call(rig, 'get', session)).toMatchObject({
      status: 200,
      body: {
        session_id: session.id,
        auth_data: session.auth,
        lifetime: 30,
        expiration: expect.closeTo(nowSeconds() + 30, 0),
        created_at: expect.closeTo(nowSeconds(), 0),
        on_close_route: '/close',
        on_close_payload: { a: 1 },
      },
    });
  });

  it('answers 400 where there is no such session, 401 for another session_auth', async () => {
    const rig = await startRig();
    const { id, auth } = await rig.hold();
    expect((await call(rig, 'get', { id: 'another', auth })).status).toBe(400);
    expect((await call(rig, 'get', { id, auth: { ...auth, reqnum: 99 } })).status).toBe(401);
    expect((await call(rig, 'get', { id, auth: undefined })).status).toBe(422);
  });

  it.each([
    [{}, { session_id: 'missing', session_auth: 'missing' }],
    [{ session_auth: {} }, { session_id: 'missing' }],
    [{ session_id: 's' }, { session_auth: 'missing' }],
    [
      { session_id: 7, session_auth: null },
      { session_id: 'Invalid input: expected string, received number' },
    ],
    [[], { body: 'Invalid input: expected object, received array' }],
  ])('answers 422 with what is wrong by field: %j', async (body, fields) => {
    const rig = await startRig();
    expect(await post(rig.port, '/session/get', body)).toMatchObject({ status: 422, body: fields });
  });

  it('compares session_auth as parsed JSON: neither order nor white space matter', async () => {
    const rig = await startRig();
    const { id, auth } = await rig.hold();
    const reversed = Object.fromEntries(Object.entries(auth).reverse());
    const body = JSON.stringify({ session_auth: reversed, session_id: id }, null, 4);
    const headers = { 'content-type': 'application/json' };
    expect((await send(rig.port, '/session/get', { method: 'POST', headers, body })).status).toBe(200);
  });
});

describe('POST /session/health', () => {
  it('answers 200 with ok: true while it is held, false where it is not, 401 for another session_auth', async () => {
    const rig = await startRig();
    const session = await rig.hold();
    expect((await call(rig, 'health', session)).body).toEqual({ ok: true });
    expect((await call(rig, 'health', { ...session, auth: {} })).status).toBe(401);
    await call(rig, 'end', session);
    expect(await call(rig, 'health', session)).toMatchObject({ status: 200, body: { ok: false } });
  });
});

describe('POST /session/end', () => {
  it('answers 200, 410 when it is closed already, 400 for none, 401 for another session_auth', async () => {
    const rig = await startRig();
    const session = await rig.hold();
    expect((await call(rig, 'end', { ...session, auth: {} })).status).toBe(401);
    expect(await call(rig, 'end', session)).toMatchObject({
      status: 200,
      body: { ended: true, removed_session: session.id },
    });
    expect((await call(rig, 'end', session)).status).toBe(410);
    expect((await call(rig, 'end', { ...session, id: 'another' })).status).toBe(400);
  });

  it('is served on the internal port as well, for the model server', async () => {
    const rig = await startRig();
    const session = await rig.hold();
    expect((await call(rig, 'end', session, rig.internalPort)).status).toBe(200);
    expect(rig.worker.view().sessions).toBe(0);
    for (const name of ['create', 'get', 'health']) {
      expect((await call(rig, name, session, rig.internalPort)).status).toBe(404);
    }
  });

  it('aborts its requests in flight, whose clients are told 410, and the model stops', async () => {
    const rig = await startRig({ model: { behaviour: { pauseAfterTokens: 0 } } });
    const session = await rig.hold();
    const client = rig.open('/v1/completions', { max_tokens: 1 }, { session: session.id });
    await rig.model.untilRequest();
    await call(rig, 'end', session);
    expect((await client.response).statusCode).toBe(410);
    await rig.model.untilAborted();
  });

  it('then posts on_close_payload, with session_id, to on_close_route on the model server', async () => {
    const bodies: string[] = [];
    const server = await serveModel((request, response) => {
      void text(request).then((body) => {
        if (request.url === '/on/close') bodies.push(`${request.headers['content-type']} ${body}`);
        response.end('{}');
      });
    });
    const rig = await startRig({ backend: backendAt(server.url) });
    const session = await rig.hold({ on_close_route: '/on/close', on_close_payload: { why: 'bye', n: 1 } });
    await call(rig, 'end', session);
    while ((await call(rig, 'end', session)).status !== 410);
    await untilGone(rig, session);
    expect(bodies).toEqual([
      `application/json ${JSON.stringify({ why: 'bye', n: 1, session_id: session.id })}`,
    ]);
  });

  it('best effort: a model server that fails does not keep the session', async () => {
    const server = await serveModel((request, response) => {
      if (request.url === '/on/close') request.socket.destroy();
      else response.end('{}');
    });
    const rig = await startRig({ backend: backendAt(server.url) });
    const session = await rig.hold({ on_close_route: '/on/close' });
    expect((await call(rig, 'end', session)).status).toBe(200);
    await untilGone(rig, session);
    expect(rig.log.about('session.callback.failed')).toHaveLength(1);
  });
});

/** A backend in front of a server of the test's own. */
function backendAt(url: string): Definition {
  return { model: { url, health: '/health' }, routes: ROUTES };
}

async function untilGone(rig: Rig, session: { id: string; auth: unknown }): Promise<void> {
  while ((await call(rig, 'get', session)).status !== 400);
}

describe('a request with the id of a session', () => {
  it('is served in it, and sets its expiration to now + lifetime, at its start and at its end', async () => {
    const rig = await startRig({ model: { behaviour: { pauseAfterTokens: 0 } } });
    const session = await rig.hold({ lifetime: 30 });
    const expiration = async () =>
      ((await call(rig, 'get', session)).body as { expiration: number }).expiration;
    const atCreation = await expiration();
    const client = rig.open('/v1/completions', { max_tokens: 1 }, { session: session.id });
    await rig.model.untilRequest();
    const atStart = await expiration();
    const ended = next(rig.worker, 'request', ({ type }) => type === 'request.succeeded');
    rig.model.behave({ pauseAfterTokens: undefined });
    (await client.response).resume();
    await ended;
    const atEnd = await expiration();
    expect(atStart).toBeGreaterThan(atCreation);
    expect(atEnd).toBeGreaterThan(atStart);
  });

  it('never adds up: after 50 quick requests it expires no later than now + lifetime', async () => {
    const rig = await startRig();
    const session = await rig.hold({ lifetime: 60 });
    await Promise.all(
      Array.from({ length: 50 }, () =>
        rig.ask('/v1/completions', { max_tokens: 1 }, { session: session.id }),
      ),
    );
    const { expiration } = (await call(rig, 'get', session)).body as { expiration: number };
    expect(expiration).toBeLessThanOrEqual(nowSeconds() + 60.01);
  });

  it('keeps the session from expiring while it is in flight', async () => {
    const rig = await startRig({ model: { behaviour: { pauseAfterTokens: 0 } } });
    const short = await rig.hold({ lifetime: 0.02 });
    const client = rig.open('/v1/completions', { max_tokens: 1 }, { session: short.id });
    await rig.model.untilRequest();
    const other = await rig.hold({ lifetime: 0.01 });
    // The other one, which was due as early, has been swept away.
    await untilGone(rig, other);
    expect((await call(rig, 'health', short)).body).toEqual({ ok: true });
    rig.model.behave({ pauseAfterTokens: undefined });
    expect((await client.response).statusCode).toBe(200);
  });

  it('is taken while the worker drains, when others are not, and 410 once the session has ended', async () => {
    const rig = await startRig({ env: { TSWORKER_DRAIN_TIMEOUT: '5s' } });
    const session = await rig.hold();
    const stopped = rig.worker.stop('the test says so');
    const inSession = { session: session.id };
    expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(503);
    expect((await rig.ask('/v1/completions', { max_tokens: 1 }, inSession)).status).toBe(200);
    await call(rig, 'end', session);
    expect(await stopped).toBe('clean');
    expect(rig.autoscaler.finished.map(({ status }) => status).sort()).toEqual(['Rejected', 'Success']);
  });
});

it('an expired session is ended within 5 s, and says so to the model server', async () => {
  const closed: number[] = [];
  const server = await serveModel((request, response) => {
    if (request.url === '/on/close') closed.push(performance.now());
    response.end('{}');
  });
  const rig = await startRig({ backend: backendAt(server.url) });
  const session = await rig.hold({ lifetime: 0.1, on_close_route: '/on/close' });
  const dueAtMs = performance.now() + 100;
  await untilGone(rig, session);
  expect(closed).toHaveLength(1);
  expect((closed[0] ?? Number.POSITIVE_INFINITY) - dueAtMs).toBeLessThan(5_000);
  expect((await rig.ask('/v1/completions', {}, { session: session.id })).status).toBe(410);
});
