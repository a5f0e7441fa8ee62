import { describe, expect, it } from 'vitest';
import { reportOf } from '../../src/load/report.js';
import { type LoadSubject, resultOf } from '../../src/load/result.js';
import { type Outcome, Sample } from '../../src/load/sample.js';
import { tableOf } from '../../src/load/table.js';
import { Tally } from '../../src/load/tally.js';
import { parseThresholds } from '../../src/load/thresholds.js';

const SUBJECT: LoadSubject = {
  target: 'my-endpoint',
  method: 'POST',
  route: '/v1/completions',
  payload: 'the benchmark of openai',
  plan: { loop: 'open', rates: [2, 4], arrivals: 'poisson', concurrency: null, durationMs: 2_000 },
};

const WORKERS = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];

const SUCCEEDED: Outcome = { kind: 'succeeded' };

interface Seen {
  readonly dueMs: number;
  readonly tookMs: number;
  readonly outcome?: Outcome;
  readonly worker?: string | undefined;
  readonly retries?: number;
}

/** A run in which this was seen. */
function resultWith(seen: readonly Seen[], changes: Partial<Parameters<typeof resultOf>[0]> = {}) {
  const tally = new Tally(2_000);
  for (const { dueMs, tookMs, outcome = SUCCEEDED, worker, retries = 0 } of seen) {
    const sample = new Sample(dueMs, dueMs + 1);
    tally.began(sample);
    sample.cost = 10;
    sample.retries = retries;
    if (worker !== undefined) {
      sample.worker = worker;
      sample.routedMs = dueMs + 2;
    }
    if (outcome.kind === 'succeeded') sample.firstByteMs = dueMs + tookMs / 2;
    tally.ended(sample, outcome, dueMs + tookMs);
  }
  return resultOf({
    subject: SUBJECT,
    tally,
    thresholds: [],
    startedAt: new Date(0),
    stoppedMs: 2_000,
    tookMs: 2_500,
    isInterrupted: false,
    ...changes,
  });
}

const FAILED: Outcome = { kind: 'failed', name: 'worker_failed 503 not_ready' };

const SEEN: readonly Seen[] = [
  { dueMs: 0, tookMs: 100, worker: WORKERS[0], retries: 1 },
  { dueMs: 500, tookMs: 100, worker: WORKERS[1] },
  { dueMs: 1_000, tookMs: 200, worker: WORKERS[0] },
  { dueMs: 1_200, tookMs: 50, worker: WORKERS[0], outcome: FAILED },
  { dueMs: 1_900, tookMs: 400, worker: WORKERS[0] },
];

