import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { post, RawClient, send } from '../support/client.js';
import { serveModel } from '../support/model-server.js';
import { type Rig, ROUTES, startRig } from './rig.js';

describe("a signature for another worker's url", () => {
  it('is refused, however genuine', async () => {
    const rig = await startRig();
    const auth = rig.autoscaler.authFor('http://203.0.113.7:41234');
    expect(await rig.ask('/v1/completions', {}, { auth })).toMatchObject({
      status: 401,
      body: { error: 'invalid_signature' },
    });
    expect(rig.requests).toEqual([]);
  });

  it.each([
    ['with a slash at its end', (url: string) => `${url}/`],
    ['of another scheme', (url: string) => url.replace('http:', 'https:')],
    ['of another port', (url: string) => `${url}1`],
    ['of another case', (url: string) => url.replace('http', 'HTTP')],
  ])('is compared to the letter: one %s is refused', async (_name, change) => {
    const rig = await startRig();
    const auth = rig.autoscaler.authFor(change(rig.url));
    expect((await rig.ask('/v1/completions', {}, { auth })).status).toBe(401);
  });

  it('is taken for the urls that TSWORKER_EXTRA_URLS names, as behind a proxy', async () => {
    const rig = await startRig({
      env: { TSWORKER_EXTRA_URLS: 'https://proxy.test,https://other.test:8443' },
    });
    for (const url of ['https://proxy.test', 'https://other.test:8443', rig.url]) {
      const auth = rig.autoscaler.authFor(url);
      expect((await rig.ask('/v1/completions', { max_tokens: 1 }, { auth })).status).toBe(200);
    }
    const auth = rig.autoscaler.authFor('https://third.test');
    expect((await rig.ask('/v1/completions', {}, { auth })).status).toBe(401);
  });
});

describe('a second request of one request_idx and reqnum', () => {
  const auth = { request_idx: 5, reqnum: 6 };

  it('is taken by default: its signature proves nothing about either', async () => {
    const rig = await startRig();
    for (const _ of [1, 2]) {
      expect((await rig.ask('/v1/completions', { max_tokens: 1 }, { auth })).status).toBe(200);
    }
  });

  it('is refused with TSWORKER_REFUSE_REPEATS, and counts nowhere', async () => {
    const rig = await startRig({ env: { TSWORKER_REFUSE_REPEATS: 'true' } });
    expect((await rig.ask('/v1/completions', { max_tokens: 1 }, { auth })).status).toBe(200);
    const events = rig.requests.length;
    expect(await rig.ask('/v1/completions', { max_tokens: 1 }, { auth })).toMatchObject({
      status: 401,
      body: { error: 'repeated' },
    });
    expect(rig.requests).toHaveLength(events);
    const other = { ...auth, reqnum: 7 };
    expect((await rig.ask('/v1/completions', { max_tokens: 1 }, { auth: other })).status).toBe(200);
  });

  it('is never refused inside a session', async () => {
    const rig = await startRig({ env: { TSWORKER_REFUSE_REPEATS: 'true' } });
    const { id } = await rig.hold({}, auth);
    for (const _ of [1, 2, 3]) {
      const answer = await rig.ask('/v1/completions', { max_tokens: 1 }, { auth, session: id });
      expect(answer.status).toBe(200);
    }
  });

  it('is not remembered of a request whose signature is wrong, so that nobody is shut out', async () => {
    const rig = await startRig({ env: { TSWORKER_REFUSE_REPEATS: 'true' } });
    await rig.ask('/v1/completions', {}, { auth: { ...auth, signature: 'AAAA' } });
    expect((await rig.ask('/v1/completions', { max_tokens: 1 }, { auth })).status).toBe(200);
  });
});

/** All that could have changed by a request. */
function stateOf({ worker, requests, autoscaler, model }: Rig) {
  const { ledger, completions, sessions, requestsUnderWay, requestsQueued, state, errorMessage } =
    worker.view();
  const { requests: count, received, served, errored, cancelled, rejected, load } = ledger.totals;
  return {
    totals: { count, received, served, errored, cancelled, rejected, load },
    completions,
    sessions,
    requestsUnderWay,
    requestsQueued,
    state,
    errorMessage,
    events: requests.length,
    finished: autoscaler.finished.length,
    model: model.requests.length,
  };
}

