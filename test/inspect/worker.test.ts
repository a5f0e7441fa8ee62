import { gunzipSync } from 'node:zlib';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import type { Happening, History, Now } from '../../src/inspect/contract.js';
import { post, send } from '../support/client.js';
import { Looker } from '../support/event-stream.js';
import { deferred, quietBackend, serve, startWorker, untilState } from '../support/worker.js';

const answering = quietBackend({ routes: { '/run': { workload: () => 7, handle: () => 'ok' } } });

async function nowOf(port: number): Promise<Now> {
  return (await send(port, '/inspect/now')).body as Now;
}

async function historyOf(port: number): Promise<History> {
  return (await send(port, '/inspect/recording')).body as History;
}

function pathOf(happenings: readonly Happening[]): (string | undefined)[] {
  return happenings
    .filter(({ actor, kind }) => actor === 'lifecycle' && (kind === 'transition' || kind === 'actor.started'))
    .map(({ to = [] }) => to.find((state) => state.startsWith('work.')));
}

describe('what the worker shows of itself', () => {
  it('now: its state and since when, why it is not ready, its actors, its timeline', async () => {
    const init = deferred();
    const { worker, internalPort } = await startWorker(
      quietBackend({ init: () => init.promise, routes: { '/run': { handle: () => 'ok' } } }),
    );
    const loading = await nowOf(internalPort);
    expect(loading).toMatchObject({
      live: true,
      ready: false,
      whyNotReady: `The worker is loading: ${worker.view().reason}.`,
      worker: { state: 'loading' },
      timeline: [{ state: 'loading', toMs: null, reason: 'the worker has started' }],
      sessions: [],
      requestsUnderWay: [],
      modelLog: [],
    });
    const actorsOf = ({ actors }: Now) =>
      actors.map(({ actor, machine, states }) => [actor, machine, states]);
    expect(actorsOf(loading)).toContainEqual(['lifecycle/load', 'readiness', ['loading.initialising']]);
    init.resolve();
    await untilState(worker, 'serving');
    const serving = await nowOf(internalPort);
    expect(serving).toMatchObject({ ready: true, whyNotReady: '', worker: { state: 'serving' } });
    expect(serving.timeline.map(({ state }) => state)).toEqual(['loading', 'loaded', 'serving']);
    expect(actorsOf(serving).map(([actor]) => actor)).toEqual([
      ...['lifecycle', 'lifecycle/reporter', 'lifecycle/completions', 'lifecycle/publicKey'],
    ]);
    const [lifecycle] = serving.actors;
    expect(lifecycle?.states).toContain('work.serving');
    expect(lifecycle?.sinceMs).toBeGreaterThanOrEqual(loading.actors[0]?.sinceMs ?? Number.NaN);
  });

  it('the requests under way by what has become of them, and never what they say', async () => {
    const hold = deferred();
    const { port, internalPort } = await serve(
      quietBackend({
        routes: {
          '/run': { parallel: false, workload: () => 7, handle: () => hold.promise.then(() => 'ok') },
        },
      }),
    );
    const first = post(port, '/run', { prompt: 'a poem about secrets' });
    const second = post(port, '/run', { prompt: 'a poem about secrets' });
    await expect.poll(async () => (await nowOf(internalPort)).requestsUnderWay.length).toBe(2);
    const now = await nowOf(internalPort);
    expect(now.requestsUnderWay).toEqual([
      { id: 1, route: '/run', kind: 'request', state: 'working', sinceMs: expect.any(Number), workload: 7 },
      { id: 2, route: '/run', kind: 'request', state: 'queued', sinceMs: expect.any(Number), workload: 7 },
    ]);
    expect(Math.abs((now.requestsUnderWay[0]?.sinceMs ?? 0) - now.atMs)).toBeLessThan(60_000);
    expect(JSON.stringify(now)).not.toContain('poem');
    hold.resolve();
    await Promise.all([first, second]);
    expect((await nowOf(internalPort)).requestsUnderWay).toEqual([]);
  });

  it('the charts of its machines, with where each state stands', async () => {
    const { internalPort } = await serve(answering);
    const { body } = await send(internalPort, '/inspect/charts');
    const { lifecycle } = body as Record<string, { chart: { root: unknown }; layout: { boxes: object } }>;
    expect(Object.keys(lifecycle?.layout.boxes ?? {})).toContain('work.serving');
  });

  it.each(['recording', 'charts', 'samples'])('its %s packed, where the client takes that', async (name) => {
    const { internalPort } = await serve(answering);
    const url = `http://127.0.0.1:${internalPort}/inspect/${name}`;
    const got = async (encoding: string) => {
      const { headers, body } = await request(url, { headers: { 'accept-encoding': encoding } });
      return {
        encoding: headers['content-encoding'],
        vary: headers.vary,
        bytes: Buffer.from(await body.bytes()),
      };
    };
    const [packed, plain] = [await got('gzip, deflate, br'), await got('identity')];
    expect([packed.encoding, packed.vary, plain.encoding, plain.vary]).toEqual([
      ...['gzip', 'Accept-Encoding'],
      ...[undefined, 'Accept-Encoding'],
    ]);
    const [one, other] = [gunzipSync(packed.bytes), plain.bytes].map((bytes) => JSON.parse(bytes.toString()));
    // More may have happened between the two.
    expect(Object.keys(other)).toEqual(expect.arrayContaining(Object.keys(one)));
  });

  it('a sample each second', async () => {
    const { port, internalPort } = await serve(answering);
    const looker = await Looker.look(internalPort);
    await post(port, '/run', {});
    await looker.until(() => looker.of('sample').some(({ data }) => data.served > 0));
    const told = looker.of('sample').map(({ data }) => data);
    const { body } = await send(internalPort, '/inspect/samples');
    expect(body).toEqual(expect.arrayContaining(told));
    expect(told.at(-1)).toMatchObject({ served: 7, queued: 0, inFlight: 0, reportLagMs: null });
    expect(told.at(-1)?.latencyP99Ms).toBeGreaterThan(0);
  });
});

