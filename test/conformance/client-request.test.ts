import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { dialectFor } from '../../src/dialects/index.js';
import { post, send } from '../support/client.js';
import { PublicClient } from '../support/public-client.js';
import { SIGNATURES } from '../support/signatures.js';
import { serve, startWorker, untilState } from '../support/worker.js';
import { backendFor, openAt, rigAround, startModel, startRig } from './rig.js';
import { Scribe } from './scribe.js';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('a client posts {auth_data, payload, session_id} to a route of the backend', () => {
  it('and the model server gets the payload, as the client wrote it', async () => {
    const rig = await startRig();
    const payload = '{ "max_tokens":1,\n "seed": 12345678901234567890, "x": 1.0 , "é": "\\u00e9"}';
    const body = `{"auth_data": ${JSON.stringify(rig.authFor())}, "payload": ${payload}, "session_id": null}`;
    const answer = await send(rig.port, '/v1/completions', { method: 'POST', headers: JSON_TYPE, body });
    expect(answer.status).toBe(200);
    expect(rig.model.requests.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/v1/completions', payload],
    ]);
  });

  it('and the model server gets accept, content-type and traceparent, and nothing else of the client', async () => {
    const rig = await startRig();
    const headers = {
      accept: 'text/event-stream',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      authorization: 'Bearer secret-of-the-client',
      cookie: 'secret-of-the-client=1',
      forwarded: 'for=secret-of-the-client',
      'x-forwarded-for': 'secret-of-the-client',
      'x-api-key': 'secret-of-the-client',
      'user-agent': 'secret-of-the-client',
      host: 'secret-of-the-client:1234',
    };
    await rig.ask('/v1/completions', { max_tokens: 1 }, { headers, query: '?api_key=secret-of-the-client' });
    const [request] = rig.model.requests;
    const names = (request?.rawHeaders ?? []).filter((_, index) => index % 2 === 0);
    expect(names.map((name) => name.toLowerCase()).sort()).toEqual([
      'accept',
      'connection',
      'content-length',
      'content-type',
      'host',
      'traceparent',
    ]);
    expect(request?.rawHeaders).toEqual(expect.arrayContaining([headers.accept, headers.traceparent]));
    expect(request?.path).toBe('/v1/completions');
    expect(JSON.stringify([request?.rawHeaders, request?.path, request?.body])).not.toContain('secret');
  });

  it('and the model server is told that it is JSON, though the client did not say so', async () => {
    const rig = await startRig();
    const body = JSON.stringify({ auth_data: rig.authFor(), payload: { max_tokens: 1 } });
    expect((await send(rig.port, '/v1/completions', { method: 'POST', body })).status).toBe(200);
    const { rawHeaders = [] } = rig.model.requests[0] ?? {};
    expect(rawHeaders).toEqual(expect.arrayContaining(['content-type', 'application/json']));
  });

  it('session_id may be missing, and members that are not known are let be', async () => {
    const rig = await startRig();
    const body = { auth_data: { ...rig.authFor(), newer: 1 }, payload: { max_tokens: 1 }, newer: true };
    expect((await post(rig.port, '/v1/completions', body)).status).toBe(200);
  });
});

