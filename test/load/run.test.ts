import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runLoad } from '../../src/load/run.js';
import type { Outcome, Sample } from '../../src/load/sample.js';
import { Tally } from '../../src/load/tally.js';
import type { Payload, Target } from '../../src/load/target.js';
import { urlTarget } from '../../src/load/url-target.js';
import { serveHttp } from '../support/http-server.js';

const DURATION_MS = 200;
/** What a timer may be early by. */
const SLACK_MS = 2;

const payloads = (index: number): Payload => ({ text: `{"index":${index}}`, value: { index }, cost: 3 });

function clock() {
  const beganMs = performance.now();
  return () => performance.now() - beganMs;
}

const open = (rate: number, maxUnderWay = 1_000, durationMs = DURATION_MS) => ({
  kind: 'open' as const,
  schedule: { rates: [rate], durationMs, arrivals: 'even' as const, random: Math.random },
  maxUnderWay,
});

const closed = (users: number) => ({ kind: 'closed' as const, users, durationMs: DURATION_MS });

interface Seen {
  now: number;
  most: number;
  readonly payloads: unknown[];
}

/** A target that answers as it is told, and sees how many are under way. */
function targetOf(
  answer: (payload: Payload, cut: Promise<void>) => Promise<Outcome>,
): Target & { seen: Seen } {
  const seen: Seen = { now: 0, most: 0, payloads: [] };
  let cut = () => {};
  const isCut = new Promise<void>((resolve) => (cut = resolve));
  return {
    seen,
    send: async (payload) => {
      seen.payloads.push(payload.value);
      seen.most = Math.max(seen.most, ++seen.now);
      const outcome = await answer(payload, isCut);
      seen.now -= 1;
      return outcome;
    },
    cut,
    close: async () => {},
  };
}

const SUCCEEDED: Outcome = { kind: 'succeeded' };

async function runOn(
  target: Target,
  plan: Parameters<typeof runLoad>[0]['plan'],
  signal = new AbortController().signal,
  now = clock(),
) {
  const tally = new Tally(DURATION_MS);
  await runLoad({ plan, target, payloads, tally, now, signal });
  return tally;
}

describe('a closed loop', () => {
  it('has as many under way as there are users, and each asks again when it is answered', async () => {
    // Each request takes a twentieth of the time of the run, by a clock that nothing else moves.
    let elapsedMs = 0;
    const target = targetOf(async () => {
      elapsedMs += DURATION_MS / 20;
      await delay(1);
      return SUCCEEDED;
    });
    const { signal } = new AbortController();
    const { counts, underWay } = await runOn(target, closed(4), signal, () => elapsedMs);
    expect(target.seen.most).toBe(4);
    expect([counts.sent, counts.succeeded, underWay]).toEqual([20, 20, 0]);
    expect(target.seen.payloads).toEqual(Array.from({ length: counts.sent }, (_, index) => ({ index })));
  });

  it('goes on after a failure, and ends, though every request fails at once', async () => {
    const target = targetOf(async () => ({ kind: 'failed', name: 'refused' }));
    const { counts, latency } = await runOn(target, closed(2));
    expect(counts).toMatchObject({ succeeded: 0, failed: counts.sent, cut: 0 });
    expect([counts.sent > 2, latency.count]).toEqual([true, 0]);
  });
});

