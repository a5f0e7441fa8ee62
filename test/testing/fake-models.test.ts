import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Behaviour,
  type FakeModel,
  type FakeModelOptions,
  parseBehaviour,
  startFakeModel,
} from '../../src/testing/models/index.js';
import { USAGE } from '../../src/testing/models/options.js';
import { PRESETS } from '../../src/testing/models/presets.js';
import { post, RawClient, send } from '../support/client.js';
import { Program } from '../support/process.js';

async function fake(options: FakeModelOptions = {}): Promise<FakeModel> {
  const model = await startFakeModel(options);
  onTestFinished(() => model.close());
  return model;
}

function behaving(behaviour: Behaviour, options: FakeModelOptions = {}): Promise<FakeModel> {
  return fake({ ...options, behaviour });
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tsworker-fake-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A request whose client can leave. It is the raw text of one request over a connection of its own. */
function raw({ port }: FakeModel, path: string, body: object): RawClient {
  const json = JSON.stringify(body);
  const head = `POST ${path} HTTP/1.1\r\nHost: model\r\nContent-Length: ${Buffer.byteLength(json)}\r\n`;
  return new RawClient(port).write(`${head}Connection: close\r\n\r\n${json}`);
}

const COMPLETION = '/v1/completions';
const CHUNK = { created: 1_700_000_000, model: 'fake-model' };

describe('each kind answers as its engine', () => {
  it('openai: completions, whole and streamed', async () => {
    const { port } = await fake();
    expect(await post(port, COMPLETION, { prompt: 'Once upon', max_tokens: 3 })).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: {
        id: 'cmpl-1',
        object: 'text_completion',
        ...CHUNK,
        choices: [{ index: 0, text: 'tok0 tok1 tok2', logprobs: null, finish_reason: 'length' }],
        usage: { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 },
      },
    });
    const { headers, body } = await post(port, COMPLETION, { max_tokens: 2, stream: true });
    expect([headers['content-type'], eventsIn(body)]).toEqual([
      'text/event-stream; charset=utf-8',
      [
        completionChunk({ text: 'tok0', finish_reason: null }),
        completionChunk({ text: ' tok1', finish_reason: 'length' }),
        '[DONE]',
      ],
    ]);
    function completionChunk(choice: object) {
      return { id: 'cmpl-2', object: 'text_completion', ...CHUNK, choices: [{ index: 0, ...choice }] };
    }
  });

  it('openai: chats, whole and streamed, with their usage where it is asked for', async () => {
    const { port } = await fake();
    const messages = [{ role: 'user', content: 'Hello' }];
    const whole = await post(port, '/v1/chat/completions', { messages, max_completion_tokens: 2 });
    const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
    expect(whole.body).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      ...CHUNK,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'tok0 tok1' },
          logprobs: null,
          finish_reason: 'length',
        },
      ],
      usage,
    });
    const streamed = await post(port, '/v1/chat/completions', {
      messages,
      max_tokens: 2,
      stream: true,
      stream_options: { include_usage: true },
    });
    const head = { id: 'chatcmpl-2', object: 'chat.completion.chunk', ...CHUNK };
    expect(eventsIn(streamed.body)).toEqual([
      {
        ...head,
        choices: [{ index: 0, delta: { role: 'assistant', content: 'tok0' }, finish_reason: null }],
      },
      { ...head, choices: [{ index: 0, delta: { content: ' tok1' }, finish_reason: 'length' }] },
      { ...head, choices: [], usage },
      '[DONE]',
    ]);
  });

  it('openai: embeddings, models, health', async () => {
    const { port } = await fake({ modelName: 'tiny' });
    const embedding = [0.25, -0.5, 0.125, 1];
    expect((await post(port, '/v1/embeddings', { input: ['a', 'b'] })).body).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding },
        { object: 'embedding', index: 1, embedding },
      ],
      model: 'tiny',
      usage: { prompt_tokens: 3, completion_tokens: 0, total_tokens: 3 },
    });
    expect((await send(port, '/v1/models')).body).toEqual({
      object: 'list',
      data: [{ id: 'tiny', object: 'model', created: 1_700_000_000, owned_by: 'tsworker' }],
    });
    expect(await send(port, '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('tgi: the last event of a stream brings the whole text', async () => {
    const { port } = await fake({ kind: 'tgi' });
    const parameters = { max_new_tokens: 2 };
    expect((await post(port, '/generate', { inputs: 'Hi', parameters })).body).toEqual({
      generated_text: 'tok0 tok1',
    });
    const details = { finish_reason: 'length', generated_tokens: 2, seed: null };
    const tokens = [
      { id: 1, text: 'tok0', logprob: -0.5, special: false },
      { id: 2, text: ' tok1', logprob: -0.5, special: false },
    ];
    const detailed = { inputs: 'Hi', parameters: { ...parameters, details: true } };
    expect((await post(port, '/generate', detailed)).body).toEqual({
      generated_text: 'tok0 tok1',
      details: { ...details, prefill: [], tokens },
    });
    expect(eventsIn((await post(port, '/generate_stream', { inputs: 'Hi', parameters })).body)).toEqual([
      { index: 1, token: tokens[0], generated_text: null, details: null },
      {
        index: 2,
        token: tokens[1],
        generated_text: 'tok0 tok1',
        details: { ...details, input_length: 1 },
      },
    ]);
    expect((await send(port, '/info')).body).toMatchObject({ model_id: 'fake-model' });
    expect((await send(port, '/health')).status).toBe(200);
  });

  it('comfyui: the steps of the sampler are its tokens', async () => {
    const model = await fake({ kind: 'comfyui' });
    const workflow = { '3': { class_type: 'KSampler', inputs: { seed: 1, steps: 4 } } };
    const given = { input: { request_id: 'mine', workflow_json: workflow } };
    expect((await post(model.port, '/generate/sync', given)).body).toEqual({
      id: 'mine',
      status: 'completed',
      message: 'Process complete.',
      output: [{ filename: 'mine_00001_.png', subfolder: 'mine', type: 'output' }],
    });
    const modified = { input: { modifier: 'Text2Image', modifications: { steps: 6 } } };
    expect((await post(model.port, '/generate/sync', modified)).body).toMatchObject({ id: 'job-2' });
    expect(model.requests.map(({ tokens }) => tokens)).toEqual([4, 6]);
    expect((await send(model.port, '/health')).status).toBe(200);
  });

  it('sdwebui: pictures, and what was asked for', async () => {
    const model = await fake({ kind: 'sdwebui' });
    const asked = { prompt: 'a cat', steps: 5, batch_size: 2, seed: 7 };
    const { body } = await post(model.port, '/sdapi/v1/txt2img', asked);
    expect(body).toEqual({
      images: [expect.stringMatching(/^iVBORw0KGgo/), expect.stringMatching(/^iVBORw0KGgo/)],
      parameters: asked,
      info: '{"prompt":"a cat","seed":7}',
    });
    expect(model.requests.map(({ tokens }) => tokens)).toEqual([5]);
    expect((await send(model.port, '/internal/ping')).status).toBe(200);
  });

  it('ooba: results', async () => {
    const { port } = await fake({ kind: 'ooba' });
    expect((await post(port, '/api/v1/generate', { prompt: 'Hi', max_new_tokens: 2 })).body).toEqual({
      results: [{ text: 'tok0 tok1' }],
    });
    expect((await send(port, '/api/v1/model')).body).toEqual({ result: 'fake-model' });
  });

  it.each([
    ['openai', '/health'],
    ['openai', '/'],
    ['tgi', '/health'],
    ['comfyui', '/health'],
    ['sdwebui', '/internal/ping'],
    ['ooba', '/api/v1/model'],
  ] as const)('%s is asked at %s whether it is well, which no request for work is', async (kind, path) => {
    const model = await fake({ kind });
    expect((await send(model.port, path)).status).toBe(200);
    model.behave({ healthStatus: 503 });
    expect((await send(model.port, path)).status).toBe(503);
    expect([model.healthChecks.length, model.requests.length]).toEqual([2, 0]);
  });

  it('what it does not know is refused in its own form of error', async () => {
    const { port } = await fake({ kind: 'tgi' });
    expect(await send(port, '/toString')).toMatchObject({
      status: 404,
      body: { error: 'Not Found', error_type: 'validation' },
    });
    expect(await send(port, '/generate')).toMatchObject({ status: 405 });
    expect(await send(port, '/generate', { method: 'POST', body: 'no JSON' })).toMatchObject({
      status: 400,
      body: { error: 'The body is no JSON object.', error_type: 'validation' },
    });
  });
});

