import type { IncomingMessage } from 'node:http';
import { request } from 'undici';
import { expect } from 'vitest';
import { type Scribe, sumsOf } from '../conformance/scribe.js';
import type { WorkerProcess } from './process.js';
import { lives } from './supervisor/supervised.js';

/** What a client got. */
export interface Got {
  readonly status: number;
  readonly body: string;
  /** Whether the answer has its end. */
  readonly whole: boolean;
}

/** Reads an answer for as long as there is more of it. */
export async function got(asked: Promise<IncomingMessage>): Promise<Got> {
  const response = await asked;
  let body = '';
  try {
    for await (const piece of response.setEncoding('utf8')) body += piece;
  } catch {
    // It was cut.
  }
  return { status: response.statusCode ?? 0, body, whole: response.complete };
}

/** The error that a client was told. */
export async function refusal(asked: Promise<IncomingMessage>): Promise<readonly [number, unknown]> {
  const { status, body } = await got(asked);
  return [status, Object(JSON.parse(body)).error];
}

/** What the worker tells those who ask whether it can take requests. */
export async function readiness(worker: WorkerProcess): Promise<readonly [number, string, string]> {
  const port = Number(worker.told('listening')[0]?.internalPort);
  const { statusCode, body } = await request(`http://127.0.0.1:${port}/readyz`, { reset: true });
  const { state, reason } = Object(await body.json());
  return [statusCode, String(state), String(reason)];
}

/** The states that it has entered so far. */
export function entered(worker: WorkerProcess): readonly unknown[] {
  return worker.told('state.entered').map(({ state }) => state);
}

/** How many requests ended how. */
export interface Outcomes {
  readonly succeeded?: number;
  readonly errored?: number;
  readonly cancelled?: number;
  readonly rejected?: number;
}

/** Units of work of each request. */
const TOKENS = 4;

export interface Ending {
  readonly worker: WorkerProcess;
  readonly autoscaler: Scribe;
  /** Processes that were there, and must not be any more. */
  readonly pids?: readonly number[];
}

/**
 * All requests have ended: what the worker has counted, what the autoscaler has acknowledged, and what the clients
 * saw is one. Then it is told to stop, and does, and leaves nothing behind.
 */
export async function endsWith({ worker, autoscaler, pids = [] }: Ending, outcomes: Outcomes): Promise<void> {
  const { succeeded = 0, errored = 0, cancelled = 0, rejected = 0 } = outcomes;
  const taken = succeeded + errored + cancelled;
  const totals = async () => (await worker.status()).ledger.totals;
  await expect.poll(totals, { timeout: 10_000 }).toMatchObject({
    requests: taken + rejected,
    received: taken * TOKENS,
    served: succeeded * TOKENS,
    errored: errored * TOKENS,
    cancelled: cancelled * TOKENS,
    rejected: rejected * TOKENS,
  });
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(worker.told('left.unreported')).toEqual([]);
  expect(worker.told('uncaught')).toEqual([]);
  expect(sumsOf(autoscaler.statuses)).toEqual({
    new_load: taken * TOKENS,
    rej_load: rejected * TOKENS,
    cur_perf: succeeded * TOKENS,
  });
  const told = autoscaler.finished.map(({ status }) => status);
  const count = (status: string) => told.filter((each) => each === status).length;
  expect([count('Success'), count('Error'), count('Cancelled'), count('Rejected')]).toEqual([
    succeeded,
    errored,
    cancelled,
    rejected,
  ]);
  expect(new Set(autoscaler.finished.map(({ request_idx }) => request_idx)).size).toBe(taken + rejected);
  expect(await Promise.all(pids.map(lives))).toEqual(pids.map(() => false));
}
