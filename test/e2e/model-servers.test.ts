import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { send } from '../support/client.js';
import { Program, ROOT } from '../support/process.js';
import { startWorkerProgram, temporaryFolder, textOf, untilSums } from '../support/worker-program.js';

/** A model server as a program: a fake of its engine, with its log. */
async function startModel(kind: string, behaviour: Readonly<Record<string, unknown>> = {}) {
  const log = join(temporaryFolder(), 'model.log');
  const program = new Program(
    process.execPath,
    [
      ...['--import', 'tsx', 'src/testing/models/main.ts', kind, '--log', log, '--report'],
      ...['--load-time', '300ms', '--behave', JSON.stringify(behaviour)],
    ],
    { cwd: ROOT },
  );
  const url = await program.find('where it listens', () =>
    program.lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'listening'),
  );
  return { program, env: { MODEL_SERVER_URL: String(url.url), MODEL_LOG: log } };
}

/** Resolves when the model server has told of so many requests of a path. */
function told(program: Program, event: string, count: number): Promise<unknown> {
  return program.find(`${count} × ${event}`, () => {
    const lines = program.lines.map((line) => JSON.parse(line)).filter((line) => line.event === event);
    return lines.length >= count ? lines[count - 1] : undefined;
  });
}

const tgiPayload = (tokens: number) => ({ inputs: 'Once', parameters: { max_new_tokens: tokens } });

describe('tsworker start tgi', () => {
  it('waits for the load line, measures, answers and streams', async () => {
    const { env } = await startModel('tgi');
    const started = await startWorkerProgram('tgi', env);
    expect(started.worker.lines.join('\n')).toContain('the benchmark is over');

    const whole = await started.client.request('/generate', tgiPayload(7), { cost: 7 });
    expect(whole).toMatchObject({ status: 200, body: { generated_text: expect.any(String) } });
    const { text } = await textOf(started.client.stream('/generate_stream', tgiPayload(5), { cost: 5 }));
    expect(text.match(/^data:/gm)?.length).toBe(5);

    const sums = await untilSums(started, ({ cur_perf }) => cur_perf === 12);
    expect(sums).toMatchObject({ new_load: 12, cur_perf: 12, rej_load: 0, num_requests_recieved: 2 });
    started.worker.kill('SIGTERM');
    expect(await started.worker.exited).toEqual({ code: 0, signal: null });
  });

  it('stops the model when its client leaves, and tells that it was cancelled', async () => {
    const { env, program } = await startModel('tgi', { pauseAfterTokens: 3 });
    const started = await startWorkerProgram('tgi', { ...env, TSWORKER_MAX_PERF: '100' });
    for await (const _ of started.client.stream('/generate_stream', tgiPayload(50), { cost: 50 })) break;
    expect(await told(program, 'ended', 1)).toMatchObject({ outcome: 'aborted' });
    await started.autoscaler.waitForCompletion(({ status }) => status === 'Cancelled');
  });

  it('lets who may wait in at once, since the engine has a queue of its own, and refuses one more', async () => {
    const { env, program } = await startModel('tgi', { pauseAfterTokens: 3 });
    const limits = { TSWORKER_MAX_QUEUE_TIME: '5s', TSWORKER_MAX_PERF: '10' };
    const started = await startWorkerProgram('tgi', { ...env, ...limits });
    const { client, internalPort } = started;
    const ask = (tokens: number) =>
      client.request('/generate', tgiPayload(tokens), { cost: tokens, retry: false });
    const first = ask(40);
    await told(program, 'request', 1);
    const second = ask(20);
    await told(program, 'request', 2);
    const { body: view } = await send(internalPort, '/status');
    expect(view).toMatchObject({ requestsUnderWay: 2, requestsQueued: 0, pendingWorkload: 60 });

    // Sixty tokens at ten a second are one second more than it may wait.
    const refused = await ask(5);
    expect(refused).toMatchObject({ status: 429, body: { error: 'queue_time_exceeded' } });
    expect(refused.headers['retry-after']).toBe('1');

    program.type('{"pauseAfterTokens": null}\n');
    const whole = { status: 200, body: { generated_text: expect.any(String) } };
    expect(await Promise.all([first, second])).toMatchObject([whole, whole]);
    const sums = await untilSums(started, ({ cur_perf }) => cur_perf === 60);
    expect(sums).toMatchObject({ new_load: 60, cur_perf: 60, rej_load: 5, num_requests_recieved: 3 });
    expect(program.lines.filter((line) => JSON.parse(line).event === 'request')).toHaveLength(2);
  });

  it('refuses who would wait for too long, and says when to come again', async () => {
    const { env } = await startModel('tgi', { pauseAfterTokens: 3 });
    const limits = { TSWORKER_MAX_QUEUE_TIME: '1s', TSWORKER_MAX_PERF: '10' };
    const started = await startWorkerProgram('tgi', { ...env, ...limits });
    const first = started.client.stream('/generate_stream', tgiPayload(1_000), { cost: 1_000 });
    await first.next();
    const refused = await started.client.request('/generate', tgiPayload(5), { cost: 5, retry: false });
    expect(refused).toMatchObject({ status: 429, body: { error: 'queue_time_exceeded' } });
    expect(Number(refused.headers['retry-after'])).toBe(99);
    await started.autoscaler.waitForCompletion(({ status }) => status === 'Rejected');
    await first.return();
    expect(await untilSums(started, ({ rej_load }) => rej_load === 5)).toMatchObject({ rej_load: 5 });
  });
});

describe('tsworker start comfyui', () => {
  const picture = (id: string) => ({
    input: {
      request_id: id,
      modifier: 'Text2Image',
      modifications: { prompt: 'a fox', steps: 2, seed: '__RANDOM_INT__' },
    },
  });

  it('draws one picture at a time, in the order in which they were asked for', async () => {
    const { env, program } = await startModel('comfyui', { tokensPerSecond: 20 });
    const started = await startWorkerProgram('comfyui', { ...env, TSWORKER_MAX_PERF: '1000' });
    const answers = [];
    for (const id of ['first', 'second', 'third']) {
      answers.push(started.client.request('/generate/sync', picture(id), { cost: 100 }));
      if (id === 'first') await told(program, 'request', 1);
    }
    const bodies = (await Promise.all(answers)).map(({ body }) => body);
    expect(bodies).toMatchObject([{ id: 'first' }, { id: 'second' }, { id: 'third' }]);
    const order = program.lines
      .map((line) => JSON.parse(line).event)
      .filter((event) => /request|ended/.test(event));
    expect(order).toEqual(['request', 'ended', 'request', 'ended', 'request', 'ended']);
  });
});