describe('what it records', () => {
  it('a request as it was sent, and how it ended', async () => {
    const model = await fake();
    const next = model.untilRequest(1);
    await send(model.port, `${COMPLETION}?a=1`, {
      method: 'POST',
      headers: { 'X-Twice': ['1', '2'] },
      body: '{"max_tokens": 2}',
    });
    const request = await next;
    expect(await request.ended).toBe('answered');
    expect(model.requests).toEqual([request]);
    expect({ ...pick(request), headers: request.rawHeaders.slice(0, 4) }).toEqual({
      id: 1,
      method: 'POST',
      path: `${COMPLETION}?a=1`,
      body: '{"max_tokens": 2}',
      tokens: 2,
      outcome: 'answered',
      headers: ['X-Twice', '1', 'X-Twice', '2'],
    });
    function pick({ id, method, path, body, tokens, outcome }: typeof request) {
      return { id, method, path, body, tokens, outcome };
    }
  });

  it('how many were under way at one time, those for health not counted', async () => {
    const model = await behaving({ pauseAfterTokens: 1 });
    const answers = [1, 2, 3].map(() => post(model.port, COMPLETION, { max_tokens: 2 }));
    await model.untilRequest(3);
    await send(model.port, '/health');
    expect([model.inFlight, model.maxInFlight, model.healthChecks.length]).toEqual([3, 3, 1]);
    model.behave({ pauseAfterTokens: undefined });
    await Promise.all(answers);
    await model.untilIdle();
    await post(model.port, COMPLETION, {});
    await model.untilIdle();
    expect([model.inFlight, model.maxInFlight, model.requests.length]).toEqual([0, 3, 4]);
  });

  it('a client that leaves stops the generation at once', async () => {
    const model = await behaving({ pauseAfterTokens: 3 });
    const client = raw(model, COMPLETION, { max_tokens: 1000, stream: true });
    await client.until(/tok2/);
    const request = await model.untilRequest();
    client.socket.destroy();
    await request.aborted;
    expect(await model.untilAborted()).toBe(request);
    model.behave({ pauseAfterTokens: undefined });
    // Whatever still ran would generate before a later request is answered.
    await post(model.port, COMPLETION, { max_tokens: 50, stream: true });
    expect([request.outcome, request.tokens, model.inFlight]).toEqual(['aborted', 3, 0]);
    await expect(request.untilTokens(4)).rejects.toThrow('Request 1 was aborted after 3 tokens.');
  });

  it('a client that leaves a paced stream stops it too', async () => {
    const model = await behaving({ tokensPerSecond: 200 });
    const client = raw(model, COMPLETION, { max_tokens: 100_000, stream: true });
    const request = await model.untilRequest();
    await request.untilTokens(3);
    client.socket.destroy();
    await request.aborted;
    expect(request.tokens).toBeLessThan(100_000);
  });

  it('a client that does not read holds the generation up', async () => {
    const model = await fake();
    const client = raw(model, COMPLETION, { max_tokens: 1_000_000, stream: true });
    client.socket.pause();
    const request = await model.untilRequest();
    await request.untilTokens(1000);
    client.socket.destroy();
    expect(await request.ended).toBe('aborted');
    expect(request.tokens).toBeLessThan(500_000);
  });
});

