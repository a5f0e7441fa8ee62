import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { post, RawClient, send } from '../support/client.js';
import { installLlama, LLAMA, LlamaServer } from '../support/llama.js';
import { Program, ROOT } from '../support/process.js';

const COMPLETIONS = '/v1/completions';
const CHAT = '/v1/chat/completions';

/** Longer than any test waits: it ends only when its client goes. */
const ENDLESS = { prompt: 'This License', max_tokens: 100_000, stream: true };

interface Event {
  readonly choices: readonly { readonly text: string; readonly finish_reason: string | null }[];
}

let model: LlamaServer;

beforeAll(async () => {
  installLlama();
  model = new LlamaServer();
  await model.untilLoaded();
}, 300_000);

afterAll(async () => {
  // Whatever a test has found wrong, nothing is left running.
  await model.stop('SIGKILL');
});

/** A stream that is left when the test ends, or before. */
function streaming(server: LlamaServer = model): RawClient {
  const json = JSON.stringify(ENDLESS);
  const head = `POST ${COMPLETIONS} HTTP/1.1\r\nHost: model\r\nContent-Length: ${json.length}\r\n\r\n`;
  return new RawClient(server.port).write(head + json);
}

/** The events of a stream, parsed, but for the one that closes it. */
function eventsIn(body: unknown): { events: Event[]; last: string | undefined } {
  const data = String(body)
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));
  return { last: data.pop(), events: data.map((each) => JSON.parse(each)) };
}

function ownServer(env: Readonly<Record<string, string>> = {}): LlamaServer {
  const server = new LlamaServer(env);
  onTestFinished(async () => {
    await server.stop('SIGKILL');
  });
  return server;
}

