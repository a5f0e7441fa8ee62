import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LocalAutoscaler } from '../../src/autoscaler/index.js';
import {
  json,
  KEY,
  type Place,
  type Script,
  startPlace,
  startScripted,
  startWhole,
} from '../client/world.js';
import { ROUTES } from '../conformance/rig.js';
import { data, status } from './bodies.js';
import { report, send } from './harness.js';

const CHAT = '/v1/chat/completions';
const MESSAGES = [{ role: 'user', content: 'Tell me a story.' }] as const;
const ASKED = { model: 'fake-model', messages: [...MESSAGES], max_tokens: 3 };
const BEARER = { authorization: `Bearer ${KEY}` };
const SSE = { 'content-type': 'text/event-stream' };

function clientOf({ openaiUrl: baseURL }: LocalAutoscaler, apiKey = KEY): OpenAI {
  return new OpenAI({ baseURL, apiKey, maxRetries: 0 });
}

/** One worker with the routes of an engine, in front of a model that pretends. */
async function startEngine(given: Parameters<typeof startWhole>[0] = {}) {
  const routes = { ...ROUTES, '/v1/embeddings': { parallel: true } };
  const whole = await startWhole({ ...given, backend: { routes } });
  return { ...whole, openai: clientOf(whole.autoscaler) };
}

/** A worker that answers as told. */
async function join(place: Place, id: number, script: Script) {
  const worker = await startScripted(script);
  await report(place.autoscaler, status(id, { url: worker.url }));
  return worker;
}

/** The same, and no other. */
async function startWith(script: Script) {
  const place = await startPlace();
  const worker = await join(place, 1, script);
  return { ...place, worker, openai: clientOf(place.autoscaler) };
}