describe('how it behaves can be changed', () => {
  it('the number of tokens, whatever is asked for', async () => {
    const { port } = await behaving({ tokens: 2 });
    expect((await post(port, COMPLETION, { max_tokens: 9 })).body).toMatchObject({
      choices: [{ text: 'tok0 tok1' }],
    });
  });

  it('tokens come at their pace', async () => {
    const { port } = await behaving({ tokensPerSecond: 100 });
    const startedMs = performance.now();
    await post(port, COMPLETION, { max_tokens: 11, stream: true });
    // The first comes at once, and a timer may fire a little early.
    expect(performance.now() - startedMs).toBeGreaterThan(95);
  });

  it('the first byte can be late', async () => {
    const model = await behaving({ firstByteDelayMs: 60_000 });
    const client = raw(model, COMPLETION, {});
    const request = await model.untilRequest();
    client.socket.destroy();
    expect([await request.ended, request.tokens, client.received]).toEqual(['aborted', 0, '']);
    model.behave({ firstByteDelayMs: 50 });
    const startedMs = performance.now();
    await post(model.port, COMPLETION, {});
    expect(performance.now() - startedMs).toBeGreaterThan(45);
  });

  it('it hangs, for health as well', async () => {
    const model = await behaving({ hang: true });
    const client = raw(model, COMPLETION, {});
    const health = new RawClient(model.port).write('GET /health HTTP/1.1\r\nHost: model\r\n\r\n');
    await Promise.all([model.untilRequest(), model.untilHealthCheck()]);
    // A model that does not hang would have answered the first by the time that the second is answered.
    model.behave({ hang: false });
    await send(model.port, '/health');
    expect([client.received, health.received]).toEqual(['', '']);
    expect(model.healthChecks.map(({ outcome }) => outcome)).toEqual([undefined, 'answered']);
  });

  it('it dies in the middle of a stream', async () => {
    const causes: string[] = [];
    const model = await behaving({ crashAfterTokens: 2 }, { onCrash: (cause) => causes.push(cause) });
    const client = raw(model, COMPLETION, { max_tokens: 9, stream: true });
    const received = await client.untilEnd();
    expect([received.match(/tok\d/g), received.includes('\r\n0\r\n')]).toEqual([['tok0', 'tok1'], false]);
    expect([model.requests[0]?.outcome, model.requests[0]?.tokens, causes]).toEqual(['cut', 2, ['crash']]);
  });

  it('what it generated before it dies is sent, compressed or not', async () => {
    for (const gzip of [false, true]) {
      const model = await behaving({ crashAfterTokens: 3, gzip });
      const bytes = dechunked(await raw(model, COMPLETION, { stream: true }).untilEnd());
      // What it had to say is not over, so neither is what is compressed.
      const text = gzip ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes;
      expect([gzip, String(text).match(/tok\d/g)]).toEqual([gzip, ['tok0', 'tok1', 'tok2']]);
    }
  });

  it('it dies before its answer', async () => {
    const model = await behaving({ crashAfterTokens: 0 });
    expect(await raw(model, COMPLETION, {}).untilEnd()).toBe('');
    model.behave({ crashAfterTokens: undefined });
    expect((await post(model.port, COMPLETION, {})).status).toBe(200);
  });

  it('it runs out of memory', async () => {
    const logFile = join(folder(), 'model.log');
    const causes: string[] = [];
    const model = await behaving({ outOfMemory: true }, { logFile, onCrash: (cause) => causes.push(cause) });
    expect(await raw(model, COMPLETION, {}).untilEnd()).toBe('');
    expect([causes, readFileSync(logFile, 'utf8').includes('CUDA out of memory')]).toEqual([
      ['out of memory'],
      true,
    ]);
  });

  it('it answers with an error', async () => {
    const { port } = await behaving({ status: 429 });
    expect(await post(port, COMPLETION, {})).toMatchObject({
      status: 429,
      body: { error: { message: 'This fake model answers 429.', code: 429 } },
    });
    expect((await send(port, '/health')).status).toBe(200);
  });

  it('it is not well', async () => {
    const { port } = await behaving({ healthStatus: 500 });
    expect((await send(port, '/health')).status).toBe(500);
    expect((await post(port, COMPLETION, {})).status).toBe(200);
  });

  it('it refuses new connections, and those that idle', async () => {
    const model = await fake();
    const idle = new RawClient(model.port).write('GET /health HTTP/1.1\r\nHost: model\r\n\r\n');
    await idle.until(/"ok"/);
    model.behave({ refuse: true });
    expect((await idle.untilEnd()).match(/HTTP/g)).toEqual(['HTTP']);
    expect(await raw(model, COMPLETION, {}).untilEnd()).toBe('');
    expect(model.requests).toEqual([]);
  });

  it('it talks no HTTP', async () => {
    const model = await behaving({ garbage: true });
    expect(await raw(model, COMPLETION, {}).untilEnd()).toBe('\u0000\u0001 this is no HTTP\r\n\r\n');
  });

  it('answers are compressed, each event of a stream so that it can be read at once', async () => {
    const model = await behaving({ gzip: true, pauseAfterTokens: 1 });
    const response = await fetch(`${model.url}${COMPLETION}`, {
      method: 'POST',
      body: '{"stream": true, "max_tokens": 2}',
    });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('tok0');
    model.behave({ pauseAfterTokens: undefined });
    expect((await reader?.read())?.value).toContain('tok1');
    const whole = await raw(model, COMPLETION, { max_tokens: 1 }).untilEnd();
    const body = whole.slice(whole.indexOf('\r\n\r\n') + 4);
    expect(gunzipSync(Buffer.from(body, 'latin1')).toString()).toContain('tok0');
  });

  it('answers are bytes', async () => {
    const { url } = await behaving({ binary: true });
    const allBytes = Array.from({ length: 256 }, (_, value) => value);
    for (const stream of [false, true]) {
      const response = await fetch(`${url}${COMPLETION}`, {
        method: 'POST',
        body: JSON.stringify({ stream, max_tokens: 2 }),
      });
      const bytes = [...new Uint8Array(await response.arrayBuffer())];
      expect([response.headers.get('content-type'), bytes]).toEqual([
        'application/octet-stream',
        [...allBytes, ...allBytes],
      ]);
    }
  });

  it('answers end with a trailer', async () => {
    const model = await behaving({ trailers: true });
    for (const stream of [false, true]) {
      const received = await raw(model, COMPLETION, { stream, max_tokens: 3 }).untilEnd();
      expect(received).toMatch(/\r\nTrailer: X-Tokens\r\n[\s\S]*\r\n0\r\nX-Tokens: 3\r\n\r\n$/);
    }
  });

  it('answers have headers for one connection only', async () => {
    const { port } = await behaving({ hopByHop: true });
    expect((await post(port, COMPLETION, {})).headers).toMatchObject({
      connection: 'keep-alive, X-Hop',
      'keep-alive': 'timeout=5, max=100',
      'proxy-authenticate': 'Basic realm="fake"',
      'x-hop': 'only for the neighbour',
      'x-end-to-end': 'for the client',
    });
  });

  it('only in ways that it knows', () => {
    expect(parseBehaviour('{"tokens": 3, "hang": null}')).toEqual({ tokens: 3, hang: undefined });
    expect(() => parseBehaviour('{"tokns": 3}')).toThrow('tokns');
    expect(() => parseBehaviour('[]')).toThrow('expected record');
    expect(() => parseBehaviour('{"status": 99}')).toThrow('status');
  });
});

