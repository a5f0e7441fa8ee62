import { describe, expect, it } from 'vitest';
import { type BackendContext, defineBackend } from '../../src/index.js';
import {
  expectPath,
  leakCheck,
  startFakeModel,
  startTestAutoscaler,
  startTestWorker,
} from '../../src/testing/index.js';

/** What the author's own code says of it. */
let mood: BackendContext | undefined;

const moody = defineBackend({
  name: 'moody',
  dialect: 'current',
  maxPerf: 10,
  init: (context) => {
    mood = context;
  },
  routes: {
    '/double': { handle: ({ body }) => ({ doubled: 2 * Number((body as { number: number }).number) }) },
  },
});

const unheard = defineBackend({
  name: 'unheard',
  dialect: 'none',
  init: () => new Promise<void>(() => {}),
  routes: { '/echo': { handle: ({ body }) => body } },
});

describe('a worker to test with', () => {
  it('serves what its autoscaler has signed, and leaves nothing behind', async () => {
    await using _leaks = leakCheck();
    await using worker = await startTestWorker(moody);
    await worker.reaches('serving');
    expectPath(worker).toEqual(['loading', 'loaded', 'serving']);
    const answer = await worker.call('/double', { number: 21 }, { cost: 3 });
    expect([answer.status, await answer.json()]).toEqual([200, { doubled: 42 }]);
    expect(worker.requests.map(({ type }) => type)).toEqual(['request.started', 'request.succeeded']);
    await worker.autoscaler?.waitForCompletion(({ status }) => status === 'Success');
    expect(await worker.stop()).toBe('clean');
    expectPath(worker).toEqual(['loading', 'loaded', 'serving', 'draining', 'stopped']);
  });

  it('goes on along its path from the state that was reached last', async () => {
    await using worker = await startTestWorker(moody);
    await worker.reaches('serving');
    await worker.reaches('serving');
    mood?.fail('out of memory');
    mood?.recovered();
    await worker.reaches('failing');
    await worker.reaches('serving');
    expectPath(worker).toInclude(['serving', 'failing', 'loaded', 'serving']);
  });

  it('says where it is and why when it does not reach a state', async () => {
    await using worker = await startTestWorker(unheard, { autoscaler: null });
    await expect(worker.reaches('serving', { timeoutMs: 20 })).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_ASSERTION',
        message:
          "The worker has not reached serving within 0.02 s. It is loading: it waits for the backend's own init. Its path is loading.",
      }),
    );
  });

  it('says where it is and why when a request is not sent to it', async () => {
    const silent = { ...unheard, dialect: 'current' } as const;
    await using worker = await startTestWorker(silent);
    await expect(worker.call('/echo')).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_ASSERTION',
        message:
          "The autoscaler does not send the request to this worker: no worker has reported yet. It is loading: it waits for the backend's own init.",
      }),
    );
  });

  it('does not go on waiting for a worker that has stopped', async () => {
    await using worker = await startTestWorker(unheard, { autoscaler: null });
    const reached = expect(worker.reaches('serving', { timeoutMs: 60_000 })).rejects.toThrow(
      /^The worker has not reached serving\. It is stopped: .+\. Its path is loading → draining → stopped\.$/,
    );
    await worker.stop();
    await reached;
    await expect(worker.reaches('failing', { timeoutMs: 60_000 })).rejects.toThrow(/It is stopped: /);
  });

  it('does not wait for a state that no worker has', async () => {
    await using worker = await startTestWorker(unheard, { autoscaler: null });
    await expect(worker.reaches('servin' as 'serving', { timeoutMs: 60_000 })).rejects.toThrow(
      'A worker is never "servin"; its states are loading, loaded, serving, failing, draining, stopped.',
    );
  });

  it('needs no signatures where it has no autoscaler', async () => {
    await using worker = await startTestWorker(moody, { autoscaler: null });
    await worker.reaches('serving');
    expect((await worker.call('/double', { number: 1 })).status).toBe(200);
  });

  it('shares an autoscaler with others, and goes between it and a model server', async () => {
    await using autoscaler = await startTestAutoscaler();
    const model = await startFakeModel();
    const engine = defineBackend({
      name: 'engine',
      maxPerf: 10,
      model: { url: 'http://127.0.0.1:1', health: '/health' },
      routes: { '/v1/completions': {} },
    });
    try {
      await using first = await startTestWorker(engine, { autoscaler, model, env: { CONTAINER_ID: '1' } });
      await using second = await startTestWorker(engine, { autoscaler, model, env: { CONTAINER_ID: '2' } });
      await Promise.all([first.reaches('serving'), second.reaches('serving')]);
      expect(autoscaler.workers().map(({ id }) => id)).toEqual([1, 2]);
      for (const worker of [first, second, second, second]) {
        const answer = await worker.call('/v1/completions', { max_tokens: 1 });
        expect(await answer.json()).toMatchObject({ choices: [{ text: 'tok0' }] });
      }
      expect([first, second].map(({ requests }) => requests.length)).toEqual([2, 6]);
    } finally {
      await model.close();
    }
  });

  it('is not started with settings that are wrong, and leaves nothing behind then', async () => {
    await using _leaks = leakCheck();
    await expect(startTestWorker(moody, { env: { WORKER_PORT: 'many' } })).rejects.toThrow(/WORKER_PORT/);
    await expect(startTestWorker(moody, { env: { TSWORKER_HELTH_INTERVAL: '1s' } })).rejects.toThrow(
      'TSWORKER_HELTH_INTERVAL is not a setting of this version.',
    );
  });

  it.each([
    ['the module of a backend', { default: moody }],
    ['a function that makes one', () => moody],
    ['the promise of one', Promise.resolve(moody)],
    ['nothing', undefined],
  ])('is not started with %s', async (_, given) => {
    await using _leaks = leakCheck();
    await expect(startTestWorker(given as unknown as typeof moody)).rejects.toThrow(
      /^This is no backend; give/,
    );
  });
});

