import { describe, expect, it, onTestFinished } from 'vitest';
import type { WorkerExit } from '../../machines/fleet-worker-setup.js';
import type { EndpointSettings, Launcher, LocalAutoscaler, Patience } from '../../src/autoscaler/index.js';
import type { ScalingSample } from '../../src/autoscaler/scaling-history.js';
import { SCALING } from '../support/machines/scaling-settings.js';
import { status } from './bodies.js';
import { ask, handClock, postJson, report, send, startAutoscaler } from './harness.js';

const SETTINGS: EndpointSettings = { ...SCALING, maxQueueTimeMs: 30_000 };

const SOON: Partial<Patience> = { arrivalMs: 1, pause: { baseMs: 1, capMs: 1 } };

/** Workers that are none: what is done to them is written down, and they end as the test says. */
class Puppets implements Launcher {
  readonly done: string[] = [];
  /** Whether a signal ends them at once. */
  heedSignals = true;
  readonly #running = new Map<
    number,
    { readonly end: (exit: WorkerExit) => void; readonly fail: (error: Error) => void }
  >();

  async place(worker: number): Promise<void> {
    this.done.push(`place ${worker}`);
  }

  run(worker: number): Promise<WorkerExit> {
    this.done.push(`run ${worker}`);
    return new Promise((end, fail) => this.#running.set(worker, { end, fail }));
  }

  async signal(worker: number, signal: string): Promise<void> {
    this.done.push(`${signal} ${worker}`);
    if (this.heedSignals) this.end(worker, { code: 0, signal: null });
  }

  release(worker: number): void {
    this.done.push(`release ${worker}`);
  }

  end(worker: number, exit: WorkerExit): void {
    this.#running.get(worker)?.end(exit);
    this.#running.delete(worker);
  }

  neverBegins(worker: number): void {
    this.#running.get(worker)?.fail(new Error('EAGAIN'));
    this.#running.delete(worker);
  }
}

/** A scaling autoscaler, and its puppets. */
async function start(settings: Partial<EndpointSettings> = {}, patience = SOON) {
  const [clock, puppets] = [handClock(), new Puppets()];
  const autoscaler = await startAutoscaler({
    now: clock.now,
    scaling: { settings: { ...SETTINGS, ...settings }, launcher: puppets, patience },
  });
  /** The phase of a worker, when it is that or has become it. */
  const reaches = (worker: number, phase: string | null) =>
    new Promise<void>((resolve) => {
      const look = () => {
        const found = autoscaler.decisions().scaling?.workers.find(({ id }) => id === worker);
        if ((found?.phase ?? null) !== phase) return;
        autoscaler.off('phase', look);
        resolve();
      };
      autoscaler.on('phase', look);
      look();
    });
  const serves = async (worker: number, fields: Record<string, unknown> = {}) => {
    await reaches(worker, 'loading');
    await report(autoscaler, statusOf(worker, fields));
  };
  const update = () =>
    postJson(`${autoscaler.url}/update_workers/`, { workergroup_id: 1, api_key: autoscaler.apiKey });
  return { autoscaler, clock, puppets, reaches, serves, update };
}

const statusOf = (worker: number, fields: Record<string, unknown> = {}) =>
  status(worker, {
    max_perf: 10,
    loadtime: 1,
    new_load: 0,
    cur_load: 0,
    error_msg: '',
    url: `http://127.0.0.1:${4_000 + worker}`,
    ...fields,
  });

const done = (autoscaler: LocalAutoscaler) =>
  autoscaler
    .decisions()
    .decisions.map((each) => `${each.do} ${each.worker}`)
    .toReversed();

/** Resolves when it has looked at its fleet once more. */
async function nextLook(autoscaler: LocalAutoscaler): Promise<void> {
  const looks = async () => {
    const { body } = await send(`${autoscaler.url}/api/scaling`);
    return (body as { samples: ScalingSample[] }).samples.length;
  };
  const before = await looks();
  await expect.poll(looks, { timeout: 10_000 }).toBeGreaterThan(before);
}

const urlOf = ({ body }: { body: unknown }) => (body as { url?: string }).url;

describe('an autoscaler that scales', () => {
  it('starts a worker for the first request, sends it there when it serves, and lets the worker go at last', async () => {
    const { autoscaler, clock, puppets, reaches, serves } = await start();
    expect(await ask(autoscaler, { cost: 5 })).toMatchObject({
      body: { status: '1 worker: 1 creating' },
    });
    await serves(1);
    const routed = await ask(autoscaler, { cost: 5, request_idx: 1 });
    expect(urlOf(routed)).toBe('http://127.0.0.1:4001');
    await report(autoscaler, statusOf(1, { new_load: 5 }));
    clock.advance(59_999);
    await report(autoscaler, statusOf(1));
    expect(done(autoscaler)).toEqual(['create 1']);
    clock.advance(1);
    await reaches(1, 'inactive');
    expect(done(autoscaler)).toEqual(['create 1', 'deactivate 1']);
    expect(puppets.done).toEqual(['place 1', 'run 1', 'SIGTERM 1']);
    // Nobody takes the silence of a process that has ended for trouble.
    expect(autoscaler.workers()).toEqual([]);
    expect(await ask(autoscaler, { cost: 5 })).toMatchObject({
      body: { status: '1 worker: 1 inactive' },
    });
    await reaches(1, 'loading');
    expect(done(autoscaler)).toEqual(['create 1', 'deactivate 1', 'activate 1']);
    // What it has measured is known while it loads again.
    await report(autoscaler, statusOf(1, { max_perf: 0, loadtime: 0 }));
    expect(autoscaler.decisions().scaling?.workers[0]).toMatchObject({ phase: 'loading', maxPerf: 10 });
  });

  it('tells what it decided, and why, with the figures', async () => {
    const { autoscaler, clock, serves } = await start();
    await ask(autoscaler, { cost: 5 });
    await serves(1);
    clock.advance(4_000);
    const { body } = await send(`${autoscaler.url}/api/decisions?limit=1`);
    expect(body).toEqual({
      about: expect.stringContaining('In production the hosted autoscaler'),
      scaling: {
        settings: {
          min_load: 0,
          target_util: 0.9,
          cold_mult: 1,
          min_cold_load: 0,
          cold_workers: 0,
          min_workers: 0,
          max_workers: 4,
          inactivity_timeout: 60,
          max_queue_time: 30,
          target_queue_time: 10,
        },
        expectedPerSecond: 0.5,
        waiting: 5,
        waitedMs: 4_000,
        quietMs: 4_000,
        wanted: { workers: 1, capacity: expect.any(Number), coldCapacity: expect.any(Number) },
        starts: { failed: 0, heldForMs: null },
        capacity: 10,
        workers: [
          {
            id: 1,
            phase: 'ready',
            status: 'Ready',
            maxPerf: 10,
            perf: 10,
            starts: 1,
            failures: 0,
            reason: '',
          },
        ],
        toUpdate: [],
      },
      decisions: [
        {
          sequence: 1,
          at: expect.any(String),
          do: 'create',
          worker: 1,
          reason: expect.stringMatching(/^a capacity of .* units\/s is wanted \(.*5 units wait/),
        },
      ],
    });
  });

  it('says in the words of the wire what it is set to, and how its workers are', async () => {
    const { autoscaler, serves, reaches } = await start({ minWorkers: 2, inactivityTimeoutMs: 'never' });
    await reaches(2, 'loading');
    await serves(1);
    const headers = { authorization: `Bearer ${autoscaler.apiKey}` };
    const { body } = await send(`${autoscaler.url}/api/v0/endptjobs/1/`, { headers });
    expect(body).toMatchObject({ result: { min_workers: 2, max_workers: 4, inactivity_timeout: -1 } });
    const workers = await postJson(`${autoscaler.url}/get_endpoint_workers/`, {
      id: 1,
      api_key: autoscaler.apiKey,
    });
    expect(workers.body).toEqual([
      expect.objectContaining({ id: 1, status: 'Ready', perf: 10 }),
      expect.objectContaining({ id: 2, status: 'Loading', perf: 0, loaded_at: null }),
    ]);
  });

  it('makes requests wait for others where each worker has too much to do', async () => {
    const { autoscaler, serves } = await start({ maxWorkers: 1 });
    await ask(autoscaler, { cost: 1 });
    await serves(1);
    await ask(autoscaler, { cost: 1, request_idx: 1 });
    // 300 units take this worker 30 s; it is full beyond that.
    expect(urlOf(await ask(autoscaler, { cost: 299 }))).toBe('http://127.0.0.1:4001');
    expect(urlOf(await ask(autoscaler, { cost: 1 }))).toBe('http://127.0.0.1:4001');
    expect(await ask(autoscaler, { cost: 1 })).toMatchObject({ body: { status: '1 worker: 1 full' } });
  });

  it('believes one of three that says a thousand times as much only five times as much, wherever it counts', async () => {
    const { autoscaler, serves, reaches } = await start({ minWorkers: 3, maxWorkers: 3, minLoad: 200 });
    await serves(1);
    await serves(2);
    await serves(3, { max_perf: 10_000 });
    await reaches(3, 'ready');
    const { scaling } = autoscaler.decisions();
    expect(scaling?.workers.map(({ maxPerf, perf }) => [maxPerf, perf])).toEqual([
      [10, 10],
      [10, 10],
      [10_000, 50],
    ]);
    expect(scaling?.capacity).toBe(70);
    const seen = async () => {
      const { body } = await send(`${autoscaler.url}/api/scaling`);
      return (body as { samples: ScalingSample[] }).samples.at(-1)?.capacity;
    };
    await expect.poll(seen, { timeout: 10_000 }).toBe(70);
    const chosen: unknown[] = [];
    for (let nth = 0; nth < 8; nth++) chosen.push(urlOf(await ask(autoscaler, { cost: 100 })));
    expect(chosen).toEqual([1, 2, 3, 3, 3, 3, 3, 1].map((worker) => `http://127.0.0.1:400${worker}`));
  });

  it('takes one that serves and has measured nothing for one as quick as the others are', async () => {
    const { autoscaler, serves, reaches } = await start({ minWorkers: 2, maxWorkers: 2 });
    await serves(1);
    await serves(2, { max_perf: 0 });
    await reaches(2, 'ready');
    const chosen: unknown[] = [];
    for (const cost of [10, 1, 1]) chosen.push(urlOf(await ask(autoscaler, { cost })));
    expect(chosen).toEqual(['http://127.0.0.1:4001', 'http://127.0.0.1:4002', 'http://127.0.0.1:4002']);
  });

  it('expects the work of a request once, whichever workers it goes to', async () => {
    const { autoscaler, serves } = await start({ minWorkers: 2, inactivityTimeoutMs: 'never' });
    await serves(1);
    await serves(2);
    const expected = () => autoscaler.decisions().scaling?.expectedPerSecond;
    await ask(autoscaler, { cost: 40 });
    const before = expected();
    await report(autoscaler, statusOf(1, { error_msg: 'out of memory' }));
    await report(autoscaler, statusOf(2, { error_msg: 'out of memory' }));
    expect(urlOf(await ask(autoscaler, { cost: 40, request_idx: 1 }))).toBeUndefined();
    await report(autoscaler, statusOf(2));
    expect(urlOf(await ask(autoscaler, { cost: 40, request_idx: 1 }))).toBe('http://127.0.0.1:4002');
    expect([before, expected()]).toEqual([4, 4]);
  });

  it.each([
    ['stopping', 'deactivate 1'],
    ['updating', 'update 1'],
  ])('sends nobody to one that is %s, though it still reports that it serves', async (phase, decision) => {
    const { autoscaler, clock, puppets, reaches, serves, update } = await start({ minWorkers: 1 });
    await serves(1);
    await reaches(1, 'ready');
    expect(urlOf(await ask(autoscaler, { cost: 1 }))).toBe('http://127.0.0.1:4001');
    puppets.heedSignals = false;
    onTestFinished(() => {
      puppets.heedSignals = true;
      puppets.end(1, { code: 0, signal: null });
    });
    if (phase === 'updating') await update();
    else clock.advance(60_000);
    await report(autoscaler, statusOf(1));
    await reaches(1, phase);
    for (let nth = 0; nth < 5; nth++) {
      await report(autoscaler, statusOf(1));
      const { body } = await ask(autoscaler, { cost: 1 });
      expect(body).toMatchObject({ status: '1 worker: 1 withdrawn' });
    }
    expect(done(autoscaler).at(-1)).toBe(decision);
    expect(autoscaler.decisions().scaling?.workers).toMatchObject([{ id: 1, phase }]);
  });

  it('counts what a worker tells and what it was sent since, and not what was in one that has failed', async () => {
    const patience = { ...SOON, pause: { baseMs: 600_000, capMs: 600_000 } };
    const { autoscaler, clock, puppets, serves, reaches } = await start(
      { minWorkers: 2, maxWorkers: 3, targetQueueTimeMs: 1_000 },
      patience,
    );
    await serves(1);
    await serves(2);
    await reaches(2, 'ready');
    // In each 5 units that it tells and 6 that it was sent are more than it does in the second.
    for (const worker of [1, 2]) await report(autoscaler, statusOf(worker, { cur_load: 5 }));
    for (let nth = 0; nth < 2; nth++) await ask(autoscaler, { cost: 6 });
    await reaches(3, 'loading');
    for (const worker of [1, 3]) puppets.end(worker, { code: 1, signal: null });
    await reaches(3, 'failed');
    await report(autoscaler, statusOf(2));
    clock.advance(60_000);
    await reaches(2, 'inactive');
    expect(done(autoscaler)).toEqual([
      'create 1',
      'create 2',
      'create 3',
      'fail 1',
      'fail 3',
      'deactivate 2',
    ]);
  });

  it('lets workers go as the load falls, and knows nothing more of those that it has given up', async () => {
    const { autoscaler, clock, serves, reaches } = await start({ coldMult: 0 });
    await ask(autoscaler, { cost: 150 });
    await serves(1);
    await serves(2);
    await reaches(2, 'ready');
    clock.advance(60_000);
    await ask(autoscaler, { cost: 1, request_idx: 1 });
    for (const worker of [1, 2]) await report(autoscaler, statusOf(worker));
    await nextLook(autoscaler);
    clock.advance(30_000);
    await reaches(2, 'inactive');
    expect(done(autoscaler)).toEqual(['create 1', 'create 2', 'deactivate 2']);
    clock.advance(30_000);
    await reaches(1, 'inactive');
    await nextLook(autoscaler);
    clock.advance(600_000);
    await reaches(1, null);
    await reaches(2, null);
    await ask(autoscaler, { cost: 1 });
    await serves(3, { max_perf: 1_000 });
    expect(autoscaler.decisions().scaling?.workers).toMatchObject([{ id: 3, maxPerf: 1_000, perf: 1_000 }]);
  });

  it('leaves a worker that has failed alone for a while, and starts it again if it is still wanted', async () => {
    const { autoscaler, puppets, serves, reaches } = await start();
    await ask(autoscaler, { cost: 5 });
    await serves(1);
    await reaches(1, 'ready');
    puppets.end(1, { code: 1, signal: null });
    await reaches(1, 'inactive');
    // The request that waits has not been asked for again, and still counts.
    await reaches(1, 'loading');
    expect(done(autoscaler)).toEqual(['create 1', 'fail 1', 'activate 1']);
    expect(autoscaler.decisions().decisions[1]?.reason).toBe('its process ended by itself, with exit code 1');
  });

  it('starts no workers for a while when three starts in a row have failed, and then one alone, until one comes up', async () => {
    const { autoscaler, clock, puppets, serves, reaches } = await start({ minWorkers: 3 });
    for (const worker of [1, 2, 3]) {
      await reaches(worker, 'loading');
      puppets.end(worker, { code: 1, signal: null });
    }
    await reaches(3, 'inactive');
    expect(done(autoscaler).slice(-2)).toEqual(['fail 3', 'hold 3']);
    expect(autoscaler.decisions().decisions[0]?.reason).toBe(
      'the last 3 starts of workers have failed: none is started for 5 s, and then one alone',
    );
    expect(autoscaler.decisions().scaling?.starts).toEqual({ failed: 3, heldForMs: 5_000 });
    expect(await ask(autoscaler, { cost: 5 })).toMatchObject({
      body: { status: '3 workers: 3 inactive; the last 3 starts of workers have failed' },
    });
    clock.advance(4_999);
    await nextLook(autoscaler);
    expect(done(autoscaler).at(-1)).toBe('hold 3');
    clock.advance(1);
    await reaches(1, 'loading');
    await nextLook(autoscaler);
    expect(done(autoscaler).slice(-2)).toEqual(['hold 3', 'activate 1']);
    expect(autoscaler.decisions().decisions[0]?.reason).toContain(
      '; it alone, since the last 3 starts have failed',
    );
    await serves(1);
    await reaches(1, 'ready');
    expect(done(autoscaler).at(-1)).toBe('resume 1');
    expect(autoscaler.decisions().decisions[0]?.reason).toBe(
      'it has come up, after 3 starts that failed: workers are started as they are wanted again',
    );
    expect(autoscaler.decisions().scaling?.starts).toEqual({ failed: 0, heldForMs: null });
  });

  it('starts workers again at once when there is new code', async () => {
    const { autoscaler, puppets, reaches, update } = await start({ minWorkers: 3 });
    for (const worker of [1, 2, 3]) {
      await reaches(worker, 'loading');
      puppets.end(worker, { code: 1, signal: null });
    }
    await reaches(3, 'inactive');
    await ask(autoscaler, { cost: 5 });
    expect(await update()).toMatchObject({ status: 200, body: { success: true, workers: [] } });
    await reaches(1, 'loading');
    expect(autoscaler.decisions().scaling?.starts).toEqual({ failed: 0, heldForMs: null });
  });

  it('tells what it saw, look by look, and from where it was asked for last', async () => {
    const { autoscaler, serves } = await start();
    await ask(autoscaler, { cost: 5 });
    await serves(1);
    const samplesAfter = async (after: number) => {
      const { body } = await send(`${autoscaler.url}/api/scaling?after=${after}`);
      return (body as { samples: ScalingSample[] }).samples;
    };
    await nextLook(autoscaler);
    await expect.poll(async () => (await samplesAfter(0)).at(-1)?.ready).toBe(1);
    const samples = await samplesAfter(0);
    expect(samples[0]).toEqual({
      sequence: 1,
      at: expect.any(String),
      expectedPerSecond: 0,
      capacity: 0,
      wantedCapacity: 0,
      ready: 0,
      active: 0,
      wanted: 0,
    });
    expect(samples.at(-1)).toEqual({
      sequence: samples.length,
      at: expect.any(String),
      expectedPerSecond: 0.5,
      capacity: 10,
      wantedCapacity: expect.any(Number),
      ready: 1,
      active: 1,
      wanted: 1,
    });
    expect((await samplesAfter(1))[0]).toEqual(samples[1]);
    // Of another autoscaler, which was started before.
    expect((await samplesAfter(1_000_000))[0]).toEqual(samples[0]);
    expect((await send(`${autoscaler.url}/api/scaling?after=-1`)).status).toBe(400);
  });

  it('stops where the process of a worker could not be started meanwhile, too', async () => {
    const { autoscaler, puppets, reaches } = await start({ minWorkers: 1 });
    await reaches(1, 'loading');
    puppets.heedSignals = false;
    const stopped = autoscaler.stop();
    await reaches(1, 'stopping');
    puppets.neverBegins(1);
    await stopped;
    expect(puppets.done.at(-1)).toBe('release 1');
  });

  it('ends all its workers when it stops', async () => {
    const { autoscaler, puppets, serves, reaches } = await start({ minWorkers: 2 });
    await reaches(2, 'loading');
    await serves(1);
    await reaches(1, 'ready');
    await autoscaler.stop();
    expect(puppets.done.toSorted()).toEqual(
      ['place', 'run', 'SIGTERM', 'release'].flatMap((what) => [`${what} 1`, `${what} 2`]).toSorted(),
    );
  });
});

describe('POST /update_workers/', () => {
  it('starts workers anew one after the other, and sends nobody to who is about to end', async () => {
    const { autoscaler, puppets, serves, reaches, update } = await start({ minWorkers: 2, coldMult: 0 });
    for (const worker of [1, 2]) {
      await serves(worker);
      await reaches(worker, 'ready');
    }
    expect(await update()).toMatchObject({ status: 200, body: { success: true, workers: [1, 2] } });
    expect(urlOf(await ask(autoscaler, { cost: 1 }))).toBe('http://127.0.0.1:4002');
    await serves(1);
    await reaches(1, 'ready');
    await serves(2);
    await reaches(2, 'ready');
    expect(autoscaler.decisions().scaling?.toUpdate).toEqual([]);
    const order = puppets.done.filter((each) => !each.startsWith('place')).slice(2);
    expect(order).toEqual(['SIGTERM 1', 'run 1', 'SIGTERM 2', 'run 2']);
  });

  it('reaches a worker that says it has failed, too, since it may recover with the code that it has', async () => {
    const { autoscaler, puppets, serves, reaches, update } = await start({ minWorkers: 2, coldMult: 0 });
    for (const worker of [1, 2]) {
      await serves(worker);
      await reaches(worker, 'ready');
    }
    await report(autoscaler, statusOf(1, { error_msg: 'out of memory' }));
    await reaches(1, 'failed');
    expect(await update()).toMatchObject({ body: { workers: [1, 2] } });
    for (const worker of [1, 2]) {
      await serves(worker);
      await reaches(worker, 'ready');
    }
    const order = puppets.done.filter((each) => !each.startsWith('place')).slice(2);
    expect(order).toEqual(['SIGTERM 1', 'run 1', 'SIGTERM 2', 'run 2']);
  });

  it('that comes while one is under way starts anew also who has started, but does not serve yet', async () => {
    const { autoscaler, puppets, serves, reaches, update } = await start({ minWorkers: 2, coldMult: 0 });
    for (const worker of [1, 2]) {
      await serves(worker);
      await reaches(worker, 'ready');
    }
    puppets.heedSignals = false;
    await update();
    // Its new process is still to come.
    expect(await update()).toMatchObject({ body: { workers: [1, 2] } });
    await expect.poll(() => puppets.done.at(-1)).toBe('SIGTERM 1');
    puppets.end(1, { code: 0, signal: null });
    puppets.heedSignals = true;
    await reaches(1, 'loading');
    expect(await update()).toMatchObject({ body: { workers: [1, 2] } });
    for (const worker of [1, 2]) {
      await serves(worker);
      await reaches(worker, 'ready');
    }
    expect(autoscaler.decisions().scaling?.toUpdate).toEqual([]);
    const order = puppets.done.filter((each) => !each.startsWith('place')).slice(2);
    expect(order).toEqual(['SIGTERM 1', 'run 1', 'SIGTERM 1', 'run 1', 'SIGTERM 2', 'run 2']);
  });

  it('goes no further when a worker fails with the new code', async () => {
    const { autoscaler, puppets, serves, reaches, update } = await start({ minWorkers: 2, coldMult: 0 });
    for (const worker of [1, 2]) {
      await serves(worker);
      await reaches(worker, 'ready');
    }
    await update();
    await reaches(1, 'loading');
    puppets.end(1, { code: 3, signal: null });
    await reaches(1, 'inactive');
    expect(done(autoscaler)).toEqual(['create 1', 'create 2', 'update 1', 'fail 1', 'halt 1']);
    expect(autoscaler.decisions().scaling?.toUpdate).toEqual([]);
    await reaches(2, 'ready');
  });

  it.each([
    [{ workergroup_id: 2 }, 404, 'There is no such group of workers: the one here is 1.'],
    [{}, 400, expect.stringContaining('workergroup_id')],
    [{ workergroup_id: 1 }, 400, expect.stringContaining('has not started its workers')],
  ])('%j of an autoscaler that starts no workers is answered with %i', async (fields, code, message) => {
    const autoscaler = await startAutoscaler();
    const { apiKey: api_key } = autoscaler;
    const answer = await postJson(`${autoscaler.url}/update_workers/`, { ...fields, api_key });
    expect(answer).toMatchObject({ status: code, body: { message } });
  });

  it('needs the key', async () => {
    const autoscaler = await startAutoscaler();
    const answer = await postJson(`${autoscaler.url}/update_workers/`, { workergroup_id: 1, api_key: 'no' });
    expect(answer.status).toBe(401);
  });
});

it('an autoscaler that starts no workers has decided nothing', async () => {
  const autoscaler = await startAutoscaler();
  expect(await send(`${autoscaler.url}/api/decisions`)).toMatchObject({
    status: 200,
    body: { scaling: null, decisions: [] },
  });
});
