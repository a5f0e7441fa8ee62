import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Page } from 'playwright-core';
import ts from 'typescript';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Serverless, ServerlessError } from '../../src/client/index.js';
import { close, listen } from '../../src/net/server.js';
import { type Grounds, KEY, startWhole } from '../client/world.js';
import { useBrowser } from './browser.js';

/** What the page has of the client. */
declare global {
  var openai: typeof import('openai') | undefined;
  var tsworker: { readonly Serverless: typeof Serverless; readonly ServerlessError: typeof ServerlessError };
}

const ROOT = new URL('../../', import.meta.url);

/** Without a bundler a browser has to be told where a package is. */
const PAGE = `<!doctype html><title>client</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"eventemitter3": "/eventemitter3.js"}}</script>
<script type="module">globalThis.tsworker = await import('/src/client/index.js');</script>`;

const browser = useBrowser();

/** A page with the client in it, each module as it stands, types removed; OpenAI's can be imported as it is. */
async function startSite(): Promise<string> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
    const script = scriptAt(path);
    if (script === undefined) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
  });
  onTestFinished(() => close(server));
  return `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`;
}

function scriptAt(path: string): string | undefined {
  if (path === '/eventemitter3.js') {
    return readFileSync(new URL('node_modules/eventemitter3/dist/eventemitter3.esm.js', ROOT), 'utf8');
  }
  if (/^\/node_modules\/openai\/[\w/-]+\.mjs$/.test(path)) {
    return readFileSync(new URL(`.${path}`, ROOT), 'utf8');
  }
  if (!/^\/(src\/client|machines)\/[\w-]+\.js$/.test(path)) return undefined;
  const source = readFileSync(new URL(`.${path.replace(/\.js$/, '.ts')}`, ROOT), 'utf8');
  const { target, module } = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(source, { compilerOptions: { target, module } }).outputText;
}

async function openSite(site: string): Promise<{ page: Page; trouble: string[]; sent: string[] }> {
  const page = await browser().newPage();
  onTestFinished(() => page.close());
  const [trouble, sent]: [string[], string[]] = [[], []];
  page.on('pageerror', (error) => trouble.push(String(error)));
  page.on('request', (request) => {
    sent.push(JSON.stringify([request.url(), request.headers(), request.postData()]));
  });
  await page.goto(site);
  await page.waitForFunction(() => globalThis.tsworker !== undefined);
  return { page, trouble, sent };
}

/** A page, and everything behind it at other origins. */
async function startAll(isAllowed: boolean, grounds: Grounds = {}) {
  const site = await startSite();
  const whole = await startWhole({
    ...grounds,
    ...(isAllowed && { autoscaler: { corsOrigins: [site] }, env: { TSWORKER_CORS_ORIGINS: site } }),
  });
  const opened = await openSite(site);
  const given = { apiKey: KEY, autoscalerUrl: whole.autoscaler.url };
  return { ...whole, ...opened, given };
}