describe('what has happened', () => {
  it('is told from the first breath on: each step with its event, its states and its transitions', async () => {
    const { internalPort } = await serve(answering);
    const { header, happenings } = await historyOf(internalPort);
    expect(header).toMatchObject({
      recording: 1,
      backend: 'quiet',
      machines: { lifecycle: expect.any(String) },
    });
    expect(happenings.map(({ seq }) => seq)).toEqual(happenings.map((_, index) => index + 1));
    expect(pathOf(happenings)).toEqual(['work.loading', 'work.serving']);
    expect(happenings.filter(({ actor }) => actor === 'lifecycle')).toMatchObject([
      { nth: 0, machine: 'lifecycle', kind: 'actor.started', details: { input: { serveUnreported: true } } },
      {
        nth: 1,
        kind: 'transition',
        event: 'load done',
        from: expect.arrayContaining(['work.loading']),
        to: expect.arrayContaining(['work.serving']),
        took: ['work.loading:xstate.done.actor.load#1', 'work.loaded:#0'],
        details: { type: 'xstate.done.actor.load', output: { ok: true } },
      },
    ]);
    const load = happenings.filter(({ actor }) => actor === 'lifecycle/load');
    expect(load.map(({ kind, event }) => [kind, event])).toEqual([
      ['actor.started', 'started'],
      ['transition', 'init done'],
      ['transition', 'loadTime done'],
      ['actor.stopped', 'done'],
    ]);
    const logged = happenings.filter(({ kind }) => kind === 'log').map(({ event }) => event);
    expect(logged).toEqual(['state.entered', 'state.entered', 'state.entered']);
  });

  it('to requests is noted while somebody looks, and at no other time', async () => {
    const { port, internalPort, worker } = await serve(answering);
    const requestsIn = (happenings: readonly Happening[]) =>
      happenings.filter(({ kind }) => kind === 'request').map(({ event, details }) => ({ event, details }));
    await post(port, '/run', {});
    expect(requestsIn((await historyOf(internalPort)).happenings)).toEqual([]);
    const looker = await Looker.look(internalPort);
    const other = await Looker.look(internalPort, '?requests=false');
    await post(port, '/run', { prompt: 'a poem' });
    await looker.until(() => looker.happenings.length === 2);
    expect(requestsIn(looker.happenings)).toEqual([
      { event: 'request.started', details: expect.objectContaining({ id: 2, route: '/run', workload: 7 }) },
      { event: 'request.succeeded', details: expect.objectContaining({ id: 2, sentBytes: 2 }) },
    ]);
    looker.leave();
    await expect
      .poll(async () => {
        await post(port, '/run', {});
        const before = requestsIn((await historyOf(internalPort)).happenings).length;
        await post(port, '/run', {});
        return requestsIn((await historyOf(internalPort)).happenings).length - before;
      })
      .toBe(0);
    void worker.stop('the test is over');
    await other.ended;
    expect(requestsIn(other.happenings)).toEqual([]);
    expect(pathOf(other.happenings).at(-1)).toBe('work.stopped');
  });

  it('is taken up after a break where it was, as far as it is kept', async () => {
    const { internalPort } = await serve(answering);
    const looker = await Looker.look(internalPort);
    await looker.until(() => looker.told.length > 0);
    expect(looker.of('now')[0]?.data.worker.state).toBe('serving');
    looker.leave();
    const last = looker.told.at(-1)?.id ?? Number.NaN;
    const again = await Looker.look(internalPort, '', { 'Last-Event-ID': String(last - 3) });
    await again.until(() => again.happenings.length >= 3);
    expect(again.happenings.map(({ seq }) => seq)).toEqual([last - 2, last - 1, last]);
    const byQuery = await Looker.look(internalPort, `?after=${last - 1}`);
    await byQuery.until(() => byQuery.happenings.length >= 1);
    expect(byQuery.happenings.map(({ seq }) => seq)).toEqual([last]);
    const ofAnotherLife = await Looker.look(internalPort, '?after=1000000');
    await ofAnotherLife.until(() => ofAnotherLife.told.length > 0);
    expect(ofAnotherLife.told[0]).toMatchObject({ event: 'now', id: last, data: { seq: last } });
  });

  it('is told until the worker has stopped, and then the stream ends', async () => {
    const { internalPort, worker } = await serve(answering);
    const looker = await Looker.look(internalPort);
    await worker.stop('it is enough');
    await looker.ended;
    expect(pathOf(looker.happenings)).toEqual([
      'work.draining.finishing',
      ...['work.draining.flushing.reports.due', 'work.draining.flushing.reports.told'],
      'work.stopped',
    ]);
    expect(looker.of('now').at(-1)?.data.worker.state).toBe('stopped');
  });
});

