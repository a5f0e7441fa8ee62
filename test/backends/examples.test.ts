import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project, ROOT } from '../cli/project.js';
import { postJson } from '../support/client.js';
import { serveModel } from '../support/model-server.js';
import { fakeModel, scratch } from './stand.js';

const page = readFileSync(join(ROOT, 'docs/backends.md'), 'utf8');
const examples = readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.ts'));
const read = (name: string) => readFileSync(join(ROOT, 'examples', name), 'utf8');

describe('the code in docs/backends.md', () => {
  const shown = [...page.matchAll(/```(\w*)\n(.*?)```/gs)].map(([, language, code = '']) => ({
    language,
    code,
  }));

  it('is each of the examples, and nothing else', () => {
    expect(shown.map(({ language, code }) => [language, code]).toSorted()).toEqual(
      examples.map((name) => ['ts', `// examples/${name}\n${read(name)}`]).toSorted(),
    );
  });

  it('compiles', () => {
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile).config,
      ts.sys,
      ROOT,
    );
    const program = ts.createProgram(
      examples.map((name) => join(ROOT, 'examples', name)),
      options,
    );
    const problems = examples.flatMap((name) => {
      const source = program.getSourceFile(join(ROOT, 'examples', name));
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    });
    expect(problems.map(({ messageText }) => messageText)).toEqual([]);
  }, 60_000);
});

describe('an example runs', () => {
  let project: Project;
  beforeAll(() => {
    project = new Project();
    for (const name of examples) project.write(name, read(name));
  }, 60_000);
  afterAll(() => project.remove());

  /** A worker of an example, at an autoscaler that takes every report. */
  async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const autoscaler = await serveModel((_request, response) => response.end('{}'));
    const worker = project.start(
      ['start', ...args, '--host', '127.0.0.1', '--port', '0', '--internal-port', '0'],
      {
        CONTAINER_ID: '1',
        UNSECURED: 'true',
        PUBLIC_IPADDR: '127.0.0.1',
        REPORT_ADDR: autoscaler.url,
        TSWORKER_BENCHMARK_FILE: join(scratch(), 'benchmarks.json'),
        ...env,
      },
    );
    const { port } = await worker.logs('listening');
    await worker.prints(/"state":"serving"/);
    const ask = async (path: string, body: unknown) => {
      const answer = await postJson(`http://127.0.0.1:${port}${path}`, body);
      return { status: answer.status, body: await answer.text() };
    };
    return { worker, ask };
  }

  it('echo-backend.ts', async () => {
    const { ask } = await run(['./echo-backend.ts']);
    expect(await ask('/echo', { text: 'hello' })).toEqual({
      status: 200,
      body: '{"text":"You said: hello"}',
    });
  });

  it('proxy-backend.ts', async () => {
    const model = await fakeModel({ kind: 'tgi' });
    const { ask } = await run(['./proxy-backend.ts'], { MODEL_SERVER_URL: model.url });
    expect(await ask('/generate', { payload: { inputs: 'a' } })).toEqual({
      status: 200,
      body: '{"generated_text":"tok0 tok1 tok2"}',
    });
  });

  it('measured-backend.ts', async () => {
    const model = await fakeModel({ kind: 'tgi', preset: 'vllm', logFile: join(scratch(), 'model.log') });
    const env = {
      MODEL_SERVER_URL: model.url,
      MODEL_LOG: join(scratch(), 'none.log'),
      TSWORKER_READINESS: 'health',
    };
    const { ask } = await run(['./measured-backend.ts'], env);
    expect(model.requests).toHaveLength(1 + 4 * 8);
    expect((await ask('/generate', { payload: { prompt: 'a', max_tokens: 3 } })).status).toBe(200);
  });

  it('reshaping-backend.ts', async () => {
    const model = await fakeModel({ kind: 'tgi' });
    const { ask } = await run(['./reshaping-backend.ts'], { MODEL_SERVER_URL: model.url });
    expect(await ask('/ask', { payload: { question: 'Why?' } })).toEqual({
      status: 200,
      body: '{"answer":"tok0 tok1 tok2"}',
    });
    expect(model.requests.map(({ body }) => body)).toEqual([
      '{"inputs":"Why?","parameters":{"max_new_tokens":100}}',
    ]);
    model.behave({ status: 400 });
    expect((await ask('/ask', { payload: { question: 'Why?' } })).status).toBe(500);
  });

  it('recovering-backend.ts', async () => {
    const { worker, ask } = await run(['./recovering-backend.ts']);
    expect((await ask('/ask', { question: 'Why' })).body).toBe('{"answer":"An answer to Why"}');
    await ask('/ask', { question: 'break' });
    await worker.prints(/"state":"failing"/);
    await worker.prints(/the model is repaired/);
  });

  it('settings-backend.ts', async () => {
    const { ask } = await run(['./settings-backend.ts', '--preset', 'large'], { GREETING: 'Hi' });
    expect(await ask('/greet', {})).toEqual({ status: 200, body: 'Hi' });
  });

  it('functions.ts', async () => {
    const { ask } = await run(['function', '--functions', './functions.ts']);
    expect((await ask('/greet', { payload: { name: 'you' } })).body).toBe('{"result":"Hello you"}');
    expect((await ask('/count', { payload: { to: 3 } })).body).toBe('1\n2\n3\n');
    expect((await ask('/resize', { payload: { pixels: 3 } })).body).toBe('{"result":{"sum":3}}');
  });
});
