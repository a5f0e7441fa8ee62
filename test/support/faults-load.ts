import { expect, onTestFinished } from 'vitest';
import {
  type FaultFunction,
  LocalAutoscaler,
  type LocalAutoscalerOptions,
} from '../../src/autoscaler/index.js';
import {
  allReported,
  expectExactBooks,
  expectLoadedTold,
  expectNoGrowth,
  expectOutagesToldOnce,
  expectRatesToFit,
  holds,
  stopsCleanly,
} from './faults-books.js';
import { Clients } from './faults-clients.js';
import { startWorker, type WorkerProcess } from './process.js';

/** A local autoscaler that listens on a free port until the test ends. */
export async function startAutoscaler(options: LocalAutoscalerOptions = {}): Promise<LocalAutoscaler> {
  const autoscaler = new LocalAutoscaler({ port: 0, reportIntervalMs: 100, ...options });
  onTestFinished(() => autoscaler.stop());
  await autoscaler.start();
  return autoscaler;
}

/** Resolves when that many more messages have arrived and their outcome is known. */
export function messages(autoscaler: LocalAutoscaler, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const onMessage = () => {
      left -= 1;
      if (left > 0) return;
      autoscaler.off('message', onMessage);
      resolve();
    };
    autoscaler.on('message', onMessage);
  });
}

export interface Load {
  readonly fault: FaultFunction;
  readonly env?: Readonly<Record<string, string>>;
  /** How many reports, good and bad, the load goes on for. */
  readonly reports?: number;
  readonly requestsPerReport?: number;
}

export interface Loaded {
  readonly worker: WorkerProcess;
  readonly autoscaler: LocalAutoscaler;
  readonly sent: number;
}

const WARM_UP_REPORTS = 15;
const CLIENTS = 25;

/** Two that listen, three standard streams, two to the autoscaler, and one to spare. */
const SOCKETS_WITHOUT_CLIENTS = 8;

/**
 * A worker under load, whose autoscaler fails in some way: every request is answered, the books
 * balance, loaded is told, each outage is told once, and the worker grows in nothing.
 */
export async function survivesUnderLoad(load: Load): Promise<Loaded> {
  const { fault, env, reports = 60, requestsPerReport = 60 } = load;
  const autoscaler = await startAutoscaler({ fault });
  const worker = await startWorker({ reportTo: autoscaler.url, measureHeap: true, ...(env && { env }) });
  await worker.reaches('serving');
  const clients = new Clients(worker, CLIENTS);
  const sendDuring = async (count: number) => {
    for (let report = 0; report < count; report++) {
      await Promise.all([clients.increment(requestsPerReport), messages(autoscaler, 1)]);
    }
  };
  await sendDuring(WARM_UP_REPORTS);
  const before = await holds(worker);
  await sendDuring(reports);
  await allReported(worker, clients.sent);
  const after = await holds(worker);
  const books = await expectExactBooks(worker, autoscaler, clients.sent);
  const told = expectRatesToFit(worker, autoscaler, clients.sent);
  await expectLoadedTold(worker, autoscaler);
  expectNoGrowth(before, after);
  expect(after.sockets).toBeLessThanOrEqual(CLIENTS + SOCKETS_WITHOUT_CLIENTS);
  await stopsCleanly(worker);
  expectOutagesToldOnce(worker, autoscaler);
  const all = autoscaler.messages();
  const failed = all.filter(({ acknowledged }) => !acknowledged).length;
  console.info(JSON.stringify({ ...books, told, reports: all.length, failed, before, after }));
  return { worker, autoscaler, sent: clients.sent };
}

/** A reproducible draw from the same seed: mulberry32, as numbers from 0 to 1. */
export function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