describe('the signature is RSA PKCS#1 v1.5 over SHA-256 of the url as Python writes it', () => {
  it('one worker url has one valid signature, whatever the other fields say', async () => {
    const rig = await startRig();
    const [one, other] = [rig.authFor(), rig.authFor({ cost: 1, reqnum: 99, request_idx: 7 })];
    expect(one.signature).toBe(other.signature);
    for (const auth of [one, other]) {
      expect((await rig.ask('/v1/completions', { max_tokens: 1 }, { auth })).status).toBe(200);
    }
  });

  it.each(SIGNATURES.current)('a vector that another implementation made: $name', async (vector) => {
    const auth: unknown = JSON.parse(vector.auth_data_json);
    const url = typeof auth === 'object' && auth !== null && 'url' in auth ? String(auth.url) : '';
    const [autoscaler, model] = [await Scribe.start(), await startModel()];
    // The vectors have a key of their own, and each is for a worker of its own.
    autoscaler.tellKey(SIGNATURES.public_key_pem);
    const rig = await rigAround(autoscaler, model, backendFor(model));
    const { openEnvelope } = dialectFor({
      name: 'current',
      hasModel: true,
      loadForm: 'sum',
      tellsCapacity: false,
    });
    const body = { auth_data: auth, payload: { max_tokens: 1 } };
    const opened = openEnvelope(JSON.stringify(body), { unsecured: false });
    const isSigned = opened.ok && opened.envelope.auth?.signedText === vector.signed_message;
    expect(isSigned || !vector.valid).toBe(true);
    // It is for another worker, so this one refuses it, be it genuine or not.
    const { status } = await post(rig.port, '/v1/completions', body);
    expect([401, 422]).toContain(status);
    expect(url).not.toBe(rig.url);
    expect(rig.requests).toEqual([]);
  });
});

describe('the answer is', () => {
  it('200 and the JSON of the model, byte for byte', async () => {
    const rig = await startRig();
    const { status, headers, body } = await rig.ask('/v1/completions', { max_tokens: 2 });
    expect([status, headers['content-type'], headers['content-length']]).toEqual([
      200,
      'application/json',
      String(Buffer.byteLength(JSON.stringify(body))),
    ]);
    expect(body).toMatchObject({ object: 'text_completion', choices: [{ text: 'tok0 tok1' }] });
  });

  it('200 and the events of the model, each before the next is made', async () => {
    const rig = await startRig({ model: { behaviour: { pauseAfterTokens: 0 } } });
    const client = rig.open('/v1/completions', { max_tokens: 4, stream: true });
    const pieces: string[] = [];
    void client.response.then((response) =>
      response.setEncoding('utf8').on('data', (piece: string) => pieces.push(piece)),
    );
    await rig.model.untilRequest();
    for (let count = 1; count <= 3; count++) {
      rig.model.behave({ pauseAfterTokens: count });
      const response = await client.response;
      while (pieces.join('').split('data:').length - 1 < count) {
        await new Promise((resolve) => response.once('data', resolve));
      }
      expect(pieces.join('').split('data:').length - 1).toBe(count);
      expect(rig.model.requests[0]?.tokens).toBe(count);
    }
    const response = await client.response;
    expect(response.headers['content-type']).toMatch(/^text\/event-stream/);
  });

  it('401 for a wrong signature', async () => {
    const rig = await startRig();
    const auth = { signature: rig.autoscaler.sign('{\n    "url": "http://203.0.113.7:1"\n}') };
    expect(await rig.ask('/v1/completions', {}, { auth })).toMatchObject({
      status: 401,
      body: { error: 'invalid_signature' },
    });
  });

  it.each<[string, object, object]>([
    ['auth_data is missing', { payload: {} }, { auth_data: 'missing' }],
    ['payload is missing', { auth_data: 'valid' }, { payload: 'missing' }],
    [
      'a field of auth_data is missing',
      { auth_data: { cost: 1, endpoint: 'e', reqnum: 1, request_idx: 1, url: 'u' }, payload: {} },
      { 'auth_data.signature': 'missing' },
    ],
    [
      'a field has another type',
      {
        auth_data: { cost: 'much', endpoint: 'e', reqnum: 1, request_idx: 1, signature: '', url: '' },
        payload: {},
      },
      { 'auth_data.cost': expect.any(String) },
    ],
    ['the body is a list', [1, 2], { body: expect.any(String) }],
  ])('422 with the field and what is wrong with it: %s', async (_name, given, problems) => {
    const rig = await startRig();
    const body = 'auth_data' in given && given.auth_data === 'valid' ? { auth_data: rig.authFor() } : given;
    expect(await post(rig.port, '/v1/completions', body)).toMatchObject({ status: 422, body: problems });
  });

  it.each(['', '{', 'nonsense'])('422 {"error": "invalid JSON"} for what is no JSON: %j', async (body) => {
    const { port } = await startRig();
    expect(await send(port, '/v1/completions', { method: 'POST', headers: JSON_TYPE, body })).toMatchObject({
      status: 422,
      body: { error: 'invalid JSON' },
    });
  });

  it('429 when the expected wait is over the limit of the route: the work in it by its speed', async () => {
    const rig = await startRig({ model: { behaviour: { pauseAfterTokens: 0 } } });
    rig.open('/v1/completions', { max_tokens: 100 });
    await rig.model.untilRequest();
    const atLimit = rig.open('/impatient', { max_tokens: 1 });
    await rig.model.untilRequest(2);
    // 101 units at 1000 a second are more than 100 ms.
    expect(await rig.ask('/impatient', { max_tokens: 1 })).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
      body: { error: 'queue_time_exceeded' },
    });
    atLimit.leave();
  });

  it('410 when session_id names no session', async () => {
    const rig = await startRig();
    expect(await rig.ask('/v1/completions', {}, { session: 'nobody' })).toMatchObject({
      status: 410,
      body: { error: 'session_gone' },
    });
  });

  it('500 when the model server can not be reached or is lost before its answer', async () => {
    const rig = await startRig();
    rig.model.behave({ crashAfterTokens: 0 });
    expect(await rig.ask('/v1/completions', { max_tokens: 1 })).toMatchObject({
      status: 500,
      body: { error: 'model_failed' },
    });
  });

  it('503 with no_public_key until the key is there', async () => {
    const rig = await startRig({ loading: true, env: { REPORT_ADDR: 'http://127.0.0.1:9' } });
    expect(await rig.ask('/v1/completions', {})).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { error: 'no_public_key' },
    });
  });
});

