import { text } from 'node:stream/consumers';
import { request } from 'undici';
import { expect, it } from 'vitest';
import { openAt } from '../conformance/rig.js';
import { type Finished, sumsOf } from '../conformance/scribe.js';
import { FAKETIME, FakeClock } from '../support/faults-clock.js';
import { startBeforeModel } from '../support/faults-model.js';
import type { WorkerProcess } from '../support/process.js';

const HOUR = 3_600;
const CLIENTS = 10;
const TOKENS = 4;
const PATIENCE = { timeout: 30_000 };

/** Far more than anything takes here, and far less than the jump. */
const A_WHILE = 60;

const internal = async (worker: WorkerProcess, path: string) => {
  const port = Number(worker.told('listening')[0]?.internalPort);
  const { body } = await request(`http://127.0.0.1:${port}${path}`, { reset: true });
  return body.text();
};

const post = async (worker: WorkerProcess, path: string, body: object) => {
  const response = await openAt(worker.port, path, JSON.stringify(body)).response;
  return { status: response.statusCode, ...Object(JSON.parse(await text(response))) };
};

/** Of one that succeeded: the times are in order, and lie no hour apart. */
function isInOrder({ entered_queue_at, work_started_at, work_completed_at }: Finished): boolean {
  const took = work_completed_at - entered_queue_at;
  return entered_queue_at <= work_started_at && work_started_at <= work_completed_at && took < A_WHILE;
}

it.each([
  ['forward', HOUR],
  ['back', -HOUR],
])(
  'the clock jumps an hour %s under load: nobody notices',
  async (_name, jump) => {
    if (FAKETIME === undefined) throw new Error('no libfaketime: run scripts/setup-debian.sh');
    const clock = new FakeClock();
    const { autoscaler, worker, ask } = await startBeforeModel({
      env: { ...clock.env, TSWORKER_REFUSE_REPEATS: 'true' },
    });
    await worker.reaches('serving');
    // Far from those of the clients, of whom it is not known how many they are: none may seem to be repeated.
    let lastIdx = 1_000_000;
    const hold = async (lifetime: number) => {
      const auth = autoscaler.authFor(worker.url, { cost: 10, request_idx: ++lastIdx });
      const body = { auth_data: auth, payload: { lifetime } };
      const { status, session_id } = await post(worker, '/session/create', body);
      expect(status).toBe(201);
      return { session_id, session_auth: auth };
    };
    const long = await hold(A_WHILE);
    const repeated = autoscaler.authFor(worker.url, { request_idx: ++lastIdx });
    const statuses: (number | undefined)[] = [(await ask({}, repeated)).statusCode];
    let isOver = false;
    const askAndAsk = async () => {
      while (!isOver) statuses.push((await ask()).statusCode);
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, askAndAsk));
    await expect.poll(() => statuses.length, PATIENCE).toBeGreaterThan(100);

    const short = await hold(1);
    clock.set(jump);
    const [served, reports] = [statuses.length, autoscaler.statuses.length];
    // Timers go on: heartbeats are told, and a session ends in its time.
    await autoscaler.until(() => autoscaler.statuses.length >= reports + 20);
    await autoscaler.untilFinished(short.session_auth.request_idx);
    await expect.poll(() => statuses.length, PATIENCE).toBeGreaterThan(served + 100);
    expect((await post(worker, '/session/health', long)).ok).toBe(true);
    const now = Date.now() / 1000 + jump;
    const { expiration, created_at } = await post(worker, '/session/get', long);
    expect(Math.abs(created_at - now)).toBeLessThan(A_WHILE);
    expect(Math.abs(expiration - created_at - A_WHILE)).toBeLessThan(1);
    // What was taken before is known still.
    expect((await ask({}, repeated)).statusCode).toBe(401);
    const { ready, since, forSeconds } = JSON.parse(await internal(worker, '/readyz'));
    expect([ready, Math.abs(Date.parse(since) / 1000 - now) < A_WHILE, forSeconds < A_WHILE]).toEqual([
      ...[true, true, true],
    ]);
    const metrics = await internal(worker, '/metrics');
    const age = /^tsworker_report_acknowledged_age_seconds (\S+)$/m.exec(metrics)?.[1];
    expect([Number(age) >= 0, Number(age) < A_WHILE]).toEqual([true, true]);
    isOver = true;
    await clients;
    expect((await post(worker, '/session/end', long)).ended).toBe(true);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });

    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    const { finished } = autoscaler;
    expect(finished.filter((one) => one.status !== 'Success' || !isInOrder(one))).toEqual([]);
    expect(finished).toHaveLength(statuses.length + 2);
    const work = statuses.length * TOKENS + 20;
    expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: work, rej_load: 0, cur_perf: work });
    expect(worker.told('state.entered').map(({ state }) => state)).toEqual([
      ...['loading', 'loaded', 'serving', 'draining', 'stopped'],
    ]);
    expect(worker.log.filter(({ level }) => level >= 40)).toEqual([]);
    // It is a jump that all this has survived: what ends is told by the clock as it is then.
    const endedAt = finished.map((one) => one.work_completed_at - now);
    expect([
      Math.abs((endedAt[0] ?? 0) + jump) < A_WHILE,
      Math.abs(endedAt.at(-1) ?? HOUR) < A_WHILE,
    ]).toEqual([...[true, true]]);
  },
  60_000,
);