describe('an open loop', () => {
  it('sends as the clock says, whatever becomes of those before', async () => {
    // None is answered before all were sent.
    let answer = () => {};
    const all = new Promise<void>((resolve) => (answer = resolve));
    const target = targetOf(async ({ value }) => {
      if ((value as { index: number }).index === 19) answer();
      await all;
      return SUCCEEDED;
    });
    const { counts } = await runOn(target, open(100));
    expect(target.seen.most).toBe(20);
    expect(counts).toEqual({
      sent: 20,
      succeeded: 20,
      failed: 0,
      cut: 0,
      held: 0,
      unsent: 0,
      retries: 0,
      waits: 0,
    });
  });

  it('does not hide a queue: who is answered late has waited since it was due', async () => {
    const serviceMs = 30;
    let before = Promise.resolve();
    const target = targetOf(async () => {
      before = before.then(() => delay(serviceMs));
      await before;
      return SUCCEEDED;
    });
    const tally = await runOn(target, open(1_000, 1_000, 10));
    expect(tally.counts.sent).toBe(10);
    // The last was due after 9 ms, and served after all the others.
    expect(tally.latency.max).toBeGreaterThan(10 * (serviceMs - SLACK_MS) - 10);
  });

  it('counts the same where the queue is its own, since no more may be under way', async () => {
    const serviceMs = 30;
    const target = targetOf(async () => {
      await delay(serviceMs);
      return SUCCEEDED;
    });
    const tally = await runOn(target, open(1_000, 1, 10));
    expect([target.seen.most, tally.counts.sent, tally.counts.held]).toEqual([1, 10, 9]);
    expect(tally.latency.max).toBeGreaterThan(10 * (serviceMs - SLACK_MS) - 10);
    expect(tally.late.max).toBeGreaterThan(9 * (serviceMs - SLACK_MS) - 10);
  });

  it('sends nothing when it has long been over, and tells what it could not send as errors', async () => {
    const tally = new Tally(10);
    const elapsed = clock();
    let skippedMs = 0;
    const target = targetOf(async () => {
      skippedMs += 600;
      return SUCCEEDED;
    });
    const now = () => elapsed() + skippedMs;
    const { signal } = new AbortController();
    await runLoad({ plan: open(1_000, 1, 10), target, payloads, tally, now, signal });
    expect(tally.counts).toMatchObject({ sent: 2, succeeded: 2, failed: 0, unsent: 8 });
    expect([tally.errors, tally.errorShare]).toEqual([8, 0.8]);
    expect(tally.outcomes().map(({ name, count }) => [name, count])).toEqual([
      ['never sent', 8],
      ['succeeded', 2],
    ]);
  });

  it('counts a request whose payload could not be made as failed', async () => {
    const tally = new Tally(DURATION_MS);
    const target = targetOf(async () => SUCCEEDED);
    const made = (index: number) => {
      if (index === 1) throw new Error('no more');
      return payloads(index);
    };
    const { signal } = new AbortController();
    await runLoad({ plan: open(1_000, 9, 3), target, payloads: made, tally, now: clock(), signal });
    expect(tally.outcomes().map(({ name, count }) => [name, count])).toEqual([
      ['succeeded', 2],
      ['no payload', 1],
    ]);
  });
});

it.each([
  ['a closed loop', closed(3), 3],
  ['an open loop', open(1_000), 5],
])('%s that is stopped sends no more, and what was under way is cut', async (_name, plan, after) => {
  const enough = new AbortController();
  const target = targetOf(async ({ value }, cut) => {
    if ((value as { index: number }).index === after - 1) enough.abort();
    await cut;
    return { kind: 'cut' };
  });
  const { counts, latency } = await runOn(target, plan, enough.signal);
  expect(counts).toMatchObject({ sent: counts.cut, succeeded: 0, failed: 0 });
  expect(counts.sent).toBeLessThan(after + 64);
  expect([target.seen.now, latency.count]).toEqual([0, 0]);
});

/** It takes connections and never says a word, so that no TLS comes about. */
async function startMute(): Promise<{ readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => void sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { port };
}