describe('its autoscaler', () => {
  it.each([500, 'cut', 'reset', { kind: 'slow', delayMs: 20 }] as const)(
    'answers the next messages with %j, and the worker serves all the same',
    async (fault) => {
      await using autoscaler = await startTestAutoscaler();
      autoscaler.faults.next(fault, { times: 2, of: 'statuses' });
      await using worker = await startTestWorker(moody, { autoscaler });
      await worker.reaches('serving');
      await autoscaler.waitForMessage(({ sequence, acknowledged }) => sequence > 2 && acknowledged);
      const [first, second] = autoscaler.messages();
      const isLate = typeof fault === 'object';
      expect([first?.acknowledged, second?.acknowledged]).toEqual([isLate, isLate]);
    },
  );

  it('answers one kind of message badly, until it is told to stop', async () => {
    await using worker = await startTestWorker(moody);
    const { autoscaler } = worker;
    autoscaler?.faults.always(503, { of: 'completions' });
    await worker.reaches('serving');
    await worker.call('/double', { number: 1 });
    await autoscaler?.waitForMessage(({ kind, acknowledged }) => kind === 'completions' && !acknowledged);
    autoscaler?.faults.clear();
    await autoscaler?.waitForMessage(({ kind, acknowledged }) => kind === 'completions' && acknowledged);
    expect(autoscaler?.completions()).toMatchObject([{ status: 'Success' }]);
  });

  it('refuses connections, and takes them again at the same address', async () => {
    await using worker = await startTestWorker(moody);
    await worker.reaches('serving');
    const { autoscaler } = worker;
    await autoscaler?.refuse();
    await expect(fetch(`${autoscaler?.url}/pubkey/`)).rejects.toThrow();
    const heard = autoscaler?.messages().length ?? 0;
    await autoscaler?.accept();
    await autoscaler?.waitForMessage(({ sequence, acknowledged }) => sequence > heard && acknowledged);
  });
});