it('an error that will repeat is none that a client tries again: bad input is never 408, 429 or 5xx', async () => {
  const rig = await startRig({
    backend: {
      routes: {
        '/strict': {
          parseRequest: (json: unknown) => {
            throw new Error(`not this: ${typeof json}`);
          },
        },
      },
    },
  });
  const bodies = ['', '[]', '{"payload": 1}', JSON.stringify({ auth_data: rig.authFor(), payload: {} })];
  for (const body of bodies) {
    const { status } = await send(rig.port, '/strict', { method: 'POST', headers: JSON_TYPE, body });
    expect(status).toBe(422);
  }
});

it('a GET has no envelope, so it is closed with 401 unless its route is public', async () => {
  const model = await startModel();
  const { port, worker } = await startWorker(
    backendFor(model, {
      routes: { '/v1/models': { method: 'GET', public: true }, '/closed': { method: 'GET' } },
    }),
    { PUBLIC_IPADDR: '127.0.0.1', TSWORKER_SERVE_UNREPORTED: 'true', UNSECURED: 'false' },
  );
  expect((await send(port, '/closed')).body).toMatchObject({ error: 'unsigned' });
  expect((await send(port, '/v1/models')).status).toBe(503);
  await worker.stop('the rest needs a key');
  const rig = await startRig();
  expect(await send(rig.port, '/v1/models')).toMatchObject({ status: 200, body: { object: 'list' } });
  expect(rig.requests).toEqual([]);
});

it.each(['current', 'legacy'] as const)(
  'a public POST has no envelope either: all of its body is what the backend gets, and nothing of it counts (%s)',
  async (dialect) => {
    const routes = { '/open': { public: true, handle: ({ body }: { body: unknown }) => ({ got: body }) } };
    const backend = { dialect, routes };
    const rig = await startRig({ backend, env: { TSWORKER_REQUIRE_SIGNATURE: 'true' } });
    const body = { auth_data: 1, text: 'hello' };
    expect(await post(rig.port, '/open', body)).toMatchObject({ status: 200, body: { got: body } });
    const { status } = await send(rig.port, '/open', { method: 'POST', headers: JSON_TYPE, body: '{' });
    expect(status).toBe(dialect === 'current' ? 422 : 400);
    expect(rig.requests).toEqual([]);
  },
);

