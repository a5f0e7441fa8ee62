import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadResult } from '../../src/load/result.js';
import { status } from '../autoscaler/bodies.js';
import { report } from '../autoscaler/harness.js';
import { KEY, startPlace, startWhole } from '../client/world.js';
import { serveHttp } from '../support/http-server.js';
import { run as runCommand } from '../support/run-cli.js';
import { Project } from './project.js';

/** Runs `tsworker load`. */
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCommand(['load', ...args], env);

/** The same with JSON for an answer. */
async function figuresOf(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await run([...args, '--json'], env);
  if (stdout === '') throw new Error(stderr);
  return { code, stderr, result: JSON.parse(stdout) as LoadResult };
}

let project: Project;
beforeAll(() => {
  project = new Project();
}, 60_000);
afterAll(() => project.remove());

/** A server that answers each request as told, and keeps what it was sent. */
async function startServer(answer: (nth: number) => { status?: number; delayMs?: number } = () => ({})) {
  const bodies: string[] = [];
  const { url } = await serveHttp(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { status = 200, delayMs = 0 } = answer(bodies.push(body));
    await delay(delayMs);
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"ok":true}');
  });
  return { url, bodies };
}

describe('tsworker load on a server', () => {
  it('tells what became of an open loop, by known delays and failures', async () => {
    const { url, bodies } = await startServer((nth) => (nth % 4 === 0 ? { status: 503 } : { delayMs: 40 }));
    const args = [url, '--route', '/run', '--payload', '{"a": 1}', '--cost', '5', '--rate', '40'];
    const { code, result, stderr } = await figuresOf([...args, '--duration', '500ms']);
    expect([code, stderr]).toEqual([0, 'open loop: 40 requests/s for 500 ms; Ctrl-C ends it\n']);
    expect(bodies).toEqual(Array.from({ length: 20 }, () => '{"a":1}'));
    expect(result).toMatchObject({
      target: `${url}/run`,
      method: 'POST',
      route: null,
      payload: 'the command line',
      plan: { loop: 'open', rates: [40], arrivals: 'even', concurrency: null, durationMs: 500 },
      ended: 'finished',
      requests: { sent: 20, succeeded: 15, failed: 5, cut: 0, held: 0, unsent: 0, retries: 0, waits: 0 },
      outcomes: [
        { name: 'succeeded', count: 15 },
        { name: '503', count: 5 },
      ],
      workers: [],
      thresholds: [],
      routedMs: null,
    });
    expect(result.perSecond.sent).toBe(40);
    expect(result.perSecond.units).toBe(5 * result.perSecond.succeeded);
    expect(result.latencyMs?.min).toBeGreaterThanOrEqual(38);
    expect(result.latencyMs?.count).toBe(15);
    expect(result.series.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(15);
  });

  it('keeps as many under way as a closed loop has users, and sends the lines of a file in turn', async () => {
    const { url, bodies } = await startServer(() => ({ delayMs: 5 }));
    const file = project.write('prompts.jsonl', '{"n": 1}\n\n[2]\n');
    const args = [`${url}/x?key=secret`, '--payload', file, '--concurrency', '2', '--duration', '100ms'];
    const { code, stdout, stderr } = await run(args);
    expect([code, stderr]).toEqual([0, 'closed loop: 2 at once for 100 ms; Ctrl-C ends it\n']);
    expect(stdout).toMatch(
      new RegExp(
        `^POST ${url}/x, payload from ${file}\nclosed loop: 2 at once for 100 ms\\.\n\nrequests +\\d+ sent`,
      ),
    );
    expect(stdout).not.toContain('secret');
    expect(stdout).not.toContain('sent late');
    expect(new Set(bodies)).toEqual(new Set(['{"n":1}', '[2]']));
  });

  it.each(['json', 'jsonl'])('takes a .%s file with a byte order mark', async (kind) => {
    const { url, bodies } = await startServer();
    const file = project.write(`marked.${kind}`, '\uFEFF{"n": 1}\r\n');
    const args = [`${url}/x`, '--payload', file, '--concurrency', '1', '--duration', '20ms'];
    const { code } = await figuresOf(args);
    expect([code, ...new Set(bodies)]).toEqual([0, '{"n":1}']);
  });

  it('asks without a body where there is no payload, and with the headers that are given', async () => {
    const seen = new Set<string>();
    const { url } = await serveHttp(({ method, headers }, response) => {
      seen.add(`${method} ${headers.authorization} ${headers['x-more']}`);
      response.end();
    });
    const headers = ['--header', 'Authorization: Bearer secret', '--header', 'x-more:1'];
    const { stdout } = await run([url, ...headers, '--rate', '100', '--duration', '50ms']);
    expect([...seen]).toEqual(['GET Bearer secret 1']);
    expect(stdout).toMatch(new RegExp(`^GET ${url}/\n`));
    expect(stdout).not.toContain('secret');
  });

  it('takes the benchmark of a backend, and its route', async () => {
    const { url, bodies } = await startServer();
    const backend = project.write(
      'backend.mjs',
      `import { defineBackend } from 'tsworker';
       export default defineBackend({ name: 'mine', maxPerf: 1, routes: {
         '/plain': { handle: () => 1, example: { plain: true } },
         '/measured': { handle: () => 1, workload: ({ n }) => n, benchmark: { generate: (n) => ({ n }) } },
       } });`,
    );
    const args = [url, '--payload', backend, '--rate', '100', '--duration', '40ms', '--json'];
    const { code, stdout } = await project.run(['load', ...args]);
    const result = JSON.parse(stdout) as LoadResult;
    expect(code).toBe(0);
    expect(result).toMatchObject({ target: `${url}/measured`, payload: 'the benchmark of mine' });
    expect(bodies.toSorted()).toEqual([0, 1, 2, 3].map((n) => `{"n":${n}}`));
    const { stdout: other } = await project.run(['load', ...args, '--route', '/plain']);
    expect(JSON.parse(other)).toMatchObject({ target: `${url}/plain`, payload: 'the example of mine' });
    expect(bodies.at(-1)).toBe('{"plain":true}');
    expect(await project.run(['load', ...args, '--route', '/none'])).toMatchObject({
      code: 2,
      stderr: 'error: mine has no route /none; it has /plain, /measured.\n',
    });
  });

  it('has exit code 1 where a threshold is broken, or nothing succeeds', async () => {
    const { url } = await startServer((nth) => ({ status: nth === 1 ? 500 : 200 }));
    const once = [url, '--rate', '100', '--duration', '40ms'];
    const kept = await run([...once, '--fail-on', 'errors>50%,p99>1m']);
    expect([kept.code, kept.stdout.slice(kept.stdout.indexOf('kept'))]).toEqual([
      0,
      expect.stringMatching(/^kept {2}errors>50% {2}25 %\nkept {2}p99>1m {6}\S+ ms\n$/),
    ]);
    const broken = await run([...once, '--fail-on', 'errors>50%,rate<1000000']);
    expect([broken.code, broken.stdout]).toEqual([
      1,
      expect.stringMatching(/\nBROKEN {2}rate<1000000 {2}\d+\n$/),
    ]);
    const { url: failing } = await startServer(() => ({ status: 500 }));
    expect((await run([failing, '--rate', '100', '--duration', '40ms'])).code).toBe(1);
  });

  it('writes a page, and says at once where it could not', async () => {
    const { url, bodies } = await startServer();
    const file = project.write('out.html', 'what was there');
    const once = [url, '--rate', '100', '--duration', '40ms'];
    expect(await run([...once, '--report', file])).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>.*Requests a second.*<\/html>\n$/s);
    writeFileSync(file, 'what was there');
    expect(await run([...once, '--payload', 'none.json', '--report', file])).toMatchObject({ code: 2 });
    expect(readFileSync(file, 'utf8')).toBe('what was there');
    const before = bodies.length;
    const { code, stderr } = await run([...once, '--report', join(project.dir, 'nowhere/out.html')]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^error: the report can not be written: ENOENT/),
    ]);
    expect(bodies).toHaveLength(before);
  });

  it('stopped by Ctrl-C, tells what it has so far', async () => {
    const { url, bodies } = await startServer((nth) => ({ delayMs: nth === 3 ? 60_000 : 0 }));
    const running = project.start(['load', url, '--rate', '20', '--duration', '10m', '--json']);
    while (bodies.length < 6) await delay(10);
    expect(await running.stop('SIGINT')).toMatchObject({ code: 0 });
    const result = JSON.parse(running.lines.join('\n')) as LoadResult;
    // One was just under way, or two.
    const { sent, cut } = result.requests;
    expect(cut).toBeGreaterThanOrEqual(1);
    expect(result).toMatchObject({
      ended: 'interrupted',
      requests: { sent, succeeded: sent - cut, failed: 0 },
      plan: { durationMs: 600_000 },
    });
    expect([sent, result.outcomes.map(({ name }) => name)]).toEqual([bodies.length, ['succeeded', 'cut']]);
    // The rate is that of the time that there was.
    expect(result.perSecond.sent).toBeGreaterThan(5);
  });
});