describe('what a stranger sends is not parsed', () => {
  it('of a body whose signature is wrong, nothing but the signature is looked at', async () => {
    const rig = await startRig();
    const auth = JSON.stringify(rig.authFor({ signature: 'AAAA' }));
    const genuine = JSON.stringify(rig.authFor());
    const sendWith = (authData: string) =>
      send(rig.port, '/v1/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"auth_data":${authData},"payload":{ this is no JSON }}`,
      });
    expect(await sendWith(auth)).toMatchObject({ status: 401, body: { error: 'invalid_signature' } });
    expect(await sendWith(genuine)).toMatchObject({ status: 422, body: { error: 'invalid JSON' } });
  });

  it.each(['get', 'health', 'end'])(
    'of a call about a session, who and which, and neither if it is long: %s',
    async (name) => {
      const rig = await startRig();
      const { id, auth } = await rig.hold();
      const callWith = (sessionAuth: string) =>
        send(rig.port, `/session/${name}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: `{"more": { this is no JSON }, "session_id": "${id}", "session_auth": ${sessionAuth}}`,
        });
      expect(await callWith(`[${'{},'.repeat(100_000)}0]`)).toMatchObject({
        status: 422,
        body: { session_auth: 'Too long' },
      });
      expect(await callWith(JSON.stringify(auth))).toMatchObject({ status: 200 });
    },
  );
});

describe('those who need no signature', () => {
  it('have connections of their own to the model server, and never take those of signed requests', async () => {
    const held: ServerResponse[] = [];
    const { url } = await serveModel((request, response) => {
      if (request.url === '/v1/models') held.push(response);
      else response.end('{}');
    });
    const routes = {
      '/serial': { upstreamPath: '/v1/completions', maxQueueTime: '1h' },
      '/v1/models': { method: 'GET', public: true },
    } as const;
    const rig = await startRig({ backend: { model: { url, health: '/health' }, routes } });
    const strangers = Array.from({ length: 12 }, () => new RawClient(rig.port));
    for (const { socket } of strangers) socket.write('GET /v1/models HTTP/1.1\r\nHost: w\r\n\r\n');
    await vi.waitFor(() => expect(held.length).toBe(4), { timeout: 5_000 });
    expect((await rig.ask('/serial', {})).status).toBe(200);
  });
});

describe('a wrong signature changes nothing', () => {
  const wrong: [string, (rig: Rig, session: string) => Promise<{ status: number }>][] = [
    ['a request', (rig) => rig.ask('/v1/completions', {}, { auth: { signature: 'AAAA' } })],
    [
      'a request in a session',
      (rig, session) => rig.ask('/v1/completions', {}, { session, auth: { signature: 'AAAA' } }),
    ],
    [
      'a session',
      (rig) =>
        post(rig.port, '/session/create', { auth_data: rig.authFor({ signature: 'AAAA' }), payload: {} }),
    ],
    [
      'a request that asks for a workload without end',
      (rig) => rig.ask('/v1/completions', { max_tokens: 1e12 }, { auth: { cost: 1e300, signature: '' } }),
    ],
    [
      'a request for a number of another',
      (rig) => rig.ask('/v1/completions', {}, { auth: { request_idx: 5, signature: 'A'.repeat(344) } }),
    ],
  ];

  it.each(wrong)(
    '%s: neither the ledger, the roster, the sessions, completions nor events',
    async (_name, ask) => {
      const rig = await startRig();
      const { id, auth } = await rig.hold({ lifetime: 30 }, { request_idx: 5 });
      const session = { session_id: id, session_auth: auth };
      const before = stateOf(rig);
      const { expiration } = (await post(rig.port, '/session/get', session)).body as { expiration: number };
      expect((await ask(rig, id)).status).toBe(401);
      expect(stateOf(rig)).toEqual(before);
      const after = (await post(rig.port, '/session/get', session)).body as { expiration: number };
      expect(Math.abs(after.expiration - expiration)).toBeLessThan(0.005);
      const { working_request_idxs, num_requests_recieved, rej_load } = await rig.autoscaler.nextStatus();
      expect([working_request_idxs, num_requests_recieved, rej_load]).toEqual([[5], 1, 0]);
      expect(rig.autoscaler.finished).toEqual([]);
    },
  );

  it.each(['get', 'health', 'end'])('a wrong session_auth: /session/%s', async (name) => {
    const rig = await startRig();
    const { id, auth } = await rig.hold();
    const before = stateOf(rig);
    const body = { session_id: id, session_auth: { ...auth, cost: 1 } };
    expect((await post(rig.port, `/session/${name}`, body)).status).toBe(401);
    expect(stateOf(rig)).toEqual(before);
  });
});

describe('secrets', () => {
  it('API keys, payloads, tokens and signatures are in no line of the log, and never reach the model server', async () => {
    const rig = await startRig({
      env: {
        MASTER_TOKEN: 'SECRET-token',
        TSWORKER_LOG_LEVEL: 'debug',
        TSWORKER_UPDATE_FILE: '/no/such/SECRET',
      },
    });
    const headers = { authorization: 'Bearer SECRET-bearer', cookie: 'a=SECRET-cookie' };
    const query = '?api_key=SECRET-key';
    const prompt = 'SECRET-prompt';
    const options = { headers, query };
    const { id, auth } = await rig.hold({
      on_close_route: '/close',
      on_close_payload: { x: 'SECRET-close' },
    });
    await rig.ask('/v1/completions', { prompt, max_tokens: 1 }, options);
    await rig.ask('/v1/completions', { prompt, max_tokens: 1 }, { ...options, session: id });
    await rig.ask('/v1/completions', { prompt }, { ...options, auth: { signature: 'SECRET-signature' } });
    await rig.ask('/v1/completions', { prompt }, { ...options, session: 'SECRET-session' });
    await post(rig.port, `/v1/completions${query}`, { payload: prompt, auth_data: 'SECRET-auth' });
    await send(rig.port, `/SECRET-path${query}`, { headers });
    rig.model.behave({ status: 500 });
    await rig.ask('/v1/completions', { prompt, max_tokens: 1 }, options);
    rig.model.behave({ status: undefined, crashAfterTokens: 0 });
    await rig.ask('/v1/completions', { prompt, max_tokens: 1 }, options);
    await post(rig.port, '/session/end', { session_id: id, session_auth: auth });
    await send(rig.port, `/pyworker/update${query}`, {
      method: 'POST',
      headers: { authorization: 'Bearer SECRET-wrong' },
    });
    await post(rig.internalPort, '/report_error', { mtoken: 'SECRET-token', error_msg: 'broken' });
    await rig.autoscaler.untilStatus(({ error_msg }) => error_msg === 'broken');
    await rig.worker.stop('the test is over');
    expect(rig.log.lines.length).toBeGreaterThan(10);
    expect(rig.log.text).not.toContain('SECRET');
    expect(rig.log.text).not.toContain(rig.authFor().signature);
    expect(rig.log.text).not.toContain(id);
    const sent = rig.model.requests.map(({ rawHeaders, path }) => JSON.stringify([rawHeaders, path])).join();
    expect(sent).not.toContain('SECRET');
    expect(rig.model.requests.map(({ body }) => body).join()).not.toMatch(/SECRET-(key|bearer|cookie|token)/);
  });
});

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

it('the internal port is on loopback alone, whatever the address for clients is', async () => {
  const { port, internalPort } = await startRig({ env: { TSWORKER_HOST: '0.0.0.0' } });
  expect([await connects('127.0.0.2', port), await connects('127.0.0.2', internalPort)]).toEqual([
    true,
    false,
  ]);
  expect(await connects('127.0.0.1', internalPort)).toBe(true);
});

it('session ids are 24 random bytes, never twice', async () => {
  const rig = await startRig({ env: { TSWORKER_MAX_SESSIONS: '0' } });
  const ids = await Promise.all(Array.from({ length: 50 }, async () => (await rig.hold()).id));
  expect(new Set(ids).size).toBe(50);
  expect(ids.every((id) => Buffer.from(id, 'base64url').length === 24)).toBe(true);
});

it.each(['/v1/completions', '/session/create', '/session/get', '/session/end'])(
  'a body over the limit is 413: %s',
  async (path) => {
    const rig = await startRig({ env: { TSWORKER_BODY_LIMIT: '4KiB' } });
    expect((await post(rig.port, path, { payload: 'x'.repeat(5_000) })).status).toBe(413);
    expect(rig.requests).toEqual([]);
  },
);

describe('JSON that is nested deeper than any call stack', () => {
  const deep = (name: string) => `{"${name}": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const headers = { 'content-type': 'application/json' };

  it('goes on to the model as it is', async () => {
    const rig = await startRig();
    const body = `{"auth_data": ${JSON.stringify(rig.authFor())}, "payload": ${deep('x')}}`;
    const { status } = await send(rig.port, '/v1/completions', { method: 'POST', headers, body });
    expect([status, rig.model.requests[0]?.body.length]).toEqual([200, deep('x').length]);
  });

  it.each(['auth_data', 'on_close_payload'])(
    'in %s of a session is 422, since it would be told again',
    async (where) => {
      const rig = await startRig();
      const auth = JSON.stringify(rig.authFor());
      const more = deep('x');
      const body =
        where === 'auth_data'
          ? `{"auth_data": {${auth.slice(1, -1)}, "more": ${more}}, "payload": {}}`
          : `{"auth_data": ${auth}, "payload": {"on_close_payload": ${more}}}`;
      const answer = await send(rig.port, '/session/create', { method: 'POST', headers, body });
      expect(answer).toMatchObject({ status: 422 });
      expect(JSON.stringify(answer.body)).toContain('nested deeper than 500 levels');
      expect(rig.requests).toEqual([]);
    },
  );

  it('in session_auth is another session_auth, and no error of ours', async () => {
    const rig = await startRig();
    const { id } = await rig.hold();
    const body = `{"session_id": "${id}", "session_auth": ${deep('x')}}`;
    for (const call of ['get', 'health', 'end']) {
      const { status } = await send(rig.port, `/session/${call}`, { method: 'POST', headers, body });
      expect({ call, status }).toEqual({ call, status: 401 });
    }
  });

  it('in a body that the route parses is no error of ours', async () => {
    const rig = await startRig({
      backend: { routes: { ...ROUTES, '/v1/completions': { parseRequest: (json: unknown) => json } } },
    });
    const body = `{"auth_data": ${JSON.stringify(rig.authFor())}, "payload": ${deep('x')}}`;
    const { status } = await send(rig.port, '/v1/completions', { method: 'POST', headers, body });
    expect(status).toBe(422);
    expect(rig.requests).toEqual([]);
  });
});
