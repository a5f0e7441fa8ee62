import { describe, expect, it } from 'vitest';
import { Completions } from '../../src/autoscaler/completions.js';
import type { CompletionRecord, CompletionsMessage, IncomingReport } from '../../src/autoscaler/index.js';
import { finished, finishedBefore, loaded, status, TOKEN } from './bodies.js';
import { exchange, handClock, rawReport, report, send, startAutoscaler, tellFinished } from './harness.js';

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const TIMES = {
  entered_queue_at: 1795497950.3,
  work_started_at: 1795497950.4,
  work_completed_at: 1795497951.9,
};
const NO_TIMES = { entered_queue_at: null, work_started_at: null, work_completed_at: null };
const NONE = { Success: 0, Error: 0, Cancelled: 0, Rejected: 0, duplicates: 0 };

const serving = (id: number) => status(id, { url: `http://127.0.0.1:${3000 + id}`, cur_load: 0 });

describe('POST /delete_requests/', () => {
  it.each(['/delete_requests/', '/delete_requests'])('takes the newest form at %s', async (path) => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(7));
    const heard: CompletionRecord[] = [];
    autoscaler.on('completion', (completion) => heard.push(completion));
    const body = finished(
      7,
      { request_idx: 11 },
      { request_idx: 12, status: 'Error', success: false },
      { request_idx: 13, status: 'Cancelled', work_completed_at: 0 },
      { request_idx: 14, status: 'Rejected', success: false, work_started_at: 0, work_completed_at: 0 },
    );
    const answer = await send(autoscaler.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect([answer.status, answer.body]).toEqual([200, { ok: true }]);
    const told = { receivedAt: ISO, workerId: 7, form: 'requests', duplicate: false, ...TIMES };
    expect(autoscaler.completions()).toEqual([
      { ...told, sequence: 1, request_idx: 11, status: 'Success', success: true },
      { ...told, sequence: 2, request_idx: 12, status: 'Error', success: false },
      { ...told, sequence: 3, request_idx: 13, status: 'Cancelled', success: true, work_completed_at: 0 },
      {
        ...told,
        sequence: 4,
        request_idx: 14,
        status: 'Rejected',
        success: false,
        work_started_at: 0,
        work_completed_at: 0,
      },
    ]);
    expect(heard).toEqual(autoscaler.completions());
    expect(autoscaler.workers()[0]?.completions).toEqual({
      Success: 1,
      Error: 1,
      Cancelled: 1,
      Rejected: 1,
      duplicates: 0,
    });
  });

  it('takes the older form, which tells success alone', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(7));
    await tellFinished(autoscaler, finishedBefore(7, true, 11, 12));
    await tellFinished(autoscaler, finishedBefore(7, false, 13));
    const told = { receivedAt: ISO, workerId: 7, form: 'request_idxs', duplicate: false, ...NO_TIMES };
    expect(autoscaler.completions()).toEqual([
      { ...told, sequence: 1, request_idx: 11, status: 'Success', success: true },
      { ...told, sequence: 2, request_idx: 12, status: 'Success', success: true },
      { ...told, sequence: 3, request_idx: 13, status: 'Error', success: false },
    ]);
    expect(autoscaler.workers()[0]?.completions).toEqual({ ...NONE, Success: 2, Error: 1 });
  });

  it('ends the request that was routed to that worker', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(7));
    await autoscaler.route(1);
    await autoscaler.route(1);
    await tellFinished(autoscaler, finished(8, { request_idx: 1 }));
    await tellFinished(autoscaler, finishedBefore(7, false, 2));
    expect(autoscaler.requests().map(({ requestIdx, state, status }) => [requestIdx, state, status])).toEqual(
      [
        [2, 'finished', 'Error'],
        [1, 'assigned', null],
      ],
    );
    await tellFinished(autoscaler, finished(7, { request_idx: 1 }));
    expect(autoscaler.requests()[1]).toMatchObject({ state: 'finished', status: 'Success' });
  });

  it('what is told twice is counted once', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(7));
    for (let time = 0; time < 2; time++) {
      await tellFinished(autoscaler, finished(7, { request_idx: 1 }, { request_idx: 2 }));
      await tellFinished(autoscaler, finishedBefore(7, true, 3));
    }
    const told = autoscaler.completions().map(({ request_idx, duplicate }) => [request_idx, duplicate]);
    expect(told).toEqual([1, 2, 3].map((idx) => [idx, false]).concat([1, 2, 3].map((idx) => [idx, true])));
    expect(autoscaler.workers()[0]?.completions).toEqual({ ...NONE, Success: 3, duplicates: 3 });
    expect(Object((await send(`${autoscaler.url}/api/workers`)).body).endpoint.completions).toEqual({
      told: 6,
      duplicates: 3,
      dropped: 0,
    });
  });

  it('two requests with one request_idx are two', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(7));
    await tellFinished(
      autoscaler,
      finished(7, {}, { entered_queue_at: 1795497950.31 }, { status: 'Cancelled' }),
    );
    await tellFinished(autoscaler, finished(8, {}));
    expect(autoscaler.workers()[0]?.completions).toEqual({ ...NONE, Success: 2, Cancelled: 1 });
    expect(autoscaler.completions().map(({ duplicate }) => duplicate)).toEqual([false, false, false, false]);
  });

  it('in the older form, one that was routed again is not told twice', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(7));
    for (let time = 0; time < 2; time++) {
      expect(await autoscaler.route(1, { requestIdx: 5 })).toMatchObject({ reqnum: time + 1 });
      await tellFinished(autoscaler, finishedBefore(7, false, 5));
    }
    await tellFinished(autoscaler, finishedBefore(7, false, 5));
    expect(autoscaler.workers()[0]?.completions).toEqual({ ...NONE, Error: 2, duplicates: 1 });
  });

  it('takes thousands at once, and loses none', async () => {
    const autoscaler = await startAutoscaler();
    const many = Array.from({ length: 12_000 }, (_, index) => ({ request_idx: index + 1 }));
    const answer = await tellFinished(autoscaler, finished(7, ...many));
    expect(answer.status).toBe(200);
    expect(autoscaler.completions()).toHaveLength(10_000);
    expect(autoscaler.completions().at(-1)).toMatchObject({ sequence: 12_000, request_idx: 12_000 });
    expect(Object((await send(`${autoscaler.url}/api/workers`)).body).endpoint.completions).toEqual({
      told: 12_000,
      duplicates: 0,
      dropped: 2_000,
    });
  });

  it.each<[string, unknown]>([
    ['worker_id', { ...finished(7, {}), worker_id: 'x' }],
    ['requests.0.status', finished(7, { status: 'Lost' })],
    ['requests.1.request_idx', finished(7, {}, { request_idx: '1' })],
    ['request_idxs.0', finishedBefore(7, true, 1.5)],
    ['success', { ...finishedBefore(7, true, 1), success: 'yes' }],
    ['requests', { worker_id: 7 }],
    ['body', [1]],
  ])('a wrong %s is named, and counts nothing', async (field, body) => {
    const autoscaler = await startAutoscaler();
    const answer = await tellFinished(autoscaler, body);
    expect([answer.status, answer.body]).toEqual([
      400,
      { error: 'invalid_request', message: expect.stringMatching(new RegExp(`^${field}: `)) },
    ]);
    expect([autoscaler.completions(), autoscaler.messages()]).toEqual([[], []]);
    expect(Object((await send(`${autoscaler.url}/api/workers`)).body).refused).toMatchObject({ count: 1 });
  });

  it('is a message like others: kept without its token, and told when its outcome is known', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, serving(7));
    await tellFinished(autoscaler, finished(7, {}));
    expect(await autoscaler.waitForMessage(({ kind }) => kind === 'completions')).toEqual({
      sequence: 2,
      receivedAt: ISO,
      workerId: 7,
      dialect: 'current',
      kind: 'completions',
      acknowledged: true,
      body: { ...finished(7, {}), mtoken: '[redacted]' },
    });
    const told = [autoscaler.completions(), (await send(`${autoscaler.url}/api/messages`)).body];
    expect(JSON.stringify(told)).not.toContain(TOKEN);
  });
});