/** A single request, due at once. */
const ONCE = ['--rate', '0.1', '--duration', '10s'] as const;

describe('tsworker load on an endpoint', () => {
  const env = { TSWORKER_API_KEY: KEY };

  it('goes to its workers as its users do', async () => {
    const { autoscaler, workerUrl } = await startWhole();
    const at = ['my-endpoint', '--autoscaler', autoscaler.url, '--route', '/v1/completions'];
    const much = ['--rate', '50', '--duration', '200ms', '--cost', '7'];
    const { code, result } = await figuresOf(
      [...at, ...much, '--payload', '{"prompt": "x", "max_tokens": 3}'],
      env,
    );
    expect(code).toBe(0);
    expect(result).toMatchObject({
      target: 'my-endpoint',
      route: '/v1/completions',
      requests: { sent: 10, succeeded: 10, failed: 0 },
      perSecond: { events: 0 },
      latencyMs: { count: 10 },
      firstByteMs: { count: 10 },
      routedMs: { count: 10 },
      workers: [{ worker: workerUrl, requests: 10, failed: 0, latencyMs: { count: 10 } }],
    });
    const streamed = ['--payload', '{"prompt": "x", "max_tokens": 3, "stream": true}'];
    // For so long that some end while it lasts: only those count in what there was a second.
    const slowly = ['--rate', '5', '--duration', '2s', '--cost', '7'];
    const { result: stream } = await figuresOf([...at, ...slowly, ...streamed], env);
    expect(stream.requests).toMatchObject({ sent: 10, succeeded: 10 });
    expect(stream.perSecond.events / stream.perSecond.succeeded).toBeGreaterThanOrEqual(3);
  });

  it('tells how often requests were sent again, and of which worker, by what they failed of in the end', async () => {
    const place = await startPlace();
    const { url } = await serveHttp((request, response) => {
      request.resume();
      response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '0' });
      response.end('{"error": "not_ready"}');
    });
    await report(place.autoscaler, status(1, { url }));
    const args = ['my-endpoint', '--autoscaler', place.autoscaler.url, '--route', '/x', '--payload', '{}'];
    const { code, result } = await figuresOf([...args, '--max-retries', '2', ...ONCE], env);
    expect(code).toBe(1);
    expect(result).toMatchObject({
      requests: { sent: 1, succeeded: 0, failed: 1, retries: 2 },
      outcomes: [{ name: 'worker_failed 503 not_ready', count: 1 }],
      workers: [{ worker: url, requests: 1, failed: 1, latencyMs: null }],
      firstByteMs: null,
    });
  });

  it('tells size and first byte of the answer that counts, and when a worker was found first', async () => {
    const place = await startPlace();
    const askedAtMs: number[] = [];
    const { url } = await serveHttp((request, response) => {
      request.resume();
      const isFirst = askedAtMs.push(performance.now()) === 1;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '11' });
      if (isFirst) response.write('{"ok"', () => response.destroy());
      else response.end('{"ok":true}');
    });
    await report(place.autoscaler, status(1, { url }));
    const args = ['my-endpoint', '--autoscaler', place.autoscaler.url, '--route', '/x', '--payload', '{}'];
    const { result } = await figuresOf([...args, ...ONCE], env);
    expect(result.requests).toMatchObject({ sent: 1, succeeded: 1, retries: 1 });
    expect(result.perSecond.bytes * 10).toBeCloseTo(11);
    const [first = 0, second = 0] = askedAtMs;
    const apartMs = (result.firstByteMs?.min ?? 0) - (result.routedMs?.max ?? 0);
    expect(apartMs).toBeGreaterThanOrEqual(second - first);
  });

  it('that has no worker is told with what the autoscaler said of its workers', async () => {
    const { autoscaler } = await startPlace();
    await report(autoscaler, status(1, { loadtime: 0 }));
    const args = ['my-endpoint', '--autoscaler', autoscaler.url, '--route', '/x', '--payload', '{}'];
    const once = [...ONCE, '--timeout', '400ms'];
    const { result } = await figuresOf([...args, ...once], env);
    expect(result).toMatchObject({ outcomes: [{ name: 'no_worker', count: 1 }] });
    expect(result.noWorkerStatus).toBe('1 worker: 1 loading');
    const { stdout } = await run([...args, ...once], env);
    const { noWorkerStatus } = result;
    expect(stdout).toMatch(
      new RegExp(
        `\nno worker +(once|\\d+ times), asked again; the autoscaler said last: ${noWorkerStatus}\n`,
      ),
    );
  });

  it('says at once that it is looked up in vain, and why', async () => {
    const { autoscaler } = await startPlace();
    await autoscaler.stop();
    const args = ['my-endpoint', '--autoscaler', autoscaler.url, '--route', '/x', '--payload', '{}'];
    const { code, stderr } = await run([...args, ...ONCE, '--timeout', '2s'], env);
    expect([code, stderr.split('\n')[0]]).toEqual([
      1,
      `the autoscaler at ${autoscaler.url} was asked in vain (autoscaler_lost); trying for 2 s (--timeout), Ctrl-C ends it`,
    ]);
  });

  it('is looked up no more after Ctrl-C', async () => {
    let isAsked = () => {};
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const { url } = await serveHttp(() => isAsked());
    const args = ['my-endpoint', '--autoscaler', url, '--api-key', 'k', '--route', '/x', '--payload', '{}'];
    const running = project.start(['load', ...args, '--rate', '1', '--timeout', '10m']);
    await asked;
    expect(await running.stop('SIGINT')).toMatchObject({
      code: 1,
      stderr: 'error: it was stopped before it began.\n',
    });
  });

  it('that there is not is told by name, and so is a wrong key', async () => {
    const { autoscaler } = await startPlace();
    const args = (name: string) => [
      ...[name, '--autoscaler', autoscaler.url, '--route', '/x', '--payload', '{}', '--rate', '1'],
    ];
    expect(await run(args('none'), env)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^error: There is no endpoint "none"; there are: "my-endpoint"\. /),
    });
    expect(await run(args('my-endpoint'), { TSWORKER_API_KEY: 'wrong' })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: The autoscaler answered 401 .*Give the API key/),
    });
  });
});