it('a function is answered as {"result": …}', async () => {
  const { functionBackend } = await import('../../backends/function.js');
  const backend = functionBackend({ double: ({ x }: { x: number }) => ({ doubled: 2 * x }) });
  const { port } = await serve(backend, { UNSECURED: 'true', TSWORKER_MAX_PERF: '1' });
  const [path] = backend.routes.keys();
  expect(await post(port, path ?? '', { payload: { x: 4 } })).toMatchObject({
    status: 200,
    body: { result: { doubled: 8 } },
  });
});

describe('with the public client and the local autoscaler', () => {
  async function signedWorld() {
    const autoscaler = new LocalAutoscaler({ port: 0 });
    await autoscaler.start();
    const model = await startModel();
    const running = await serve(backendFor(model), {
      REPORT_ADDR: autoscaler.url,
      PUBLIC_IPADDR: '127.0.0.1',
      TSWORKER_REPORT_INTERVAL: '50ms',
    });
    const client = new PublicClient({ autoscalerUrl: autoscaler.url, apiKey: autoscaler.apiKey });
    onTestFinished(async () => {
      await client.close();
      await running.worker.stop('the test is over');
      await autoscaler.stop();
    });
    return { autoscaler, model, client, ...running };
  }

  it('a routed request is signed, answered, and told as finished', async () => {
    const { client, autoscaler } = await signedWorld();
    const answer = await client.request('/v1/completions', { max_tokens: 3 }, { cost: 3 });
    expect(answer).toMatchObject({ status: 200, body: { choices: [{ text: 'tok0 tok1 tok2' }] } });
    const { request_idx, status } = await autoscaler.waitForCompletion(() => true);
    expect([request_idx, status]).toEqual([autoscaler.requests()[0]?.requestIdx ?? request_idx, 'Success']);
  });

  it('a stream comes token by token, and ends', async () => {
    const { client } = await signedWorld();
    const chunks: string[] = [];
    for await (const chunk of client.stream('/v1/completions', { max_tokens: 3, stream: true })) {
      chunks.push(chunk.toString());
    }
    expect(chunks.join('')).toMatch(/tok0.*tok1.*tok2.*\[DONE\]/s);
  });

  it('a client that leaves a stream stops the model', async () => {
    const { client, model, autoscaler } = await signedWorld();
    model.behave({ pauseAfterTokens: 1 });
    for await (const _ of client.stream('/v1/completions', { max_tokens: 9, stream: true })) break;
    expect((await model.untilAborted()).tokens).toBe(1);
    expect((await autoscaler.waitForCompletion(() => true)).status).toBe('Cancelled');
  });
});

describe('where the door is open (UNSECURED)', () => {
  it.each<[string, object]>([
    ['no auth_data', {}],
    ['auth_data in part', { auth_data: { request_idx: 3, url: 'http://anywhere' } }],
    ['a signature that is none', { auth_data: { signature: 'AAAA', url: 'http://anywhere' } }],
  ])('%s is taken', async (_name, envelope) => {
    const rig = await startRig({ env: { UNSECURED: 'true' } });
    expect(
      (await post(rig.port, '/v1/completions', { ...envelope, payload: { max_tokens: 1 } })).status,
    ).toBe(200);
  });
});

it('a body without an end of its own is streamed as it comes', async () => {
  const rig = await startRig({ model: { behaviour: { binary: true } } });
  const response = await openAt(
    rig.port,
    '/v1/completions',
    JSON.stringify({ auth_data: rig.authFor(), payload: { max_tokens: 5, stream: true } }),
  ).response;
  expect(response.headers['transfer-encoding']).toBe('chunked');
  const hash = createHash('sha256');
  for await (const chunk of response) hash.update(chunk as Buffer);
  const all = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  const expected = createHash('sha256')
    .update(Buffer.concat([all, all, all, all, all]))
    .digest('hex');
  expect(hash.digest('hex')).toBe(expected);
  await untilState(rig.worker, 'serving');
});
