import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { comfyui } from '../../backends/comfyui.js';
import { ooba } from '../../backends/ooba.js';
import { openai } from '../../backends/openai.js';
import { sdwebui } from '../../backends/sdwebui.js';
import { tgi } from '../../backends/tgi.js';
import type { Backend } from '../../src/backend/index.js';
import { type FakeModel, type KindName, startFakeModel } from '../../src/testing/models/index.js';
import { isPreset, PRESETS } from '../../src/testing/models/presets.js';
import { post, send } from '../support/client.js';
import { serveModel } from '../support/model-server.js';
import { untilState, untilView } from '../support/worker.js';
import { ask, begin, fakeModel, type Stand, scratch, stand, workOf } from './stand.js';

const PICTURE = { prompt: 'a fox', width: 512, height: 512, steps: 2 };

interface Case {
  readonly kind: KindName;
  readonly backend: (model: FakeModel) => Backend;
  readonly path: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly workload: number;
  /** Requests to the model that measure: those that warm it up included. */
  readonly benchmark: { path: string; requests: number; atOnce: number };
  readonly legacy?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const EIGHT_ROUNDS_OF_TEN = { requests: 81, atOnce: 10 };

const CASES: readonly Case[] = [
  ...['vllm', 'sglang', 'llamacpp', 'ollama'].map(
    (preset): Case => ({
      kind: 'openai',
      backend: ({ url }) => openai({ preset, modelServerUrl: url }),
      path: '/v1/completions',
      payload: { prompt: 'a', max_tokens: 7 },
      workload: 7,
      benchmark: { path: '/v1/completions', ...EIGHT_ROUNDS_OF_TEN },
      env: { TSWORKER_PRESET: preset },
    }),
  ),
  {
    kind: 'tgi',
    backend: () => tgi(),
    path: '/generate',
    payload: { inputs: 'abcd', parameters: { max_new_tokens: 9 } },
    workload: 9,
    benchmark: { path: '/generate', ...EIGHT_ROUNDS_OF_TEN },
  },
  {
    kind: 'tgi',
    backend: () => tgi({ dialect: 'legacy' }),
    path: '/generate',
    payload: { inputs: 'abcd', parameters: { max_new_tokens: 9 } },
    workload: 10,
    benchmark: { path: '/generate', ...EIGHT_ROUNDS_OF_TEN },
    legacy: true,
  },
  {
    kind: 'comfyui',
    backend: () => comfyui({ preset: 'sd3' }),
    path: '/generate/sync',
    payload: { input: { modifier: 'a', modifications: { width: 1024, height: 1024, steps: 28 } } },
    workload: 1_200,
    benchmark: { path: '/generate/sync', requests: 4, atOnce: 1 },
  },
  {
    kind: 'sdwebui',
    backend: () => sdwebui(),
    path: '/sdapi/v1/txt2img',
    payload: PICTURE,
    workload: 512 * 512 * 2 + 2.66,
    benchmark: { path: '/sdapi/v1/txt2img', requests: 4, atOnce: 1 },
  },
  {
    kind: 'ooba',
    backend: () => ooba(),
    path: '/api/v1/generate',
    payload: { prompt: 'abcd', max_new_tokens: 9 },
    workload: 10,
    benchmark: { path: '/api/v1/generate', requests: 5, atOnce: 1 },
    legacy: true,
  },
];

const named = CASES.map((each) => ({ name: nameOf(each), ...each }));

function nameOf({ kind, env, legacy }: Case): string {
  const more = env?.TSWORKER_PRESET ?? (legacy && kind === 'tgi' ? 'legacy dialect' : '');
  return more === '' ? kind : `${kind} (${more})`;
}

function request(running: Stand, { path, payload, legacy }: Pick<Case, 'path' | 'payload' | 'legacy'>) {
  return legacy ? post(running.port, path, payload) : ask(running, path, payload);
}

describe.each(named)('$name', (each) => {
  it('serves once it is well and measured, and counts the work', async () => {
    // Slow enough that requests which are sent at once are under way at once.
    const model = await fakeModel({ kind: each.kind, behaviour: { firstByteDelayMs: 20 } });
    const running = await stand(each.backend(model), { MODEL_SERVER_URL: model.url, ...each.env });

    const { path, requests, atOnce } = each.benchmark;
    const sent = model.requests.filter(({ method }) => method === 'POST');
    expect(sent.map((one) => one.path)).toEqual(Array(requests).fill(path));
    expect(model.maxInFlight).toBe(atOnce);
    const { maxPerf } = await untilView(running, ({ state }) => state === 'serving');
    expect(maxPerf).toBeGreaterThan(0);
    expect(running.measured()).toBe(maxPerf);

    const before = model.requests.length;
    const answer = await request(running, each);
    expect(answer.status).toBe(200);
    const [one] = model.requests.slice(before);
    expect(one).toMatchObject({ method: 'POST', path: each.path, body: JSON.stringify(each.payload) });
    expect(workOf(running)).toEqual([each.workload]);
  });

  it('has loaded, where its log is known, when a line of that says so', async () => {
    const model = await fakeModel({ kind: each.kind });
    const log = join(scratch(), 'model.log');
    const preset = each.env?.TSWORKER_PRESET ?? each.kind;
    const running = await begin(each.backend(model), {
      MODEL_SERVER_URL: model.url,
      MODEL_LOG: log,
      TSWORKER_MAX_PERF: '100',
      ...each.env,
    });
    expect((await request(running, each)).status).toBe(503);
    appendFileSync(log, `${loadLine(preset)}\n`);
    await untilState(running.worker, 'serving');
    expect((await request(running, each)).status).toBe(200);
  });
});

function loadLine(preset: string): string {
  if (!isPreset(preset)) throw new Error(`no log of ${preset} is known`);
  return PRESETS[preset].loaded({ url: 'http://127.0.0.1:1', loadTimeMs: 1, at: '2026-01-01T00:00:00Z' });
}

describe('openai', () => {
  const served = async (options: { modelName?: string } = {}) => {
    const model = await fakeModel({ kind: 'openai', modelName: 'the-name' });
    const backend = openai({ modelServerUrl: `${model.url}/`, ...options });
    return { model, running: await stand(backend, { MODEL_SERVER_URL: model.url }) };
  };
  const modelsIn = ({ requests }: FakeModel) =>
    new Set(
      requests.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body).model as unknown),
    );