describe('its log', () => {
  const LOADED = {
    vllm: /^INFO: {5}Application startup complete\.$/m,
    sglang: /The server is fired up and ready to roll!$/m,
    llamacpp: /^main: server is listening on http:\/\/127\.0\.0\.1:\d+ - starting the main loop$/m,
    ollama: /msg="Listening on 127\.0\.0\.1:\d+ \(version 0\.0\.0\)"$/m,
    tgi: /^\{"timestamp":"[^"]+","level":"INFO","message":"Connected",.*\}$/m,
    'tgi-text': /server\.rs:1: Connected$/m,
    sdwebui: /^Model loaded in 0\.0s/m,
    comfyui: /^To see the GUI go to: http:\/\/127\.0\.0\.1:\d+$/m,
    ooba: /^INFO:Loaded the model in 0\.0 seconds\.$/m,
  };

  it('has a load line for each engine', () => {
    expect(Object.keys(LOADED)).toEqual(Object.keys(PRESETS));
  });

  it.each(['vllm', 'sglang', 'llamacpp', 'ollama', 'tgi', 'tgi-text', 'sdwebui', 'comfyui', 'ooba'] as const)(
    'tells when %s is loaded',
    async (preset) => {
      const logFile = join(folder(), 'log/model.log');
      await fake({ preset, logFile });
      expect(readFileSync(logFile, 'utf8')).toMatch(LOADED[preset]);
    },
  );

  it('is that of the best known engine of a kind', async () => {
    const logFile = join(folder(), 'model.log');
    await fake({ kind: 'sdwebui', logFile });
    expect(readFileSync(logFile, 'utf8')).toMatch(LOADED.sdwebui);
  });

  it('says nothing of loaded before it is, and until then all is answered 503', async () => {
    const logFile = join(folder(), 'model.log');
    const model = await fake({ logFile, loadTimeMs: 300 });
    expect(readFileSync(logFile, 'utf8')).not.toMatch(LOADED.vllm);
    expect((await send(model.port, '/health')).status).toBe(503);
    expect((await post(model.port, COMPLETION, {})).status).toBe(503);
    await model.untilLoaded();
    expect(readFileSync(logFile, 'utf8')).toMatch(LOADED.vllm);
    expect((await send(model.port, '/health')).status).toBe(200);
  });

  it('is full of lines, a traceback in a prompt among them, where it chatters', async () => {
    const logFile = join(folder(), 'model.log');
    const model = await behaving({ chatty: true }, { logFile });
    await post(model.port, COMPLETION, { prompt: 'tell me' });
    const log = readFileSync(logFile, 'utf8').trimEnd().split('\n');
    expect(log.length).toBeGreaterThan(40);
    expect(log).toEqual(
      expect.arrayContaining([
        expect.stringContaining("prompt: 'Traceback (most recent call last)"),
        String.raw`vllm: received a request: "{\"prompt\":\"tell me\"}"`,
      ]),
    );
  });
});