describe('the real model', () => {
  it('is well, and tells its name', async () => {
    expect(await send(model.port, '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect((await send(model.port, '/v1/models')).body).toEqual({
      object: 'list',
      data: [{ id: 'tiny', object: 'model', created: 0, owned_by: 'tsworker' }],
    });
  });

  it('completes a text, the same one each time at temperature 0', async () => {
    const asked = { prompt: 'This License', max_tokens: 20, temperature: 0 };
    const { status, body } = await post(model.port, COMPLETIONS, asked);
    expect([status, body]).toEqual([
      200,
      {
        id: expect.stringMatching(/^cmpl-\d+$/),
        object: 'text_completion',
        created: expect.any(Number),
        model: 'tiny',
        choices: [
          {
            index: 0,
            text: expect.stringMatching(/^[\s\w.,;:'"()-]{20,}$/),
            logprobs: null,
            finish_reason: 'length',
          },
        ],
        usage: { prompt_tokens: 5, completion_tokens: 20, total_tokens: 25 },
      },
    ]);
    const again = await post(model.port, COMPLETIONS, asked);
    expect(textOf(again.body)).toBe(textOf(body));
  });

  it('tells a text by its seed', async () => {
    const text = async (seed: number) =>
      textOf((await post(model.port, COMPLETIONS, { prompt: 'You may', max_tokens: 30, seed })).body);
    const first = await text(1);
    expect(await text(1)).toBe(first);
    expect(await text(2)).not.toBe(first);
  });

  it('ends at a stop text, which is not part of the answer', async () => {
    const asked = { prompt: 'This License', max_tokens: 30, temperature: 0 };
    const whole = textOf((await post(model.port, COMPLETIONS, asked)).body);
    const stop = whole.slice(12, 15);
    const { body } = await post(model.port, COMPLETIONS, { ...asked, stop });
    expect(body).toMatchObject({
      choices: [{ text: whole.slice(0, whole.indexOf(stop)), finish_reason: 'stop' }],
    });
  });

  it('streams the same text, event by event', async () => {
    const asked = { prompt: 'This License', max_tokens: 20, temperature: 0 };
    const whole = textOf((await post(model.port, COMPLETIONS, asked)).body);
    const { headers, body } = await post(model.port, COMPLETIONS, {
      ...asked,
      stream: true,
      stream_options: { include_usage: true },
    });
    const { events, last } = eventsIn(body);
    expect([headers['content-type'], last]).toEqual(['text/event-stream', '[DONE]']);
    const usage = events.pop();
    expect(usage).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 5, completion_tokens: 20, total_tokens: 25 },
    });
    const choices = events.flatMap((event) => event.choices);
    expect(choices.length).toBeGreaterThan(10);
    expect(choices.map(({ text }) => text).join('')).toBe(whole);
    expect(choices.map((choice) => choice.finish_reason)).toEqual([
      ...choices.slice(1).map(() => null),
      'length',
    ]);
  });

  it('goes on with a chat', async () => {
    const messages = [
      { role: 'system', content: 'This License' },
      { role: 'user', content: [{ type: 'text', text: 'You may' }] },
    ];
    const { status, body } = await post(model.port, CHAT, { messages, max_completion_tokens: 5 });
    expect([status, body]).toMatchObject([
      200,
      {
        object: 'chat.completion',
        choices: [{ message: { role: 'assistant', content: expect.any(String) }, finish_reason: 'length' }],
        usage: { completion_tokens: 5 },
      },
    ]);
    const streamed = await post(model.port, CHAT, { messages, max_tokens: 5, stream: true });
    const { events, last } = eventsIn(streamed.body);
    expect(events[0]).toMatchObject({
      object: 'chat.completion.chunk',
      choices: [{ delta: { role: 'assistant', content: expect.any(String) }, finish_reason: null }],
    });
    expect(last).toBe('[DONE]');
  });

  it('generates for four at once, and a fifth waits until one of them leaves', async () => {
    const { aborted } = await model.stats();
    const clients = [1, 2, 3, 4].map(() => streaming());
    await Promise.all(clients.map((client) => client.until(/data:.*data:/s)));
    expect(await model.stats()).toMatchObject({ generating: 4, waiting: 0 });
    const fifth = streaming();
    const sixth = streaming();
    await model.untilStats({ generating: 4, waiting: 2 });
    sixth.socket.destroy();
    await model.untilStats({ generating: 4, waiting: 1, aborted: aborted + 1 });
    expect(fifth.received).toBe('');
    clients[0]?.socket.destroy();
    expect(await fifth.until(/data:/)).toContain('HTTP/1.1 200 OK');
    expect(await model.stats()).toMatchObject({ generating: 4, waiting: 0, aborted: aborted + 2 });
    for (const client of [...clients, fifth]) client.socket.destroy();
    await model.untilStats({ generating: 0, waiting: 0, aborted: aborted + 6 });
  });

  it('stops generating when the client leaves: not one token more', async () => {
    const before = await model.stats();
    const client = streaming();
    await client.until(/data:.*data:/s);
    client.socket.destroy();
    const left = await model.untilStats({ generating: 0, aborted: before.aborted + 1 });
    expect(left.tokens).toBeGreaterThan(before.tokens);
    await post(model.port, COMPLETIONS, { prompt: 'You may', max_tokens: 40 });
    expect(await model.stats()).toEqual({
      ...left,
      completed: before.completed + 1,
      tokens: left.tokens + 40,
    });
  });
});