describe('faults', () => {
  it('see finished requests as well, in one count with the statuses', async () => {
    const asked: IncomingReport[] = [];
    const autoscaler = await startAutoscaler({
      fault: (incoming) => {
        asked.push(incoming);
        return incoming.path === '/delete_requests/' ? { kind: 'status', status: 503 } : undefined;
      },
    });
    expect((await report(autoscaler, loaded(7))).status).toBe(200);
    expect((await tellFinished(autoscaler, finished(7, {}))).status).toBe(503);
    expect((await report(autoscaler, loaded(7))).status).toBe(200);
    expect(asked.map(({ sequence, path, message }) => [sequence, path, message.kind, message.id])).toEqual([
      [1, '/worker_status/', 'loaded', 7],
      [2, '/delete_requests/', 'completions', 7],
      [3, '/worker_status/', 'loaded', 7],
    ]);
    expect(autoscaler.completions()).toEqual([]);
    expect(autoscaler.workers()[0]?.completions).toEqual(NONE);
    expect(autoscaler.messages().map(({ acknowledged }) => acknowledged)).toEqual([true, false, true]);
  });

  it('cut: counted, not acknowledged, and known when it is told again', async () => {
    const autoscaler = await startAutoscaler({
      fault: ({ sequence }) => (sequence === 1 ? { kind: 'cut' } : undefined),
    });
    const body = finished(7, {});
    const raw = rawReport(body).replace('/worker_status/', '/delete_requests/');
    expect((await exchange(autoscaler.port, raw)).received).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect((await tellFinished(autoscaler, body)).status).toBe(200);
    expect(autoscaler.completions().map(({ duplicate }) => duplicate)).toEqual([false, true]);
    expect(autoscaler.messages().map(({ acknowledged }) => acknowledged)).toEqual([false, true]);
  });

  it.each(['hang', 'reset'] as const)('%s: not counted', async (kind) => {
    const autoscaler = await startAutoscaler({ fault: () => ({ kind }) });
    const raw = rawReport(finished(7, {})).replace('/worker_status/', '/delete_requests/');
    const answer = exchange(autoscaler.port, raw);
    await autoscaler.waitForMessage(({ acknowledged }) => !acknowledged);
    expect(autoscaler.completions()).toEqual([]);
    await autoscaler.stop();
    expect((await answer).received).toBe('');
  });
});