describe('when it is closed', () => {
  it('requests under way are cut, and who waits is told', async () => {
    const model = await startFakeModel({ behaviour: { hang: true }, loadTimeMs: 60_000 });
    const client = raw(model, COMPLETION, {});
    const request = await model.untilRequest();
    const told = Promise.allSettled([model.untilLoaded(), model.untilRequest(2), model.untilAborted()]);
    await model.close();
    await client.untilEnd();
    expect([await request.ended, await told]).toEqual([
      'cut',
      Array.from({ length: 3 }, () => ({
        status: 'rejected',
        reason: new Error('The fake model was closed.'),
      })),
    ]);
    const again = await fake({ port: model.port });
    expect(again.port).toBe(model.port);
  });
});

describe('as a program', () => {
  const PROGRAM = ['--import', 'tsx', 'src/testing/models/main.ts'];
  const start = (...args: string[]) => new Program(process.execPath, [...PROGRAM, ...args]);

  async function portOf(program: Program): Promise<number> {
    const line = await program.find('its port', () => program.lines.find((each) => each.includes('"port"')));
    return Number(/"port":(\d+)/.exec(line)?.[1]);
  }

  const says = (program: Program, text: string) =>
    program.find(text, () => program.lines.find((line) => line.includes(text)));

  it('it serves, changes its behaviour, tells of requests, and ends of SIGTERM', async () => {
    const logFile = join(folder(), 'model.log');
    const model = start('openai', '--log', logFile, '--load-time', '10ms', '--preset', 'sglang', '--report');
    const port = await portOf(model);
    await says(model, '"event":"loaded"');
    expect(readFileSync(logFile, 'utf8')).toContain('fired up and ready to roll!');
    model.type('{"tokens": 2}\nnonsense\n');
    await says(model, '"event":"behaves","behaviour":{"tokens":2}');
    await says(model, '"event":"refused"');
    expect((await post(port, COMPLETION, { max_tokens: 5 })).body).toMatchObject({
      choices: [{ text: 'tok0 tok1' }],
    });
    const request = await says(model, '"event":"request"');
    expect(JSON.parse(request)).toMatchObject({ id: 1, path: COMPLETION, body: '{"max_tokens":5}' });
    expect(JSON.parse(await says(model, '"event":"ended"'))).toEqual({
      event: 'ended',
      id: 1,
      outcome: 'answered',
      tokens: 2,
    });
    model.kill('SIGTERM');
    expect([await model.exited, model.stderr]).toEqual([{ code: 0, signal: null }, '']);
  });

  it.each([
    ['crashAfterTokens', '{"crashAfterTokens": 1}', { code: 1, signal: null }],
    ['outOfMemory', '{"outOfMemory": true}', { code: null, signal: 'SIGKILL' }],
  ])('it ends of %s', async (_name, behaviour, exit) => {
    const model = start('tgi', '--behave', behaviour);
    const port = await portOf(model);
    await expect(post(port, '/generate', { inputs: 'Hi' })).rejects.toThrow('socket hang up');
    expect(await model.exited).toEqual(exit);
  });

  it('it says what it takes', async () => {
    const model = start('--help');
    expect(await model.exited).toEqual({ code: 0, signal: null });
    expect(model.lines.join('\n')).toBe(USAGE);
  });

  it.each([
    [['nothing'], 'one kind of model server is needed'],
    [['tgi', '--port', '99999'], '--port takes a number up to 65535'],
    [['tgi', '--load-time', 'long'], '--load-time takes a time such as 500ms'],
    [['tgi', '--preset', 'x'], '--preset takes one of vllm, '],
  ])('it says what is wrong with %j', async (args, problem) => {
    const model = start(...args);
    expect(await model.exited).toEqual({ code: 1, signal: null });
    expect(model.stderr).toMatch(new RegExp(`^${problem}`));
  });
});

