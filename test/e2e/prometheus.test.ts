import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { post } from '../support/client.js';
import { freePorts } from '../support/free-ports.js';
import { Program } from '../support/process.js';
import { startWorkerProgram, temporaryFolder } from '../support/worker-program.js';

const TOKEN = 'the-token-of-the-tests';
const PATIENCE_MS = 20_000;

const answer = z.object({
  status: z.literal('success'),
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]).transform(([, value]) => Number(value)),
      }),
    ),
  }),
});

type Result = z.infer<typeof answer>['data']['result'];

/** Debian's Prometheus, which scrapes one worker ten times a second. */
async function startPrometheus(internalPort: number) {
  const folder = temporaryFolder();
  const [port = 0] = await freePorts(1);
  writeFileSync(join(folder, 'token'), TOKEN);
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 100ms }
scrape_configs:
  - job_name: tsworker
    authorization: { credentials_file: ${join(folder, 'token')} }
    static_configs: [{ targets: ['127.0.0.1:${internalPort}'] }]
`,
  );
  const program = new Program('prometheus', [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const isReady = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined);
    return response?.ok === true;
  };
  while (!(await isReady())) if (program.hasExited) throw new Error(program.stderr);
  const query = async (promql: string): Promise<Result> => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(promql)}`;
    return answer.parse(await (await fetch(url)).json()).data.result;
  };
  return { query };
}

type Prometheus = Awaited<ReturnType<typeof startPrometheus>>;

/** Asks until the answer is one number, and that one. */
async function untilIs({ query }: Prometheus, promql: string, wanted: number): Promise<void> {
  let seen: number | undefined;
  for (const began = performance.now(); performance.now() - began < PATIENCE_MS; ) {
    seen = (await query(promql))[0]?.value;
    if (seen === wanted) return;
  }
  throw new Error(`${promql} is ${seen}, not ${wanted}`);
}

/** The questions of docs/operations.md and their queries, as a reader finds them there. */
function queriesOfThePage(): ReadonlyMap<string, string> {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const found = page.matchAll(/^(.+)\n\n```promql\n(.+)\n```$/gm);
  return new Map(Array.from(found, ([, asks = '', promql = '']) => [asks, promql]));
}

const values = (result: Result) => result.map(({ value }) => value);
const by = (label: string) => (result: Result) =>
  Object.fromEntries(result.map(({ metric, value }) => [metric[label], value]));

const within = (low: number, high: number) => (result: Result) =>
  result.length > 0 && values(result).every((value) => value > low && value <= high);

/** 20 of 10 units that succeed, 5 of 4 that fail, one to nowhere, and two of 30 that are held: one works, one waits. */
async function sendKnown(port: number): Promise<void> {
  for (let count = 0; count < 20; count++) await post(port, '/work', { units: 10 });
  for (let count = 0; count < 5; count++) await post(port, '/fail', { units: 4 });
  await post(port, '/nowhere', {});
  for (let count = 0; count < 2; count++) void post(port, '/hold', { units: 30 }).catch(() => {});
}

/** What each question has as its answer then, and how to see that. */
const EXPECTED: Readonly<Record<string, readonly [seen: (result: Result) => unknown, wanted: unknown]>> = {
  'Which workers do not take requests, and in which state are they?': [values, []],
  'How many requests succeed in a second?': [within(0, 1_000), true],
  'How many requests came to each end in the last hour?': [
    (result) => Object.keys(by('outcome')(result)).toSorted(),
    ['cancelled', 'errored', 'expired', 'rejected', 'succeeded'],
  ],
  'How many have come to each end since the worker began?': [
    by('outcome'),
    { cancelled: 0, errored: 5, expired: 0, rejected: 0, succeeded: 20 },
  ],
  'Which share of the requests fails for the sake of the model?': [values, [0.2]],
  'Which share of the work that came in is done?': [values, [200 / 280]],
  'How much work is refused, by route?': [by('route'), { '/work': 0, '/fail': 0, '/hold': 0 }],
  'How many requests are in the worker?': [values, [2]],
  'How many of them wait for their turn?': [values, [1]],
  'How many seconds of work wait? Over some, another worker is wanted.': [values, [0.6]],
  'How long do 95 of 100 requests take?': [within(0, 10), true],
  'How long until the first byte, for half of the requests of each route?': [
    (result) => result.some(({ metric, value }) => metric.route === '/work' && value > 0 && value < 10),
    true,
  ],
  'How long do requests wait for their turn, on average?': [within(0, 1), true],
  'How many bytes did clients get?': [values, [80]],
  'What are clients refused for?': [by('code'), { backend_error: 5, not_found: 1 }],
  'Is the autoscaler told? (alert: over a minute)': [values, []],
  'Which share of the reports fails?': [values, [0]],
  'Does the model crash? (alert)': [values, []],
  'Is the worker itself too busy? (alert)': [(result) => result.length <= 1, true],
};

it('a real Prometheus finds nothing amiss, and the queries of the page give the numbers of what was sent', async () => {
  const { port, internalPort } = await startWorkerProgram('test/e2e/operations-backend.ts', {
    TSWORKER_INTERNAL_TOKEN: TOKEN,
  });
  const prometheus = await startPrometheus(internalPort);
  // What it counts as an increase begins at the zeros of the first scrape.
  await untilIs(prometheus, 'sum(tsworker_requests_total)', 0);
  await sendKnown(port);
  await untilIs(prometheus, 'sum(tsworker_requests_total)', 25);
  await untilIs(prometheus, 'sum(tsworker_requests_queued)', 1);
  await untilIs(prometheus, 'count_over_time(up[5m]) > bool 20', 1);

  const queries = queriesOfThePage();
  expect([...queries.keys()].toSorted()).toEqual(Object.keys(EXPECTED).toSorted());
  for (const [asks, [seen, wanted]] of Object.entries(EXPECTED)) {
    const result = await prometheus.query(queries.get(asks) ?? '');
    expect([asks, seen(result)]).toEqual([asks, wanted]);
  }

  const headers = { authorization: `Bearer ${TOKEN}` };
  const scraped = await fetch(`http://127.0.0.1:${internalPort}/metrics`, { headers });
  expect(scraped.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await scraped.text(),
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});