  it('measures the model that the server tells, asked once', async () => {
    const { model } = await served();
    expect(modelsIn(model)).toEqual(new Set(['the-name']));
    expect(model.requests.filter(({ path }) => path === '/v1/models')).toHaveLength(1);
  });

  it('measures the model that is named, and asks nobody', async () => {
    const { model } = await served({ modelName: 'mine' });
    expect(modelsIn(model)).toEqual(new Set(['mine']));
    expect(model.requests.filter(({ path }) => path === '/v1/models')).toHaveLength(0);
  });

  it('tells the models to everybody, which is no work', async () => {
    const { running } = await served();
    const answer = await send(running.port, '/v1/models');
    expect(answer).toMatchObject({ status: 200, body: { object: 'list', data: [{ id: 'the-name' }] } });
    expect(running.requests).toEqual([]);
  });

  it('measures without a name where the server tells none', async () => {
    const model = await serveModel((request, response) => {
      bodies.push(text(request));
      response.statusCode = request.url === '/v1/models' ? 404 : 200;
      response.end('{}');
    });
    const bodies: Promise<string>[] = [];
    await stand(openai({ modelServerUrl: model.url }), { MODEL_SERVER_URL: model.url });
    const sent = (await Promise.all(bodies)).filter((body) => body !== '');
    expect(sent).toHaveLength(81);
    expect(sent[0]).toMatch(/^{"prompt":"Story 0, .*","max_tokens":256,"ignore_eos":true}$/);
    expect(new Set(sent).size).toBe(81);
  });

  it('keeps what it measured for the model that it was', async () => {
    const TSWORKER_BENCHMARK_FILE = join(scratch(), 'benchmarks.json');
    const measurements: number[] = [];
    let port = 0;
    for (const modelName of ['one', 'one', 'two']) {
      const model = await startFakeModel({ modelName, port });
      onTestFinished(() => model.close());
      port = model.port;
      const env = { MODEL_SERVER_URL: model.url, TSWORKER_BENCHMARK_FILE };
      const { worker } = await stand(openai({ modelServerUrl: model.url }), env);
      await worker.stop('measured');
      measurements.push(model.requests.filter(({ method }) => method === 'POST').length);
      await model.close();
    }
    expect(measurements).toEqual([81, 0, 81]);
  });

