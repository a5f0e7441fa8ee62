import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openai } from '../../backends/openai.js';
import { ask, fakeModel, scratch, stand } from './stand.js';

const examplesOf = (backend: ReturnType<typeof openai>) =>
  [...backend.routes.values()]
    .filter(({ method }) => method === 'POST')
    .map(({ path, example }) => ({ path, example }));

it.each([undefined, 'llama'])(
  'what openai offers to try is answered, with the model name %s',
  async (modelName) => {
    const model = await fakeModel({ kind: 'openai', preset: 'vllm', logFile: join(scratch(), 'model.log') });
    const backend = openai({ modelName, modelServerUrl: model.url });
    const at = await stand(backend, {
      MODEL_SERVER_URL: model.url,
      TSWORKER_READINESS: 'health',
      TSWORKER_BENCHMARK_FILE: join(scratch(), 'benchmarks.json'),
    });
    const examples = examplesOf(backend);
    expect(examples.map(({ path }) => path)).toEqual([
      '/v1/completions',
      '/v1/chat/completions',
      '/v1/embeddings',
    ]);
    for (const { path, example } of examples) {
      expect(example).toMatchObject(modelName === undefined ? {} : { model: modelName });
      expect([path, (await ask(at, path, example)).status]).toEqual([path, 200]);
      expect([path, JSON.parse(model.requests.at(-1)?.body ?? '')]).toEqual([path, example]);
    }
  },
);

it('what openai offers to try says what each route needs, and names no model that there may not be', () => {
  expect(examplesOf(openai())).toEqual([
    { path: '/v1/completions', example: { prompt: 'Once upon a time', max_tokens: 50 } },
    {
      path: '/v1/chat/completions',
      example: { messages: [{ role: 'user', content: 'Tell me a story.' }], max_tokens: 50 },
    },
    { path: '/v1/embeddings', example: { input: 'Once upon a time' } },
  ]);
});
