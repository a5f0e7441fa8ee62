import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Pool, request } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { sumsOf } from '../conformance/scribe.js';
import { startBeforeModel } from '../support/faults-model.js';
import { startSupervised } from '../support/faults-supervised.js';
import type { WorkerProcess } from '../support/process.js';
import { lives } from '../support/supervisor/supervised.js';

const DESCRIPTORS = 256;
/** What the worker gives of them to clients and to the model server. */
const [OF_CLIENTS, OF_MODEL] = [115, 77];
const TOKENS = 4;
const PATIENCE = { timeout: 30_000 };

type BeforeModel = Awaited<ReturnType<typeof startBeforeModel>>;

/** One client that keeps its connection, and how many of its requests were served. */
function keptClient({ worker, autoscaler }: Pick<BeforeModel, 'worker' | 'autoscaler'>) {
  const pool = new Pool(worker.url, { connections: 1 });
  onTestFinished(() => pool.destroy());
  let served = 0;
  const ask = async () => {
    const payload = { model: 'm', prompt: 'p', max_tokens: TOKENS };
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/v1/completions',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth_data: autoscaler.authFor(worker.url), payload }),
    });
    await body.dump();
    if (statusCode === 200) served += 1;
    return statusCode;
  };
  /** Makes the connection. */
  const come = () => pool.request({ method: 'GET', path: '/nowhere' }).then(({ body }) => body.dump());
  return { ask, come, served: () => served };
}

/** Connections on which nobody ever says anything. */
function strangers(worker: WorkerProcess, count: number) {
  const sockets = Array.from({ length: count }, (): Socket => {
    const socket = connect(worker.port, '127.0.0.1')
      .on('error', () => {})
      .resume();
    onTestFinished(() => void socket.destroy());
    return socket;
  });
  return {
    here: () => sockets.filter(({ destroyed }) => !destroyed).length,
    leave: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** From now on it gets no descriptor of this number or a higher one. */
function limitDescriptors(worker: WorkerProcess, number: number): void {
  execFileSync('prlimit', ['--pid', String(worker.program.pid), `--nofile=${number}:`]);
}

const internal = async (worker: WorkerProcess, path: string) => {
  const port = Number(worker.told('listening')[0]?.internalPort);
  const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}`, { reset: true });
  await body.dump();
  return statusCode;
};

it('strangers take all connections that there are: who has one is served, the worker reports, and has room again', async () => {
  const world = await startBeforeModel({ descriptors: DESCRIPTORS });
  const { worker, autoscaler, ask } = world;
  await worker.reaches('serving');
  const client = keptClient(world);
  expect(await client.ask()).toBe(200);

  const crowd = strangers(worker, 300);
  await expect.poll(() => crowd.here(), PATIENCE).toBe(OF_CLIENTS - 1);
  await expect(ask()).rejects.toThrow();
  for (let report = 0; report < 3; report++) {
    expect(await client.ask()).toBe(200);
    expect((await autoscaler.nextStatus()).error_msg).toBe('');
  }
  expect([await internal(worker, '/livez'), await internal(worker, '/readyz')]).toEqual([200, 200]);
  expect(crowd.here()).toBe(OF_CLIENTS - 1);
  expect(worker.program.resources().fds).toBeLessThan(DESCRIPTORS);

  crowd.leave();
  const isServed = () =>
    ask().then(
      ({ statusCode }) => statusCode,
      () => undefined,
    );
  await expect.poll(isServed, PATIENCE).toBe(200);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const work = (client.served() + 1) * TOKENS;
  expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: work, rej_load: 0, cur_perf: work });
  // What kept others out is told once, and nothing else is the matter.
  expect(worker.log.filter(({ level }) => level >= 40)).toMatchObject([
    { event: 'clients.crowded', maxConnections: OF_CLIENTS },
  ]);
});

it('more requests at once than connections to the model server: they wait for one, and the worker reports', async () => {
  const { worker, autoscaler, model, ask } = await startBeforeModel({
    descriptors: DESCRIPTORS,
    model: { behaviour: { pauseAfterTokens: 0 } },
  });
  await worker.reaches('serving');
  const answers = Array.from({ length: OF_CLIENTS - 1 }, () => ask());
  await model.untilRequest(OF_MODEL);
  const isTold = ({ num_requests_working }: { num_requests_working: number }) =>
    num_requests_working === answers.length;
  await autoscaler.untilStatus(isTold);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  expect(worker.program.resources().fds).toBeLessThan(DESCRIPTORS);
  model.behave({ pauseAfterTokens: undefined });
  expect((await Promise.all(answers)).filter(({ statusCode }) => statusCode !== 200)).toEqual([]);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(worker.log.filter(({ level }) => level >= 40)).toEqual([]);
});

it('not one is left: the model server is not blamed, the worker lives, and all is well when there are some again', async () => {
  const world = await startBeforeModel({ env: { TSWORKER_LOG_LEVEL: 'debug' } });
  const { worker, autoscaler } = world;
  await worker.reaches('serving');
  const clients = Array.from({ length: 10 }, () => keptClient(world));
  const askAll = async () => new Set(await Promise.all(clients.map(({ ask }) => ask())));
  // Each has its connection, and none to the model server is made.
  await Promise.all(clients.map(({ come }) => come()));
  limitDescriptors(worker, 8);
  const late = connect(worker.port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void late.destroy());
  late.write('GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(await askAll()).toEqual(new Set([500]));
  const looks = () =>
    worker.told('health.busy').filter(({ reason }) => String(reason).includes('EMFILE')).length;
  // For longer than a second, in which the worker takes its own measure too.
  await worker.program.find('many looks', () => looks() > 30 || undefined);

  limitDescriptors(worker, 1_024);
  const [answer] = await once(late, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /);
  await expect.poll(askAll, PATIENCE).toEqual(new Set([200]));
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(sumsOf(autoscaler.statuses).cur_perf).toBe(
    clients.reduce((sum, { served }) => sum + served(), 0) * TOKENS,
  );
  expect(worker.told('state.entered').map(({ state }) => state)).toEqual([
    ...['loading', 'loaded', 'serving', 'draining', 'stopped'],
  ]);
  expect(autoscaler.statuses.filter(({ error_msg }) => error_msg !== '')).toEqual([]);
  expect(worker.told('uncaught')).toEqual([]);
});

it('hardly one is left: SIGTERM ends the worker, and its model server with it', async () => {
  // To look at so many processes at once would take more than there are.
  const crowd = Array.from({ length: 400 }, () => spawn('sleep', ['600'], { stdio: 'ignore' }));
  onTestFinished(() => {
    for (const one of crowd) one.kill();
  });
  const { worker, model } = await startSupervised({ TSWORKER_MODEL_GRACE: '500ms' });
  await worker.reaches('serving');
  const inUse = readdirSync(`/proc/${worker.program.pid}/fd`).map(Number);
  limitDescriptors(worker, Math.max(...inUse) + 3);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(await Promise.all(model.pids().map(lives))).toEqual([false]);
});
