import { describe, expect, it } from 'vitest';
import { defineBackend } from '../../src/backend/index.js';
import { startAutoscaler } from '../autoscaler/harness.js';
import { serveHttp } from '../support/http-server.js';
import { run as runCommand } from '../support/run-cli.js';
import { deferred, serve } from '../support/worker.js';

/** Runs `tsworker request`. */
const run = (
  args: readonly string[],
  ...rest: [env?: Record<string, string>, onStderr?: (text: string) => void]
) => runCommand(['request', ...args], ...rest);

const KEY = { TSWORKER_API_KEY: 'key' };

/** An autoscaler with the endpoints "mine" and "my-endpoint" that leads to a url, and tells what it was asked. */
async function leadingTo(url: string, statuses: string[] = []) {
  const asked: unknown[] = [];
  const { url: autoscaler } = await serveHttp(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.method === 'GET') {
      const results = ['mine', 'my-endpoint'].map((endpoint_name, id) => ({ id, endpoint_name }));
      response.end(JSON.stringify({ results }));
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push({ path: request.url, authorization: request.headers.authorization, body: JSON.parse(body) });
    const status = statuses.shift();
    const route = { endpoint: 'my-endpoint', url, cost: 100, reqnum: 3, request_idx: 9, signature: 'signed' };
    response.end(
      JSON.stringify(status === undefined ? route : { endpoint: 'my-endpoint', status, request_idx: 9 }),
    );
  });
  return { autoscaler, asked };
}