/** The error that a call of the client fails with. */
async function errorOf(call: PromiseLike<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const thrown = await call.then(
    (value) => new Error(`it succeeded with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (thrown instanceof OpenAI.APIError) return thrown;
  throw thrown;
}

function post(
  autoscaler: LocalAutoscaler,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  return send(`${autoscaler.openaiUrl}/chat/completions`, {
    method: 'POST',
    headers: { ...BEARER, 'content-type': 'application/json', ...headers },
    body,
  });
}

/** The answer to a GET, once it has begun: nothing of it is read. */
async function begin(autoscaler: LocalAutoscaler, path: string): Promise<IncomingMessage> {
  const request = httpRequest(autoscaler.openaiUrl + path, { headers: BEARER }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

async function sizeOf(response: IncomingMessage): Promise<number> {
  let size = 0;
  for await (const chunk of response) size += (chunk as Buffer).length;
  return size;
}

describe('the client of OpenAI', () => {
  it('completes a chat, whose workload is the tokens that it asks for', async () => {
    const { openai, autoscaler, model, requests } = await startEngine();
    const answer = await openai.chat.completions.create(ASKED);
    expect(answer.choices[0]?.message.content).toBe('tok0 tok1 tok2');
    const { path, rawHeaders, body } = model.requests.at(-1) ?? { rawHeaders: [], body: '' };
    expect([path, JSON.parse(body)]).toEqual([CHAT, ASKED]);
    expect(JSON.stringify(rawHeaders)).not.toContain(KEY);
    await autoscaler.waitForCompletion(({ status }) => status === 'Success');
    expect(autoscaler.requests()).toMatchObject([{ state: 'finished', cost: 3 }]);
    expect(requests[0]).toMatchObject({ type: 'request.started', workload: 3 });
  });

  it('streams one, each token before the next is there', async () => {
    const { openai, model } = await startEngine({ model: { behaviour: { tokens: 3, pauseAfterTokens: 1 } } });
    const stream = await openai.chat.completions.create({ ...ASKED, stream: true });
    const tokens: (string | null | undefined)[] = [];
    for await (const { choices } of stream) {
      tokens.push(choices[0]?.delta.content);
      model.behave({ pauseAfterTokens: tokens.length + 1 });
    }
    expect(tokens.slice(0, 3)).toEqual(['tok0', ' tok1', ' tok2']);
  });

  it('cancels one, and the model stops', async () => {
    const { openai, autoscaler, model } = await startEngine({
      model: { behaviour: { tokens: 9, pauseAfterTokens: 1 } },
    });
    const stream = await openai.chat.completions.create({ ...ASKED, stream: true });
    for await (const _ of stream) break;
    await autoscaler.waitForCompletion(({ status }) => status === 'Cancelled');
    expect(model.inFlight).toBe(0);
  });

  it('embeds, and lists the models', async () => {
    const { openai } = await startEngine();
    const { data } = await openai.embeddings.create({
      model: 'fake-model',
      input: 'Once',
      encoding_format: 'float',
    });
    expect(data[0]?.embedding).toEqual([0.25, -0.5, 0.125, 1]);
    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['fake-model']);
  });

  it("throws the model's error as the model says it", async () => {
    const { openai } = await startEngine({ model: { behaviour: { status: 418 } } });
    const error = await errorOf(openai.chat.completions.create(ASKED));
    expect([error.status, error.type]).toEqual([418, 'fake_error']);
  });

  it('throws what a worker refuses in its own class of error, with the worker’s words', async () => {
    const body = { error: 'queue_time_exceeded', message: 'The wait is 9 s.' };
    const { openai } = await startWith((_received, response) =>
      json(response, 429, body, { 'retry-after': '9', 'content-length': `${JSON.stringify(body).length}` }),
    );
    const error = await errorOf(openai.chat.completions.create(ASKED));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect([error.message, error.type, error.code]).toEqual([
      '429 The wait is 9 s.',
      'rate_limit_error',
      'queue_time_exceeded',
    ]);
    expect(error.headers?.get('retry-after')).toBe('9');
  });

  it('is let in with the key of the endpoint alone', async () => {
    const { autoscaler, worker } = await startWith((_received, response) => json(response, 200, {}));
    const error = await errorOf(clientOf(autoscaler, 'other').models.list());
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect([error.type, error.code]).toEqual(['invalid_request_error', 'unauthorized']);
    expect([worker.received, autoscaler.requests()]).toEqual([[], []]);
  });
});

describe('a call', () => {
  it('comes to its worker signed, with the client’s own text, and without its key', async () => {
    const { autoscaler, worker } = await startWith((_received, response) => json(response, 200, {}));
    const text = '{ "max_tokens": 1e2, "n": 1.0, "prompt": "\\u00e9é" }';
    expect(await post(autoscaler, text, { traceparent: '00-a-b-01' })).toMatchObject({ status: 200 });
    const { url = '', headers, body = '' } = worker.received[0] ?? {};
    expect([url, headers?.traceparent]).toEqual([CHAT, '00-a-b-01']);
    expect(JSON.stringify([url, headers, body])).not.toContain(KEY);
    expect(body).toContain(`"payload":${text}}`);
    expect(JSON.parse(body)).toEqual({
      auth_data: {
        cost: 100,
        endpoint: 'my-endpoint',
        reqnum: 1,
        request_idx: 1,
        signature: expect.stringMatching(/^[\w+/]{342}==$/),
        url: worker.url,
      },
      session_id: null,
      payload: JSON.parse(text),
    });
  });

  it.each(['POST', 'GET'])('by %s comes to a worker whose address has a path below that', async (method) => {
    const { autoscaler } = await startPlace();
    const worker = await startScripted((_received, response) => json(response, 200, {}));
    await report(autoscaler, status(1, { url: `${worker.url}/below/` }));
    const headers = { ...BEARER, 'content-type': 'application/json' };
    const init = { method, headers, ...(method === 'POST' && { body: '{}' }) };
    expect((await send(`${autoscaler.openaiUrl}/x`, init)).status).toBe(200);
    expect(worker.received.map(({ url }) => url)).toEqual(['/below/v1/x']);
  });

  it.each([
    ['{"max_tokens":7}', 7],
    ['{"max_tokens":7,"max_completion_tokens":5}', 5],
    ['{"max_output_tokens":0}', 0],
    ['{"max_tokens":1e308}', 1e12],
    ['{"max_tokens":null}', 100],
    ['{"max_tokens":-1}', 100],
    ['{"max_tokens":"7"}', 100],
    ['{}', 100],
  ])('with %s costs %d', async (body, cost) => {
    const { autoscaler } = await startWith((_received, response) => json(response, 200, {}));
    await post(autoscaler, body);
    expect(autoscaler.requests()).toMatchObject([{ cost }]);
  });

  it.each<[string, string | Uint8Array<ArrayBuffer>, Record<string, string>, number, string]>([
    ['no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), {}, 400, 'invalid_json'],
    ['no JSON', '{', {}, 400, 'invalid_json'],
    ['nothing', '', {}, 400, 'invalid_json'],
    ['no object', '[1]', {}, 400, 'invalid_request'],
    ['no JSON at all', 'a=b', { 'content-type': 'multipart/form-data' }, 415, 'unsupported_media_type'],
  ])('with %s goes to no worker', async (_name, body, headers, code, error) => {
    const { autoscaler, worker } = await startWith((_received, response) => json(response, 200, {}));
    expect(await post(autoscaler, body, headers)).toMatchObject({
      status: code,
      body: {
        error: { message: expect.any(String), type: 'invalid_request_error', param: null, code: error },
      },
    });
    expect([worker.received, autoscaler.requests()]).toEqual([[], []]);
  });

  it.each([
    ['/openai/other/v1/models', 'GET', 404, 'not_found', undefined],
    ['/openai/my-endpoint/models', 'GET', 404, 'not_found', undefined],
    ['/openai/%E0/v1/models', 'GET', 400, 'malformed_request', undefined],
    ['/openai/my-endpoint/v1/models', 'DELETE', 405, 'method_not_allowed', 'GET, HEAD, POST'],
  ])('of %s by %s is %d', async (path, method, code, error, allow) => {
    const { autoscaler } = await startWith((_received, response) => json(response, 200, {}));
    const answer = await send(autoscaler.url + path, { method, headers: BEARER });
    expect(answer).toMatchObject({ status: code, body: { error: { code: error } } });
    expect(answer.headers.get('allow') ?? undefined).toBe(allow);
  });

  it('may come from the pages of origins that are named, and of no others', async () => {
    const origin = 'https://example.com';
    const { autoscaler } = await startPlace({}, { corsOrigins: [origin] });
    const preflight = (from: string) =>
      send(`${autoscaler.openaiUrl}/chat/completions`, {
        method: 'OPTIONS',
        headers: { origin: from, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight(origin);
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    expect((await preflight('https://other.example')).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('an answer', () => {
  const bytes = Buffer.from([0x1f, 0x8b, 0xff, 0x00, 0x0a, 0x80]);

  it('is handed on with its status, its headers and its bytes, but without what is about the connection', async () => {
    const { autoscaler } = await startWith((_received, response) => {
      response.setHeader('connection', 'close, x-hop');
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.setHeader('access-control-allow-origin', '*');
      response.writeHead(201, { 'content-encoding': 'br', 'x-hop': '1', 'x-end': '2' }).end(bytes);
    });
    const response = await begin(autoscaler, '/x');
    expect(await buffer(response)).toEqual(bytes);
    expect(response.statusCode).toBe(201);
    const { 'x-end': end, 'set-cookie': cookies, ...others } = response.headers;
    expect([end, cookies]).toEqual(['2', ['a=1', 'b=2']]);
    expect(Object.keys(others)).not.toEqual(expect.arrayContaining(['x-hop']));
    expect(others).not.toHaveProperty('access-control-allow-origin');
  });

  it('that breaks off does so for the client as well', async () => {
    const { autoscaler } = await startWith((_received, response) => {
      response.writeHead(200, SSE).write('data: {}\n\n', () => response.destroy());
    });
    await expect(post(autoscaler, '{}')).rejects.toThrow('terminated');
  });

  it('waits for the client that reads it', async () => {
    const total = 64 * 1024 * 1024;
    const piece = Buffer.alloc(64 * 1024);
    const taken = { '/v1/unread': 0, '/v1/read': 0 };
    function* pieces(path: keyof typeof taken) {
      for (; taken[path] < total; taken[path] += piece.length) yield piece;
    }
    const { autoscaler } = await startWith(({ url }, response) => {
      Readable.from(pieces(url === '/v1/read' ? url : '/v1/unread')).pipe(response);
    });
    const unread = await begin(autoscaler, '/unread');
    // What is read without a pause is the measure of what could have been read of the other meanwhile.
    expect(await sizeOf(await begin(autoscaler, '/read'))).toBe(total);
    expect(taken['/v1/unread']).toBeLessThan(total / 2);
    expect(await sizeOf(unread)).toBe(total);
  });

  it('has begun for the client when it has for the worker, before its first byte', async () => {
    const { autoscaler } = await startWith((_received, response) => {
      response.writeHead(202, SSE).flushHeaders();
      onTestFinished(() => void response.destroy());
    });
    const { statusCode, headers } = await begin(autoscaler, '/x');
    expect([statusCode, headers['content-type']]).toEqual([202, 'text/event-stream']);
  });

  it('that is longer than a refusal is handed on as it comes, whatever it looks like', async () => {
    const body = { error: 'queue_time_exceeded', message: 'x'.repeat(64 * 1024) };
    const length = `${JSON.stringify(body).length}`;
    const { autoscaler } = await startWith((_received, response) =>
      json(response, 429, body, { 'content-length': length }),
    );
    const answer = await post(autoscaler, '{}');
    expect([answer.status, answer.body]).toEqual([429, body]);
  });
});

describe('where a worker is missing, a call', () => {
  it('waits for one', async () => {
    const place = await startPlace();
    const answer = post(place.autoscaler, '{"max_tokens":8}');
    await vi.waitUntil(() => place.autoscaler.requests().length > 0, { timeout: 10_000, interval: 5 });
    expect(place.autoscaler.requests()).toMatchObject([{ requestIdx: 1, state: 'waiting', cost: 8 }]);
    await join(place, 1, (_received, response) => json(response, 200, { here: true }));
    expect(await answer).toMatchObject({ status: 200, body: { here: true } });
    expect(place.autoscaler.requests()).toMatchObject([{ requestIdx: 1, state: 'assigned' }]);
  });

  it.each([
    ['POST', '{}'],
    ['GET', undefined],
  ])('by %s is told when to come again, once it has waited long enough', async (method, body) => {
    const { autoscaler } = await startPlace({}, { openaiWaitMs: 20 });
    const headers = { ...BEARER, 'content-type': 'application/json' };
    const answer = await send(`${autoscaler.openaiUrl}/models`, { method, headers, ...(body && { body }) });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(answer.body).toEqual({
      error: { message: expect.any(String), type: 'server_error', param: null, code: 'no_worker' },
    });
    // Nothing waits any more, so that no capacity is kept for it.
    expect(autoscaler.requests()).toEqual([]);
  });

  it('is no longer waited with when its client leaves', async () => {
    const { autoscaler } = await startPlace();
    const leaving = new AbortController();
    const openai = clientOf(autoscaler);
    const call = openai.chat.completions.create(ASKED, { signal: leaving.signal });
    await vi.waitUntil(() => autoscaler.requests().length > 0, { timeout: 10_000, interval: 5 });
    leaving.abort();
    await expect(call).rejects.toThrow(OpenAI.APIUserAbortError);
    // Sooner than one is forgotten for which nobody asks any more.
    await vi.waitUntil(() => autoscaler.requests().length === 0, { timeout: 4_000, interval: 20 });
  });

  it('whose client leaves before the first byte is left to its worker, which tells of its end', async () => {
    const place = await startPlace();
    const leaving = new AbortController();
    let isStopped = false;
    await join(place, 1, (_received, response) => {
      response.once('close', () => {
        isStopped = true;
      });
      leaving.abort();
    });
    const call = clientOf(place.autoscaler).chat.completions.create(ASKED, { signal: leaving.signal });
    await expect(call).rejects.toThrow(OpenAI.APIUserAbortError);
    await vi.waitUntil(() => isStopped, { timeout: 10_000, interval: 5 });
    expect(place.autoscaler.requests()).toMatchObject([{ requestIdx: 1, state: 'assigned', workerId: 1 }]);
  });

  it('that is gone before its first byte goes to another', async () => {
    const place = await startPlace();
    const gone = await join(place, 1, (_received, response) => void response.destroy());
    const other = await join(place, 2, (_received, response) => json(response, 200, { worker: 2 }));
    expect(await post(place.autoscaler, '{}')).toMatchObject({ status: 200, body: { worker: 2 } });
    expect([gone.received.length, other.received.length]).toEqual([1, 1]);
    // It is one request all the while, which the other has.
    expect(place.autoscaler.requests()).toMatchObject([
      { requestIdx: 1, state: 'assigned', workerId: 2, reqnum: 2 },
    ]);
  });

  it.each(['POST', 'GET'])('by %s that nobody takes at its address goes to another', async (method) => {
    const place = await startPlace();
    const gone = await join(place, 1, () => {});
    await gone.close();
    await join(place, 2, (_received, response) => json(response, 200, { worker: 2 }));
    const headers = { ...BEARER, 'content-type': 'application/json' };
    const init = { method, headers, ...(method === 'POST' && { body: '{}' }) };
    const answer = await send(`${place.autoscaler.openaiUrl}/models`, init);
    expect(answer).toMatchObject({ status: 200, body: { worker: 2 } });
  });

  it('that is closed to it goes to another', async () => {
    const place = await startPlace();
    const body = { error: 'not_accepting', message: 'The worker drains.' };
    const length = `${JSON.stringify(body).length}`;
    await join(place, 1, (_received, response) => json(response, 503, body, { 'content-length': length }));
    await join(place, 2, (_received, response) => json(response, 200, { worker: 2 }));
    expect(await post(place.autoscaler, '{}')).toMatchObject({ status: 200, body: { worker: 2 } });
  });

  it('comes back to the one that was gone when that has told of itself again', async () => {
    const place = await startPlace();
    const worker = await join(place, 1, (_received, response, nth) => {
      if (nth > 1) json(response, 200, { nth });
      else response.destroy();
    });
    const answer = post(place.autoscaler, '{}');
    await vi.waitUntil(() => worker.received.length === 1, { timeout: 10_000, interval: 5 });
    await vi.waitUntil(() => place.autoscaler.requests()[0]?.state === 'waiting', {
      timeout: 10_000,
      interval: 5,
    });
    await report(place.autoscaler, status(1, { url: worker.url }));
    expect(await answer).toMatchObject({ status: 200, body: { nth: 2 } });
  });

  it('does not go through the whole fleet, if it may be what its workers die of', async () => {
    const place = await startPlace();
    const received: string[] = [];
    for (let id = 1; id <= 6; id += 1) {
      await join(place, id, (_received, response) => {
        received.push(`worker ${id}`);
        response.destroy();
      });
    }
    const { status: code, body } = await post(place.autoscaler, '{}');
    expect([code, received.length]).toEqual([503, 4]);
    expect(body).toMatchObject({
      error: { code: 'no_worker', message: expect.stringMatching(/could not be reached/) },
    });
    expect(place.autoscaler.requests()).toEqual([]);
  });

  it('that has waited in vain is told where it was, and what became of it there', async () => {
    const place = await startPlace({}, { openaiWaitMs: 20 });
    const { url } = await join(place, 1, (_received, response) => void response.destroy());
    const { status: code, body } = await post(place.autoscaler, '{}');
    expect(code).toBe(503);
    const where = `No worker could take the request in time: the worker at ${url} could not be reached: `;
    expect(body).toMatchObject({ error: { message: expect.stringContaining(where) } });
  });

  it('does not go to one of the legacy dialect, which has no envelope', async () => {
    const { autoscaler } = await startPlace({}, { openaiWaitMs: 20 });
    const worker = await startScripted((_received, response) => json(response, 200, {}));
    await report(autoscaler, data(1, { url: worker.url }));
    expect((await post(autoscaler, '{}')).status).toBe(503);
    expect(worker.received).toEqual([]);
  });
});