describe('who may look', () => {
  const guarded = { TSWORKER_INTERNAL_TOKEN: 'an-internal-token' };

  it("where there is a token, who has it; the page alone, which holds nothing, is everybody's", async () => {
    const { internalPort } = await serve(answering, guarded);
    const statuses = await Promise.all(
      [
        '/',
        '/assets/none.js',
        '/inspect/now',
        '/inspect/samples',
        '/inspect/charts',
        '/inspect/recording',
        '/inspect/events',
      ].map(async (path) => (await send(internalPort, path)).status),
    );
    expect(statuses).toEqual([
      expect.toSatisfy((status) => status === 200 || status === 503),
      404,
      401,
      401,
      401,
      401,
      401,
    ]);
    const headers = { Authorization: 'Bearer an-internal-token' };
    expect((await send(internalPort, '/inspect/now', { headers })).status).toBe(200);
    const looker = await Looker.look(internalPort, '', headers);
    await looker.until(() => looker.told.length > 0);
    const { body } = await send(internalPort, '/inspect/recording', { headers });
    expect(JSON.stringify([body, looker.told])).not.toContain('an-internal-token');
    expect(JSON.stringify([body, looker.told])).not.toContain('the-master-token');
  });

  it.each([
    ...[['127.0.0.1:3001', 200] as const, ['[::1]:3001', 200] as const, ['localhost', 200] as const],
    ...[
      ['localhost:3001', 200] as const,
      ['evil.example:3001', 401] as const,
      ['127.0.0.1.evil.example', 401] as const,
    ],
  ])('asked for as %s it answers %d, so that no page of another site gets at it', async (host, status) => {
    const { internalPort } = await serve(answering);
    expect((await send(internalPort, '/inspect/now', { headers: { host } })).status).toBe(status);
    const { internalPort: guardedPort } = await serve(answering, guarded);
    const headers = { host, Authorization: 'Bearer an-internal-token' };
    expect((await send(guardedPort, '/inspect/now', { headers })).status).toBe(200);
  });

  it('no script and no style of anybody else runs in the page', async () => {
    const { internalPort } = await serve(answering);
    const { headers } = await send(internalPort, '/');
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('with GET and HEAD alone, and what there is', async () => {
    const { internalPort } = await serve(answering);
    for (const path of ['/inspect/now', '/inspect/events']) {
      const { status, body } = await send(internalPort, path, { method: 'HEAD' });
      expect([path, status, body]).toEqual([path, 200, '']);
    }
    expect((await send(internalPort, '/inspect/now', { method: 'POST' })).status).toBe(405);
    expect((await send(internalPort, '/inspect/else')).status).toBe(404);
    expect((await send(internalPort, '/assets/../../package.json')).status).toBe(404);
  });

  it('not more than 32 at once', async () => {
    const { internalPort } = await serve(answering);
    const lookers = await Promise.all(Array.from({ length: 32 }, () => Looker.look(internalPort)));
    expect((await send(internalPort, '/inspect/events')).status).toBe(503);
    for (const looker of lookers) looker.leave();
    await expect
      .poll(() =>
        Looker.look(internalPort).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });
});