describe('a server by its address', () => {
  it('is asked as told, and latency, first byte and size of its answers are noted', async () => {
    const asked: unknown[] = [];
    const samples: Sample[] = [];
    const { url } = await serveHttp(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { method, url, headers } = request;
      asked.push([method, url, headers['content-type'], headers.authorization, body]);
      await delay(20);
      response.write('first');
      // The rest comes when the first byte has been noted, and later.
      while (samples[JSON.parse(body).index]?.firstByteMs == null) await delay(1);
      await delay(40);
      response.end('last');
    });
    const now = clock();
    const headers = { authorization: 'Bearer x' };
    const target = urlTarget({ url: `${url}/run?a=1`, headers, timeoutMs: 10_000, now });
    onTestFinished(() => target.close());
    const watched: Target = {
      ...target,
      send: (payload, sample) => {
        samples.push(sample);
        return target.send(payload, sample);
      },
    };
    const tally = new Tally(60_000);
    const { signal } = new AbortController();
    await runLoad({ plan: open(1_000, 9, 3), target: watched, payloads, tally, now, signal });
    expect(asked.toSorted()).toEqual(
      [0, 1, 2].map((index) => ['POST', '/run?a=1', 'application/json', 'Bearer x', `{"index":${index}}`]),
    );
    expect(tally.counts).toMatchObject({ sent: 3, succeeded: 3 });
    expect(tally.inTime).toEqual({ requests: 3, units: 9, events: 0, bytes: 3 * 'firstlast'.length });
    const [latency, firstByte] = [tally.latency.figures(), tally.firstByte.figures()];
    expect(firstByte?.min).toBeGreaterThanOrEqual(20 - SLACK_MS);
    expect((latency?.mean ?? 0) - (firstByte?.mean ?? 0)).toBeGreaterThanOrEqual(40 - SLACK_MS);
  });

  it.each([
    ['500', (response) => response.writeHead(500).end('no')],
    ['302', (response) => response.writeHead(302, { location: '/' }).end()],
    ['timeout', () => {}],
    ['timeout', (response) => response.write('never ends')],
    ['connection lost UND_ERR_SOCKET', (response) => response.destroy()],
  ] satisfies [string, (response: import('node:http').ServerResponse) => unknown][])(
    'is told to fail by name: %s',
    async (name, answer) => {
      const { url } = await serveHttp((request, response) => {
        request.resume().once('end', () => answer(response));
      });
      const now = clock();
      const target = urlTarget({ url, headers: {}, timeoutMs: name === 'timeout' ? 100 : 30_000, now });
      onTestFinished(() => target.close());
      const tally = new Tally(60_000);
      const { signal } = new AbortController();
      await runLoad({ plan: open(1_000, 9, 2), target, payloads, tally, now, signal });
      expect(tally.outcomes().map(({ name, count }) => [name, count])).toEqual([[name, 2]]);
      expect([tally.latency.count, tally.errorShare]).toEqual([0, 1]);
    },
  );

  it('that takes a connection and says nothing is given up in time, and at once when the run is stopped', async () => {
    const { port } = await startMute();
    const url = `https://127.0.0.1:${port}/`;
    const now = clock();
    const impatient = urlTarget({ url, headers: {}, timeoutMs: 100, now });
    onTestFinished(() => impatient.close());
    const timedOut = await runOn(impatient, open(1_000, 9, 2));
    expect(timedOut.outcomes().map(({ name, count }) => [name, count])).toEqual([['timeout', 2]]);
    const patient = urlTarget({ url, headers: {}, timeoutMs: 3_600_000, now });
    onTestFinished(() => patient.close());
    const enough = new AbortController();
    const running = runOn(patient, closed(2), enough.signal);
    setImmediate(() => enough.abort());
    expect((await running).counts).toMatchObject({ sent: 2, cut: 2 });
  });

  it('that nobody is at is told by the reason', async () => {
    const now = clock();
    const target = urlTarget({ url: 'http://127.0.0.1:9', headers: {}, timeoutMs: 5_000, now });
    onTestFinished(() => target.close());
    const tally = await runOn(target, open(1_000, 9, 2));
    expect(tally.outcomes().map(({ name, count }) => [name, count])).toEqual([
      ['connection lost ECONNREFUSED', 2],
    ]);
  });
});