describe('what it refuses', () => {
  const refused = (message: string) => ({
    status: 400,
    body: { error: { code: 400, message, type: 'invalid_request_error' } },
  });
  const prompt = 'This License';

  it.each<[path: string, body: unknown, message: string]>([
    [COMPLETIONS, {}, 'prompt: expected a text.'],
    [COMPLETIONS, [], 'The body is not a JSON object.'],
    [COMPLETIONS, { prompt: ['a', 'b'] }, 'prompt: expected a text.'],
    [COMPLETIONS, { prompt, max_tokens: 0 }, 'max_tokens: expected a number from 1 to 100000.'],
    [COMPLETIONS, { prompt, max_tokens: 1.5 }, 'max_tokens: expected a whole number.'],
    [COMPLETIONS, { prompt, max_tokens: '5' }, 'max_tokens: expected a number from 1 to 100000.'],
    [COMPLETIONS, { prompt, temperature: -1 }, 'temperature: expected a number from 0 to 2.'],
    [COMPLETIONS, { prompt, top_p: 2 }, 'top_p: expected a number from 0 to 1.'],
    [COMPLETIONS, { prompt, stream: 'yes' }, 'stream: expected true or false.'],
    [COMPLETIONS, { prompt, stop: ['a', ''] }, 'stop: expected a text, or up to four.'],
    [COMPLETIONS, { prompt, n: 2 }, 'n: only 1 is served.'],
    [CHAT, { messages: [] }, 'messages: expected a list of at least one message.'],
    [CHAT, { messages: [{ role: 'user' }] }, 'messages[0].content: expected a text.'],
    [CHAT, { messages: ['hello'] }, 'messages[0].content: expected a text.'],
  ])('%s %j', async (path, body, message) => {
    expect(await post(model.port, path, body)).toMatchObject(refused(message));
  });

  it('a prompt that is too long, by one token', async () => {
    const tooLong = { prompt: ' the'.repeat(230), max_tokens: 3 };
    expect(await post(model.port, COMPLETIONS, tooLong)).toMatchObject(
      refused('The prompt has 231 tokens; at most 230 fit.'),
    );
    const asked = { prompt: ' the'.repeat(229), max_tokens: 3 };
    expect(await post(model.port, COMPLETIONS, asked)).toMatchObject({
      status: 200,
      body: { usage: { prompt_tokens: 230, completion_tokens: 3, total_tokens: 233 } },
    });
  });

  it('what is not JSON, too large, or not there', async () => {
    const asText = (body: string) => send(model.port, COMPLETIONS, { method: 'POST', body });
    expect(await asText('{')).toMatchObject(refused('The body is not JSON.'));
    expect((await asText(' '.repeat(2 ** 20 + 1))).status).toBe(413);
    expect(await send(model.port, COMPLETIONS)).toMatchObject({
      status: 404,
      body: { error: { message: 'There is no GET /v1/completions here.' } },
    });
  });
});

describe('the process', () => {
  it('answers 503 until the model is loaded, then writes the load line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsworker-llama-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const log = join(folder, 'model.log');
    const server = ownServer({ MODEL_LOG: log });
    await server.prints(/until the model is loaded/);
    expect(await send(server.port, '/health')).toMatchObject({
      status: 503,
      body: { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
    });
    await server.untilLoaded();
    // It is written by a stream, which may be a moment later than the first 200.
    await vi.waitFor(
      () =>
        expect(readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)).toBe(
          `main: server is listening on ${server.url} - starting the main loop`,
        ),
      { timeout: 10_000 },
    );
  });

  it('ends of SIGTERM at once, streams under way or not', async () => {
    const server = ownServer();
    await server.untilLoaded();
    const client = streaming(server);
    await client.until(/data:/);
    expect([await server.stop(), server.stderr]).toEqual([{ code: 0, signal: null }, '']);
    expect(await client.untilEnd()).not.toContain('[DONE]');
  });

  it('ends and says why when there is no model', async () => {
    const server = ownServer({ MODEL_PATH: '/no/such.gguf' });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.lines.at(-1)).toMatch(/^main: error: .*\/no\/such\.gguf/);
  });

  it('ends and says why when its port is taken', async () => {
    const server = ownServer({ MODEL_PORT: String(model.port) });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.lines).toEqual([expect.stringContaining('EADDRINUSE')]);
  });
});

describe('npm start', () => {
  it('ends as the model server ends when that can not begin', async () => {
    const start = new Program('npm', ['start'], {
      cwd: LLAMA,
      env: { MODEL_PATH: '/no/such.gguf', MODEL_PORT: '0' },
    });
    expect(await start.exited).toEqual({ code: 1, signal: null });
    expect(start.lines).toContainEqual(expect.stringMatching(/^model: main: error: .*\/no\/such\.gguf/));
  });

  it('ends of SIGTERM while the model loads, and the model server with it', async () => {
    const start = new Program(process.execPath, ['--import', 'tsx', 'start.ts'], {
      cwd: LLAMA,
      env: { MODEL_PORT: '0' },
    });
    const line = await start.find('its first line', () => start.lines[0]);
    start.kill('SIGTERM');
    expect(await start.exited).toEqual({ code: 0, signal: null });
    const [url = 'none'] = /http:\S+/.exec(line) ?? [];
    await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
  });
});

it('the example has no wrong types', () => {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '--noEmit', '-p', LLAMA], { stdio: 'inherit' });
});

function textOf(body: unknown): string {
  const { choices } = body as Event;
  return choices.map(({ text }) => text).join('');
}