describe('the client in a browser', () => {
  it('asks, streams and holds a session across origins, and sends no key to a worker', async () => {
    const { page, trouble, sent, given, workerUrl, autoscaler } = await startAll(true);
    const got = await page.evaluate(async (options) => {
      const client = new globalThis.tsworker.Serverless(options);
      const endpoint = await client.endpoint('my-endpoint');
      const answer = await endpoint.request<{ object: string }>('/v1/completions', { max_tokens: 3 });
      const events: string[] = [];
      const payload = { max_tokens: 3, stream: true };
      for await (const { data } of endpoint.stream<{ object: string }>('/v1/chat/completions', payload)) {
        events.push(data.object);
      }
      const session = await endpoint.session({ lifetime: 30 });
      const inSession = await session.request('/v1/completions', { max_tokens: 1 });
      const wasAlive = await session.isAlive();
      await session.end();
      const workers = await endpoint.workers();
      return {
        object: answer.body.object,
        worker: answer.worker,
        events,
        session: [inSession.status, wasAlive, await session.isAlive()],
        workers: workers.map(({ status }) => status),
      };
    }, given);
    expect(got).toEqual({
      object: 'text_completion',
      worker: workerUrl,
      events: ['chat.completion.chunk', 'chat.completion.chunk', 'chat.completion.chunk'],
      session: [200, true, false],
      workers: ['Ready'],
    });
    expect(trouble).toEqual([]);
    const toWorker = sent.filter((each) => each.startsWith(`["${workerUrl}/`));
    expect(toWorker.length).toBeGreaterThanOrEqual(6);
    expect(toWorker.filter((each) => each.includes(KEY))).toEqual([]);
    expect(sent.filter((each) => each.startsWith(`["${autoscaler.url}/`) && each.includes(KEY))).not.toEqual(
      [],
    );
  });

  it('leaves a stream, and the model stops', async () => {
    const { page, given, model } = await startAll(true, {
      model: { behaviour: { tokens: 50, pauseAfterTokens: 2 } },
    });
    const count = await page.evaluate(async (options) => {
      const endpoint = await new globalThis.tsworker.Serverless(options).endpoint('my-endpoint');
      let events = 0;
      for await (const _ of endpoint.stream('/v1/completions', { stream: true })) {
        events += 1;
        if (events === 2) break;
      }
      return events;
    }, given);
    expect(count).toBe(2);
    await model.untilAborted();
  });

  it('reads errors and Retry-After of a worker', async () => {
    const { page, given } = await startAll(true, { backend: { maxSessions: 1 } });
    const errors = await page.evaluate(async (options) => {
      const endpoint = await new globalThis.tsworker.Serverless(options).endpoint('my-endpoint');
      await endpoint.session();
      const calls = [endpoint.session({ timeout: 3_000 }), endpoint.request('/nothing', {})];
      const thrown = await Promise.all(
        calls.map((call) =>
          call.then(
            () => undefined,
            (error: unknown) => error,
          ),
        ),
      );
      return thrown.map((error) => {
        if (!(error instanceof globalThis.tsworker.ServerlessError)) return undefined;
        const { code, status, reason, headers } = error;
        return { code, status, reason, retryAfter: headers?.get('retry-after') };
      });
    }, given);
    expect(errors).toEqual([
      { code: 'worker_failed', status: 429, reason: 'too_many_sessions', retryAfter: '5' },
      { code: 'worker_refused', status: 404, reason: 'not_found', retryAfter: null },
    ]);
  });

  it('gets nowhere where its origin is not allowed', async () => {
    const { page, given, model } = await startAll(false);
    const code = await page.evaluate(async (options) => {
      const client = new globalThis.tsworker.Serverless({ ...options, timeout: 300 });
      return client.endpoint('my-endpoint').then(
        () => 'found',
        (error: ServerlessError) => error.code,
      );
    }, given);
    expect(code).toBe('autoscaler_lost');
    expect(model.requests).toEqual([]);
  });
});

describe("OpenAI's client in a browser", () => {
  it('completes and streams a chat, with the headers that it sends of itself', async () => {
    const { page, trouble, autoscaler } = await startAll(true);
    const content = "globalThis.openai = await import('/node_modules/openai/index.mjs');";
    await page.addScriptTag({ type: 'module', content });
    await page.waitForFunction(() => globalThis.openai !== undefined);
    const got = await page.evaluate(
      async (options) => {
        if (globalThis.openai === undefined) throw new Error('It is not there.');
        const openai = new globalThis.openai.OpenAI({
          ...options,
          dangerouslyAllowBrowser: true,
          maxRetries: 0,
        });
        const chat = { model: 'm', max_tokens: 3, messages: [{ role: 'user' as const, content: 'Hello' }] };
        const { object } = await openai.chat.completions.create(chat);
        const objects: string[] = [];
        for await (const chunk of await openai.chat.completions.create({ ...chat, stream: true })) {
          objects.push(chunk.object);
        }
        return [object, objects];
      },
      { apiKey: KEY, baseURL: autoscaler.openaiUrl },
    );
    const chunk = 'chat.completion.chunk';
    expect({ got, trouble }).toEqual({ got: ['chat.completion', [chunk, chunk, chunk]], trouble: [] });
  });
});
