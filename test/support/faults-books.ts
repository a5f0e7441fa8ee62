import { expect } from 'vitest';
import type { Totals } from '../../machines/ledger.js';
import type { MessageRecord } from '../../src/autoscaler/index.js';
import type { Resources, WorkerProcess } from './process.js';

interface Update {
  readonly cur_load: number;
  readonly num_requests_recieved: number;
}

/** What of an autoscaler a test looks at. */
export interface Receiver {
  messages(): readonly Pick<MessageRecord, 'kind' | 'acknowledged' | 'body' | 'receivedAt'>[];
}

export function acknowledgedUpdates(receiver: Receiver): readonly (Update & { atMs: number })[] {
  return receiver
    .messages()
    .filter(({ kind, acknowledged }) => kind === 'update' && acknowledged)
    .map(({ body, receivedAt }) => ({ ...(body as Update), atMs: Date.parse(receivedAt) }));
}

/** Resolves when the autoscaler knows of all requests. */
export async function allReported(worker: WorkerProcess, sent: number, patienceMs?: number): Promise<void> {
  await worker.logged(
    (line) => line.event === 'report.delivered' && line.num_requests_recieved === sent,
    patienceMs,
  );
}

/**
 * The books balance: what was sent, what the worker counted, and what the autoscaler acknowledged
 * are one number, in requests and in units of work.
 */
export async function expectExactBooks(worker: WorkerProcess, receiver: Receiver, sent: number) {
  await allReported(worker, sent);
  const { ledger, requestsUnderWay } = await worker.status();
  const totals = toldInLegacy(ledger.totals);
  const reported = toldInLegacy(ledger.reported);
  expect(totals).toEqual({ requests: sent, received: sent, served: sent, errored: 0, cancelled: 0 });
  expect(ledger.totals).toMatchObject({ rejected: 0, load: sent });
  expect(reported).toEqual(totals);
  expect(requestsUnderWay).toBe(0);
  expect(acknowledgedUpdates(receiver).at(-1)?.num_requests_recieved).toBe(sent);
  return { sent, units: reported.received };
}

/** The accounts that an update of the legacy dialect tells, or settles. */
export function toldInLegacy({ requests, received, served, errored, cancelled }: Totals) {
  return { requests, received, served, errored, cancelled };
}

/**
 * The rates on the wire amount to what was sent, nearly: the receiver knows when a report came, and
 * only the worker knows when it was cut.
 */
export function expectRatesToFit(worker: WorkerProcess, receiver: Receiver, sent: number): number {
  const told = Math.round(unitsTold(worker, receiver));
  expect(told).toBeGreaterThan(sent * 0.92);
  expect(told).toBeLessThan(sent * 1.08);
  return told;
}

/** Rate × seconds, summed. */
function unitsTold(worker: WorkerProcess, receiver: Receiver): number {
  let sinceMs = worker.program.startedAtMs;
  let units = 0;
  for (const { cur_load, atMs } of acknowledgedUpdates(receiver)) {
    units += (cur_load * (atMs - sinceMs)) / 1000;
    sinceMs = atMs;
  }
  return units;
}

/**
 * Loaded was delivered with what the worker says of itself: once, and again at the most once after each
 * outage and each change of address, since who answers then may not know it. An acknowledgement that
 * did not reach the worker is another matter: the wire can't know it.
 */
export async function expectLoadedTold(worker: WorkerProcess, receiver: Receiver): Promise<void> {
  const { loadTimeSeconds } = await worker.status();
  const delivered = worker.told('report.delivered').filter(({ report }) => report === 'loaded');
  const mayNotKnow = worker.told('outage.ended').length + worker.told('address.changed').length;
  expect(delivered.length).toBeGreaterThanOrEqual(1);
  expect(delivered.length).toBeLessThanOrEqual(1 + mayNotKnow);
  for (const { loadtime, max_perf } of delivered) {
    expect({ loadtime, max_perf }).toEqual({ loadtime: loadTimeSeconds, max_perf: 0.5 });
  }
  const acknowledged = receiver
    .messages()
    .filter((message) => message.kind === 'loaded' && message.acknowledged);
  expect(acknowledged.map(({ body }) => body)).toContainEqual({
    id: 7,
    mtoken: expect.any(String),
    loadtime: loadTimeSeconds,
    max_perf: 0.5,
  });
}

/**
 * Each run of failures is one outage: told when it begins, and summed up when it is over. Nothing else
 * is warned of. To be asked when the worker has stopped in good order, so that no report is under way.
 */
export function expectOutagesToldOnce(worker: WorkerProcess, receiver: Receiver): void {
  const runs: number[] = [];
  let failures = 0;
  for (const { acknowledged } of receiver.messages()) {
    if (acknowledged && failures > 0) runs.push(failures);
    failures = acknowledged ? 0 : failures + 1;
  }
  expect(worker.told('outage.ended').map(({ failedAttempts }) => failedAttempts)).toEqual(runs);
  expect(worker.log.filter(({ level }) => level >= 40).map(({ event }) => event)).toEqual(
    // One that goes on when the worker stops has no end, and holds nobody up.
    [...runs, ...(failures > 0 ? [failures] : [])].map(() => 'outage.began'),
  );
}

/** SIGTERM, and it ends as it should. */
export async function stopsCleanly(worker: WorkerProcess): Promise<void> {
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(worker.told('left.unreported')).toEqual([]);
}

export interface Held extends Resources {
  readonly heapMib: number;
}

/** What a worker holds, for which it must have been started with `measureHeap`. */
export async function holds(worker: WorkerProcess): Promise<Held> {
  const heapMib = await worker.heapMib();
  return { heapMib, ...worker.program.resources() };
}

/**
 * Neither memory nor connections have grown. Of the memory, what survives a collection says it
 * exactly; the resident set also holds what V8 has not given back, so it gets more room.
 */
export function expectNoGrowth(before: Held, after: Held): void {
  expect(after.heapMib - before.heapMib).toBeLessThan(1.5);
  expect(after.rssMib - before.rssMib).toBeLessThan(72);
  expect(after.fds - before.fds).toBeLessThanOrEqual(2);
  expect(after.sockets - before.sockets).toBeLessThanOrEqual(2);
}
