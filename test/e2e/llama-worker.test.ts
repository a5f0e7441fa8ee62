import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { send } from '../support/client.js';
import { installLlama, LlamaServer } from '../support/llama.js';
import { startWorkerProgram, textOf, untilSums, type WorkerProgram } from '../support/worker-program.js';

const COMPLETIONS = '/v1/completions';
const CHAT = '/v1/chat/completions';

let model: LlamaServer;
const folder = mkdtempSync(join(tmpdir(), 'tsworker-llama-'));

beforeAll(async () => {
  installLlama();
  model = new LlamaServer({ MODEL_LOG: join(folder, 'model.log') });
  await model.untilLoaded();
}, 300_000);

afterAll(async () => {
  await model.stop('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** `tsworker start openai` in front of the real model. */
function startWorker(env: Readonly<Record<string, string>> = {}): Promise<WorkerProgram> {
  return startWorkerProgram('openai', {
    TSWORKER_PRESET: 'llamacpp',
    TSWORKER_MAX_PERF: '900',
    MODEL_SERVER_URL: model.url,
    MODEL_LOG: join(folder, 'model.log'),
    ...env,
  });
}

describe('a real model behind tsworker start openai', () => {
  it('streams a completion through a signed route, and is paid for its tokens', async () => {
    const started = await startWorker();
    const payload = { prompt: 'This License', max_tokens: 40, stream: true };
    const { text, chunks } = await textOf(started.client.stream(COMPLETIONS, payload, { cost: 40 }));
    expect(text.match(/^data: \{/gm)?.length).toBeGreaterThan(10);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(chunks).toBeGreaterThan(5);

    const chat = { messages: [{ role: 'user', content: 'What is a License?' }], max_tokens: 8 };
    const answer = await started.client.request(CHAT, chat, { cost: 8 });
    expect(answer).toMatchObject({ status: 200, body: { object: 'chat.completion' } });

    const sums = await untilSums(started, ({ cur_perf }) => cur_perf === 48);
    expect(sums).toMatchObject({ new_load: 48, rej_load: 0, cur_perf: 48, num_requests_recieved: 2 });
    await started.autoscaler.waitForCompletion(
      ({ request_idx, status }) => request_idx === 2 && status === 'Success',
    );

    started.worker.kill('SIGTERM');
    expect(await started.worker.exited).toEqual({ code: 0, signal: null });
  });

  it('serves four at once', async () => {
    const { client } = await startWorker();
    const before = (await model.stats()).completed;
    const payload = { prompt: 'The licensee may', max_tokens: 30, stream: true };
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => textOf(client.stream(COMPLETIONS, payload, { cost: 30 }))),
    );
    for (const { text } of answers) expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect((await model.stats()).completed).toBe(before + 4);
  });

  it('stops generating when the client leaves half-way', async () => {
    const started = await startWorker();
    const before = (await model.stats()).aborted;
    const endless = { prompt: 'This License', max_tokens: 100_000, stream: true };
    let events = 0;
    for await (const _ of started.client.stream(COMPLETIONS, endless, { cost: 500 })) {
      if (++events === 5) break;
    }
    const stopped = await model.untilStats({ aborted: before + 1, generating: 0 });
    expect((await model.stats()).tokens).toBe(stopped.tokens);
    await started.autoscaler.waitForCompletion(({ status }) => status === 'Cancelled');
    const sums = await untilSums(started, ({ num_requests_recieved }) => num_requests_recieved === 1);
    expect(sums).toMatchObject({ cur_perf: 0 });
  });

  it('refuses who would wait for too long, and says when to come again', async () => {
    const started = await startWorker({ TSWORKER_MAX_QUEUE_TIME: '1s', TSWORKER_MAX_PERF: '10' });
    const { client } = started;
    const endless = { prompt: 'This License', max_tokens: 1_000, stream: true };
    const first = client.stream(COMPLETIONS, endless, { cost: 1_000 });
    await first.next();
    const refused = await client.request(
      COMPLETIONS,
      { prompt: 'A', max_tokens: 5 },
      { cost: 5, retry: false },
    );
    expect(refused).toMatchObject({ status: 429, body: { error: 'queue_time_exceeded' } });
    expect(Number(refused.headers['retry-after'])).toBe(99);
    await started.autoscaler.waitForCompletion(({ status }) => status === 'Rejected');
    await first.return();
    expect(await untilSums(started, ({ rej_load }) => rej_load === 5)).toMatchObject({ rej_load: 5 });
  });

  it('is asked one thing at a time where its route is serial: the next waits in the worker, one more is refused', async () => {
    const started = await startWorkerProgram('test/e2e/serial-backend.ts', { MODEL_SERVER_URL: model.url });
    const { client, internalPort } = started;
    const view = async () => (await send(internalPort, '/status')).body;
    const before = await model.stats();
    const endless = { prompt: 'This License', max_tokens: 100_000, stream: true, units: 10 };
    const first = client.stream(COMPLETIONS, endless, { cost: 10 });
    await first.next();
    const short = { prompt: 'A', max_tokens: 5, units: 1_000 };
    const second = client.request(COMPLETIONS, short, { cost: 1_000, retry: false });
    await vi.waitFor(async () => expect(await view()).toMatchObject({ requestsQueued: 1 }), 20_000);

    // A thousand and ten units at ten a second are 41 s more than it may wait.
    const refused = await client.request(COMPLETIONS, short, { cost: 1_000, retry: false });
    expect(refused).toMatchObject({ status: 429, body: { error: 'queue_time_exceeded' } });
    expect(Number(refused.headers['retry-after'])).toBe(41);
    expect(await view()).toMatchObject({ requestsQueued: 1, requestsUnderWay: 2 });
    const { completed, aborted } = before;
    expect(await model.stats()).toMatchObject({ generating: 1, waiting: 0, completed, aborted });

    await first.return();
    expect(await second).toMatchObject({ status: 200, body: { usage: { completion_tokens: 5 } } });
    await model.untilStats({ generating: 0, completed: completed + 1, aborted: aborted + 1 });
    const sums = await untilSums(started, ({ cur_perf }) => cur_perf === 1_000);
    expect(sums).toMatchObject({ cur_perf: 1_000, rej_load: 1_000, num_requests_recieved: 3 });
    expect(await view()).toMatchObject({ requestsQueued: 0, requestsUnderWay: 0 });
  });

  it('measures how fast the model is, once: a restart knows it', async () => {
    const benchmarks = { TSWORKER_MAX_PERF: '', TSWORKER_BENCHMARK_RUNS: '1' };
    const file = { TSWORKER_BENCHMARK_FILE: join(folder, 'kept.json') };
    const first = await startWorker({ ...benchmarks, ...file });
    const view = async ({ internalPort }: WorkerProgram) =>
      (await send(internalPort, '/status')).body as { maxPerf: number; state: string };
    const measured = (await view(first)).maxPerf;
    expect(measured).toBeGreaterThan(10);
    first.worker.kill('SIGTERM');
    await first.worker.exited;

    const tokens = (await model.stats()).tokens;
    const second = await startWorker({ ...benchmarks, ...file });
    expect((await view(second)).maxPerf).toBe(measured);
    expect((await model.stats()).tokens).toBe(tokens);
  });
});