describe('what is wrong is told in one line, with exit code 2', () => {
  const URL = 'http://127.0.0.1:9';
  it.each<[args: string[], error: RegExp]>([
    [[URL], /^error: how much load is not said; give --rate \(requests a second\) or --concurrency/],
    [[URL, '--rate', '1', '--concurrency', '1'], /^error: --rate and --concurrency exclude each other/],
    [[URL, '--concurrency', '1', '--arrivals', 'poisson'], /^error: --arrivals is for --rate: /],
    [
      [URL, '--concurrency', '1', '--seed', '1'],
      /^error: --seed is for --rate: in a closed loop requests come /,
    ],
    [[URL, '--concurrency', '1', '--max-under-way', '10000'], /^error: --max-under-way is for --rate: /],
    [[URL, '--rate', '0'], /^error: --rate is "0"; it takes requests a second such as 5, or rates/],
    [[URL, '--rate', '1..'], /^error: --rate is "1\.\."/],
    [[URL, '--rate', '-1'], /^error: --rate is "-1"/],
    [[URL, '--concurrency', '0'], /^error: --concurrency is "0"; it takes a whole number from 1\./],
    [[URL, '--rate', '1', '--duration', '5'], /^error: --duration is "5"; it takes a duration/],
    [[URL, '--rate', '1', '--timeout', 'x'], /^error: --timeout is "x"/],
    [
      [URL, '--rate', '1', '--arrivals', 'odd'],
      /^error: --arrivals is "odd"; it takes one of even, poisson\./,
    ],
    [[URL, '--rate', '1', '--fail-on', 'p99'], /^error: --fail-on: "p99" is no threshold; it takes .*\.\n$/],
    [
      [URL, '--rate', '1', '--header', 'secret'],
      /^error: a --header has not the form of one; it takes "name: value"\.\n$/,
    ],
    [[URL, '--rate', '1', '--max-retries', '1'], /^error: --max-retries is for an endpoint/],
    [[URL, '--rate', '1', '--payload', '{\n"a": tru\n}'], /^error: --payload is not JSON: .+\.\n$/],
    [[URL, '--rate', '1', '--payload', 'none.json'], /^error: the payload can not be read: ENOENT/],
    [[URL, '--rate', '1', '--payload', 'nobody'], /^error: unknown backend "nobody"; it takes /],
    [[`${URL}/?a=1`, '--rate', '1', '--route', '/x'], /^error: the address has a query, so no route/],
    [['http://a:b@127.0.0.1', '--rate', '1'], /^error: the address can not be used; it takes one such as/],
    [['ftp://x', '--rate', '1'], /^error: "ftp:\/\/x" is neither the name of an endpoint nor an address/],
    [['mine', '--rate', '1'], /^error: no API key is given; set TSWORKER_API_KEY/],
    [
      ['mine', '--rate', '1', '--api-key', 'k'],
      /^error: an endpoint takes a payload; give one with --payload\./,
    ],
    [
      ['mine', '--rate', '1', '--api-key', 'k', '--payload', '{}'],
      /^error: no route is given; name one such as/,
    ],
    [['mine', '--rate', '1', '--api-key', 'k', '--header', 'a: b'], /^error: --header is for a url/],
  ])('%j', async (args, error) => {
    expect(await run(args)).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(error) });
  });
});