describe('tsworker request', () => {
  it('is routed, signed and answered by a real autoscaler and worker', async () => {
    const autoscaler = await startAutoscaler();
    const backend = defineBackend({
      name: 'streams',
      dialect: 'current',
      maxPerf: 1_000,
      routes: {
        '/echo': { handle: ({ body }) => body },
        '/stream': {
          handle: async function* () {
            yield 'caf';
            yield '\u00e9 ';
            yield 'au lait';
          },
        },
      },
    });
    await serve(backend, {
      REPORT_ADDR: autoscaler.url,
      PUBLIC_IPADDR: '127.0.0.1',
      TSWORKER_DRAIN_TIMEOUT: '2s',
    });
    await autoscaler.waitForMessage((message) => message.kind === 'status' && message.acknowledged);
    const env = { TSWORKER_API_KEY: autoscaler.apiKey };
    const at = ['--autoscaler', autoscaler.url];
    expect(await run(['/echo', '{"a":1}', ...at], env)).toEqual({ code: 0, stdout: '{"a":1}\n', stderr: '' });
    expect(await run(['/stream', '{}', ...at], env)).toEqual({
      code: 0,
      stdout: 'caf\u00e9 au lait\n',
      stderr: '',
    });
    expect(await run(['/none', '{}', ...at], env)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('"not_found"'),
      stderr: expect.stringMatching(
        /^error: The worker at http:\S+ answered 404 not_found: .+\. Mend what the answer names: it would be the same again\.\n$/,
      ),
    });
    expect(await run(['/echo', '{}', ...at, '--api-key', 'wrong'], env)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: The autoscaler answered 401 .+\. Give the API key of the endpoint: set TSWORKER_API_KEY, or --api-key\.\n$/,
      ),
    });
    expect(await run(['/echo', '{}', ...at, '--endpoint', 'other'], env)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: There is no endpoint "other"; there are: "my-endpoint"\. Check /,
      ),
    });
  });

  it('asks as clients do, and goes on asking for the same request until there is a worker', async () => {
    const got = deferred<unknown>();
    const { url } = await serveHttp(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      got.resolve({ path: request.url, body });
      response.end('done');
    });
    const { autoscaler, asked } = await leadingTo(url, ['loading', 'loading']);
    const args = [
      '/run',
      '[12345678901234567890.10]',
      '--autoscaler',
      autoscaler,
      '--cost',
      '7',
      '--endpoint',
      'mine',
    ];
    expect(await run(args, KEY)).toEqual({
      code: 0,
      stdout: 'done\n',
      stderr: 'no worker is ready yet: loading\n',
    });
    const route = (request_idx: number) => ({
      path: '/route/',
      authorization: 'Bearer key',
      body: { endpoint: 'mine', api_key: 'key', cost: 7, request_idx, replay_timeout: 60 },
    });
    expect(asked).toEqual([route(0), route(9), route(9)]);
    expect(await got.promise).toEqual({
      path: '/run',
      body:
        '{"auth_data":{"cost":100,"endpoint":"my-endpoint","reqnum":3,"request_idx":9,"signature":"signed",' +
        `"url":"${url}"},"payload":[12345678901234567890.10],"session_id":null}`,
    });
  });

  it.each<[args: string[], env: Record<string, string>, error: RegExp]>([
    [
      ['/run', '{}'],
      {},
      /^error: no API key is given; set TSWORKER_API_KEY to the one that "tsworker dev" shows on a terminal, or was started with\.\n$/,
    ],
    [['/run', '{\n"a": tru\n}'], KEY, /^error: the payload is not JSON: .+\.\n$/],
    [['/run', '{a}'], KEY, /^error: the payload is not JSON: .+\.\n$/],
    [['run', '{}'], KEY, /^error: the path of a route begins with a slash: \/run\n$/],
    [['/run', '{}', '--cost', '0'], KEY, /^error: --cost is "0"; it takes a number over 0\.\n$/],
    [['/run', '{}', '--timeout', '1'], KEY, /^error: --timeout is "1"; it takes a duration/],
    [['/run', '{}', '--autoscaler', 'here'], KEY, /^error: --autoscaler is "here"; it takes an http/],
    [['/run'], KEY, /^error: missing required argument 'json'/],
  ])('%j is told what is wrong, with exit code 2', async (args, env, error) => {
    expect(await run(args, env)).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(error) });
  });

  it.each<[what: string, answer: string]>([
    ['no JSON', 'hello'],
    ['no list of endpoints', '{"a":1}'],
  ])('an autoscaler that answers %s is an error', async (_what, answer) => {
    const { url } = await serveHttp((_request, response) => response.end(answer));
    expect(await run(['/run', '{}', '--autoscaler', url], KEY)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: The autoscaler answered no list of endpoints. Check that the address is the one of an autoscaler or worker, and what stands between.\n',
    });
  });

  it('is sent again where that may help, three times at most, and shows the answer of the last', async () => {
    let asked = 0;
    const { url } = await serveHttp((_request, response) => {
      asked += 1;
      response.writeHead(500, { 'content-type': 'application/json', 'retry-after': '0' });
      response.end('{"detail":["out of memory"]}');
    });
    const { autoscaler } = await leadingTo(url);
    expect(await run(['/run', '{}', '--autoscaler', autoscaler, '--timeout', '30s'], KEY)).toEqual({
      code: 1,
      stdout: '{"detail":["out of memory"]}\n',
      stderr:
        `the worker at ${url} was asked in vain (worker_failed 500); trying again within 30s (--timeout)\n` +
        `error: The worker at ${url} answered 500. It was the last of 4 attempts: maxRetries allows no more. Look at the log of the worker: it answered with errors each time.\n`,
    });
    expect(asked).toBe(4);
  });

  it('takes no longer than it may, be it for the autoscaler, a worker or the end of an answer', async () => {
    const { url } = await serveHttp((_request, response) => response.write('some'));
    const { autoscaler } = await leadingTo(url);
    expect(await run(['/run', '{}', '--autoscaler', autoscaler, '--timeout', '400ms'], KEY)).toEqual({
      code: 1,
      stdout: 'some',
      stderr: `error: The worker at ${url} did not answer in time. Raise --timeout, or send less work at once.\n`,
    });
    const { autoscaler: never } = await leadingTo(
      url,
      Array.from({ length: 50 }, () => 'no worker'),
    );
    expect(await run(['/run', '{}', '--autoscaler', never, '--timeout', '400ms'], KEY)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^no worker is ready yet: no worker\nerror: No worker was ready within 0\.\d s: no worker\. Raise --timeout, or keep workers ready: the endpoint has none that is\.\n$/,
      ),
    });
    const nobody = 'http://127.0.0.1:9';
    expect(await run(['/run', '{}', '--autoscaler', nobody, '--timeout', '400ms'], KEY)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^the autoscaler at http:\/\/127\.0\.0\.1:9 was asked in vain \(autoscaler_lost\); trying again within 400ms \(--timeout\)\nerror: The connection to the autoscaler was lost \(.+\)\. .+ Check --autoscaler, and that an autoscaler runs there\.\n$/,
      ),
    });
  });

  it('tells what it takes', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const word of [
      '<path>',
      '<json>',
      '--autoscaler',
      '--endpoint',
      '--cost',
      '--timeout',
      '--api-key',
    ]) {
      expect(stdout).toContain(word);
    }
  });
});