/** The body of an answer in chunks, as far as it came. */
function dechunked(received: string): Buffer {
  let rest = received.slice(received.indexOf('\r\n\r\n') + 4);
  let body = '';
  while (rest.length > 0) {
    const start = rest.indexOf('\r\n') + 2;
    const end = start + Number.parseInt(rest, 16);
    body += rest.slice(start, end);
    rest = rest.slice(end + 2);
  }
  return Buffer.from(body, 'latin1');
}

/** The values of the events of a stream; what is no JSON as its text. */
function eventsIn(body: unknown): unknown[] {
  return String(body)
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const data = event.replace(/^data: ?/, '');
      return data.startsWith('{') ? JSON.parse(data) : data;
    });
}

describe('what no fake model knows', () => {
  it('is refused, where it would change nothing', async () => {
    const model = await fake();
    const slip = { healthstatus: 500 } as Behaviour;
    expect(() => model.behave(slip)).toThrow(
      /^A fake model has no "healthstatus" to behave by; it has tokensPerSecond, .+, chatty\.$/,
    );
    expect(() => model.behave({ status: 42 })).toThrow('status');
    await expect(startFakeModel({ behaviour: slip })).rejects.toThrow(
      /^A fake model has no "healthstatus" to behave by; it has tokensPerSecond, .+, chatty\.$/,
    );
    expect(model.behaviour).toEqual({});
    model.behave({ status: 503 });
    model.behave({ status: undefined });
    expect((await post(model.port, COMPLETION, {})).status).toBe(200);
  });

  it('is refused, where it is a kind of model server', async () => {
    await expect(startFakeModel({ kind: 'vllm' as 'openai' })).rejects.toThrow(
      'There is no fake model of the kind "vllm"; there is openai, tgi, comfyui, sdwebui, ooba.',
    );
  });
});