describe('what a run tells', () => {
  it('is a table', () => {
    const thresholds = parseThresholds('max>400ms,errors>1%');
    expect(tableOf(resultWith(SEEN, { thresholds }))).toBe(`\
POST /v1/completions of my-endpoint, payload from the benchmark of openai
open loop: 2 to 4 requests/s, at random for 2 s.

requests    5 sent, 4 succeeded, 1 failed
per second  2.5 sent, 1.5 succeeded, 15 units of work, 0 KiB
sent again  once

                 p50     p90     p95     p99   p99.9     max    mean
latency       100 ms  400 ms  400 ms  400 ms  400 ms  400 ms  200 ms
first byte     50 ms  200 ms  200 ms  200 ms  200 ms  200 ms  100 ms
worker found    2 ms    2 ms    2 ms    2 ms    2 ms    2 ms    2 ms
sent late by    1 ms    1 ms    1 ms    1 ms    1 ms    1 ms    1 ms

outcome                      requests  share     p50     p99
succeeded                           4   80 %  100 ms  400 ms
worker_failed 503 not_ready         1   20 %   50 ms   50 ms

worker              requests  share  failed     p50     p99  first byte p50  first byte p99
http://127.0.0.1:1         4   80 %       1  200 ms  400 ms          100 ms          200 ms
http://127.0.0.1:2         1   20 %       0  100 ms  100 ms           50 ms           50 ms

kept    max>400ms  400 ms
BROKEN  errors>1%  20 %
`);
  });

  it('ends with what would make failures an exit code, where nothing was said of that', () => {
    const lastOf = (seen: readonly Seen[]) => tableOf(resultWith(seen)).trimEnd().split('\n').at(-1);
    expect(lastOf(SEEN)).toBe("1 of 5 failed; with --fail-on 'errors>1%' that is exit code 1.");
    expect(lastOf(SEEN.filter(({ outcome }) => outcome === undefined))).toMatch(/^http/);
    expect(lastOf(SEEN.filter(({ outcome }) => outcome !== undefined))).toMatch(/^http/);
  });

  it('is the run second by second, and as long as it lasted', () => {
    const none = { begun: 0, failed: 0, succeeded: 0, underWay: 0, workers: 0 };
    const figures = {
      p50Ms: expect.any(Number),
      p99Ms: expect.any(Number),
      firstByteP50Ms: expect.any(Number),
    };
    const empty = { p50Ms: null, p99Ms: null, firstByteP50Ms: null };
    expect(resultWith(SEEN).series).toEqual([
      { ...none, ...figures, atMs: 0, forMs: 1_000, begun: 2, succeeded: 2, workers: 2 },
      {
        ...none,
        ...figures,
        atMs: 1_000,
        forMs: 1_000,
        begun: 3,
        succeeded: 1,
        failed: 1,
        underWay: 1,
        workers: 1,
      },
      { ...none, ...figures, atMs: 2_000, forMs: 500, succeeded: 1, workers: 1 },
    ]);
    expect(resultWith([], { tookMs: 1_000 }).series).toEqual([{ ...none, ...empty, atMs: 0, forMs: 1_000 }]);
  });

  it('is the time that there was, where it was stopped', () => {
    const { perSecond, ended } = resultWith(SEEN.slice(0, 2), {
      stoppedMs: 1_000,
      tookMs: 1_000,
      isInterrupted: true,
    });
    expect([ended, perSecond.sent, perSecond.succeeded]).toEqual(['interrupted', 2, 2]);
  });

  it('names as many workers and outcomes as fit in a table, and counts the others', () => {
    const many = Array.from({ length: 1_000 }, (_, nth) => ({
      dueMs: 0,
      tookMs: 1,
      worker: `http://127.0.0.1/${nth}`,
      outcome: { kind: 'failed' as const, name: `kind ${nth}` },
    }));
    const { workers, outcomes } = resultWith(many);
    expect([workers.length, workers[0]?.worker, workers[0]?.requests]).toEqual([401, 'others', 600]);
    expect([outcomes.length, outcomes[0]?.name, outcomes[0]?.count]).toEqual([41, 'others', 960]);
  });
});

describe('the page of a run', () => {
  it('holds all figures and plots, and asks nobody for anything', () => {
    const thresholds = parseThresholds('max>400ms,errors>1%');
    const page = reportOf(resultWith(SEEN, { thresholds }));
    for (const title of [
      'Requests a second',
      'Latency',
      'Under way',
      'Workers that answered',
      'Latency by percentile',
    ]) {
      expect(page).toContain(`<strong>${title}</strong>`);
    }
    for (const told of [
      '/v1/completions of my-endpoint',
      'worker_failed 503 not_ready',
      ...WORKERS,
      'errors&gt;1%',
    ]) {
      expect(page).toContain(told);
    }
    expect(page).not.toMatch(/<script|<link|<img|\b(?:src|href)=|url\(|NaN|undefined/);
  });

  it('tells the last stretch, which may be short, by the measure of the others', () => {
    const page = reportOf(resultWith(SEEN, { tookMs: 2_301 }));
    expect(page).toContain('<title>2 s: begun 0, succeeded 1, failed 0</title>');
  });

  it('has those under way where they were counted, at the end of each stretch', () => {
    const page = reportOf(resultWith(SEEN));
    const told = [...page.matchAll(/<title>([^<]+: requests \d+)</g)].map(([, title]) => title);
    expect(told).toEqual(['0 ms: requests 0', '1 s: requests 0', '2 s: requests 1', '2.5 s: requests 0']);
  });

  it('is one also where nothing happened, and escapes what a server says', () => {
    expect(reportOf(resultWith([]))).not.toMatch(/NaN|Infinity|undefined/);
    const hostile: Outcome = { kind: 'failed', name: '<script>alert(1)</script>' };
    const page = reportOf(resultWith([{ dueMs: 0, tookMs: 1, outcome: hostile, worker: '"><script>' }]));
    expect(page).not.toContain('<script');
  });
});