describe('waiting for a completion', () => {
  it('finds one that came before, and one that is yet to come; ends with the time and with a stop', async () => {
    const autoscaler = await startAutoscaler();
    await tellFinished(autoscaler, finished(7, { request_idx: 1 }));
    expect(await autoscaler.waitForCompletion(({ workerId }) => workerId === 7)).toMatchObject({
      sequence: 1,
    });
    const later = autoscaler.waitForCompletion(({ request_idx }) => request_idx === 2);
    await tellFinished(autoscaler, finished(7, { request_idx: 2 }));
    expect(await later).toEqual(autoscaler.completions()[1]);
    const never = () => false;
    const late: unknown = await autoscaler.waitForCompletion(never, { timeoutMs: 1 }).catch((error) => error);
    expect(late).toMatchObject({
      message:
        'No completion matched within 1 ms: there were 2× Success of worker 7; the last: Success of worker 7, Success of worker 7.',
      stack: expect.stringMatching(/^Error: No completion .*\n +at .*completions\.test\.ts/),
    });
    const stopped = Promise.allSettled([autoscaler.waitForCompletion(never)]);
    await autoscaler.stop();
    expect(await stopped).toEqual([
      { status: 'rejected', reason: new Error('The local autoscaler was stopped.') },
    ]);
    expect([autoscaler.listenerCount('completion'), autoscaler.listenerCount('stopped')]).toEqual([0, 0]);
  });
});

describe('memory', () => {
  const message = (id: number): CompletionsMessage => ({
    dialect: 'current',
    kind: 'completions',
    id,
    form: 'requests',
    requests: [],
  });
  const request = (request_idx: number) => ({
    request_idx,
    success: true,
    status: 'Success' as const,
    ...TIMES,
  });

  it('is bounded in completions, in those known and in workers', () => {
    const clock = handClock();
    const completions = new Completions({ maxRecords: 2, maxKnown: 3, maxWorkers: 2 });
    const take = (id: number, idx: number) =>
      completions.take(message(id), request(idx), String(clock.now()), false).duplicate;
    for (const id of [1, 2, 3]) take(id, 1);
    expect(completions.latest().map(({ workerId }) => workerId)).toEqual([2, 3]);
    expect([completions.of(1), completions.of(2).Success, completions.of(3).Success]).toEqual([NONE, 1, 1]);
    expect(completions.totals).toEqual({ told: 3, duplicates: 0, dropped: 1 });
    expect([take(3, 1), take(3, 2), take(3, 3), take(2, 1)]).toEqual([true, false, false, false]);
  });
});