  it('streams a chat, several at once, and counts the newer name of its length', async () => {
    const { model, running } = await served();
    model.behave({ pauseAfterTokens: 1 });
    const before = model.requests.length;
    const chat = { messages: [{ role: 'user', content: 'Hi' }], stream: true, max_completion_tokens: 3 };
    const answers = [1, 2, 3].map(() => ask(running, '/v1/chat/completions', chat));
    await model.untilRequest(before + 3);
    expect(model.inFlight).toBe(3);
    model.behave({ pauseAfterTokens: undefined });
    for (const answer of await Promise.all(answers)) {
      expect(answer.headers['content-type']).toContain('text/event-stream');
      expect(String(answer.body).trimEnd()).toMatch(/^data: \{.*\ndata: \[DONE\]$/s);
    }
    expect(workOf(running)).toEqual([3, 3, 3]);
  });

  it('counts 100 for embeddings', async () => {
    const { running } = await served();
    expect((await ask(running, '/v1/embeddings', { input: 'a' })).status).toBe(200);
    expect(workOf(running)).toEqual([100]);
  });

  it('keeps the text of the client, numbers as they were written', async () => {
    const { model, running } = await served();
    const before = model.requests.length;
    const payload = '{ "prompt" : "a", "seed": 12345678901234567890, "temperature": 1.0 }';
    const sent = { method: 'POST', headers: { 'content-type': 'application/json' } };
    await send(running.port, '/v1/completions', { ...sent, body: `{"payload": ${payload}}` });
    expect(model.requests[before]?.body).toBe(payload);
  });

  it.each(['nope', 'toString', ''])('knows no preset %j', (preset) => {
    expect(() => openai({ preset })).toThrow(
      new RangeError(`unknown preset "${preset}" of openai; it takes vllm, sglang, llamacpp, ollama.`),
    );
  });
});

describe('tgi', () => {
  it('is measured with texts of their own, whose length is all that it is asked for', async () => {
    const model = await fakeModel({ kind: 'tgi' });
    await stand(tgi(), { MODEL_SERVER_URL: model.url });
    const sent = model.requests.filter(({ method }) => method === 'POST').map(({ body }) => body);
    expect(sent[0]).toMatch(/^{"inputs":"Story 0, .*","parameters":{"max_new_tokens":256}}$/);
    expect([sent.length, new Set(sent).size]).toEqual([81, 81]);
  });

  it('streams', async () => {
    const model = await fakeModel({ kind: 'tgi' });
    const running = await stand(tgi(), { MODEL_SERVER_URL: model.url, TSWORKER_MAX_PERF: '1000' });
    const answer = await ask(running, '/generate_stream', { inputs: 'a', parameters: { max_new_tokens: 3 } });
    expect(answer.headers['content-type']).toContain('text/event-stream');
    expect(String(answer.body).match(/^data:/gm)).toHaveLength(3);
    expect(workOf(running)).toEqual([3]);
  });
});

describe('comfyui', () => {
  it('draws one picture at a time, each with seeds of its own', async () => {
    const model = await fakeModel({ kind: 'comfyui', behaviour: { pauseAfterTokens: 1 } });
    const running = await stand(comfyui(), { MODEL_SERVER_URL: model.url, TSWORKER_MAX_PERF: '1000' });
    const seeds = { seed: '__RANDOM_INT__', noise: '__RANDOM_INT__' };
    const both = [1, 2].map(() => ask(running, '/generate/sync', { input: { modifications: seeds } }));
    await model.untilRequest(1);
    model.behave({ pauseAfterTokens: undefined });
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    expect(model.maxInFlight).toBe(1);
    const sent = model.requests.map(({ body }) => Object.values(JSON.parse(body).input.modifications));
    expect(new Set(sent.flat()).size).toBe(4);
    expect(sent.flat().every(Number.isInteger)).toBe(true);
  });

  it('measures with the picture of the environment, each with another seed', async () => {
    const model = await fakeModel({ kind: 'comfyui' });
    const env = { BENCHMARK_TEST_WIDTH: '640', BENCHMARK_TEST_HEIGHT: '480', BENCHMARK_TEST_STEPS: '5' };
    await stand(comfyui({ env }), { MODEL_SERVER_URL: model.url });
    const drawn = model.requests.map(({ body }) => JSON.parse(body).input.modifications);
    expect(drawn).toEqual(
      [0, 1, 2, 3].map((seed) => ({
        prompt: 'a lighthouse at night',
        width: 640,
        height: 480,
        steps: 5,
        seed,
      })),
    );
  });

  it.each(['0', '-1', '1.5', 'many', '1000000'])('takes no width of %s', (width) => {
    expect(() => comfyui({ env: { BENCHMARK_TEST_WIDTH: width } })).toThrow(
      new RangeError(`BENCHMARK_TEST_WIDTH is "${width}"; it takes a whole number from 1 to 999999.`),
    );
  });

  it('knows no preset nope', () => {
    expect(() => comfyui({ preset: 'nope' })).toThrow(
      new RangeError('unknown preset "nope" of comfyui; it takes flux, sd3.'),
    );
  });
});
