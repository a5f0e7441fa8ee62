import type { Measurement, WarmUpResult } from '../../machines/benchmark.js';
import { messageOf } from '../errors.js';

/** What became of one request of a benchmark, whose answer was read to its end. */
export type Sent =
  | { readonly ok: true }
  /** `notReady`: the model does not take requests yet, and may later. */
  | { readonly ok: false; readonly reason: string; readonly notReady?: boolean };

/** Sends one request. Must end soon once the signal is aborted. */
export type Send = (body: unknown, signal: AbortSignal) => Promise<Sent>;

export interface Round {
  /** Counted from 1. */
  readonly round: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Units of work of what succeeded, per second. */
  readonly perf: number;
}

export interface MeasureOptions {
  readonly send: Send;
  /** The body of the request with this number, counted from 0 over all rounds, or a promise of it. */
  readonly bodies: (index: number) => unknown;
  readonly runs: number;
  readonly concurrency: number;
  readonly workloadOf: (body: unknown) => number;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly onRound: (round: Round) => void;
  readonly signal: AbortSignal;
}

export interface WarmUpOptions {
  readonly send: Send;
  readonly bodies: (index: number) => unknown;
  /** How many requests, one after the other. */
  readonly count: number;
  readonly signal: AbortSignal;
}

/** A round that took no time that the clock can tell would be infinitely fast. */
const SHORTEST_ROUND_MS = 0.001;

/**
 * Sends rounds of requests at once, and takes the best of them. A request that fails costs its round its work,
 * and nothing else.
 *
 * @throws when no request succeeded, with the reason of the first; when the signal is aborted
 */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { runs, concurrency, onRound, signal } = options;
  let maxPerf = 0;
  let successes = 0;
  let firstReason: string | undefined;
  for (let round = 1; round <= runs; round++) {
    const { works, reasons, tookMs } = await runRound(options, (round - 1) * concurrency);
    signal.throwIfAborted();
    const work = works.reduce((sum, each) => sum + each, 0);
    const perf = (work / Math.max(tookMs, SHORTEST_ROUND_MS)) * 1_000;
    maxPerf = Math.max(maxPerf, perf);
    successes += works.length;
    firstReason ??= reasons[0];
    onRound({ round, succeeded: works.length, failed: reasons.length, perf });
  }
  if (successes === 0) throw new Error(`no request of the benchmark succeeded: ${firstReason}`);
  return { maxPerf };
}

/**
 * Sends requests that do not count, so that the first round meets a model which has begun to work.
 *
 * @throws when the signal is aborted
 */
export async function warmUp({ send, bodies, count, signal }: WarmUpOptions): Promise<WarmUpResult> {
  for (let index = 0; index < count; index++) {
    const sent = await sendSafely(send, () => bodies(index), signal);
    signal.throwIfAborted();
    // Any other failure is left to the rounds, which tell whether nothing succeeds.
    if (!sent.ok && sent.notReady === true) return { ready: false, reason: sent.reason };
  }
  return { ready: true };
}

interface RoundResult {
  /** The work of each request that succeeded. */
  readonly works: readonly number[];
  /** Why the others failed, in the order in which they were sent. */
  readonly reasons: readonly string[];
  readonly tookMs: number;
}

async function runRound(options: MeasureOptions, firstIndex: number): Promise<RoundResult> {
  const { send, bodies, concurrency, workloadOf, now, signal } = options;
  const indexes = Array.from({ length: concurrency }, (_, index) => firstIndex + index);
  const works: number[] = [];
  const startedAtMs = now();
  const all = await Promise.all(
    indexes.map((index) => {
      // The body is made once: the work that counts is that of the very body that was sent.
      let workload = 0;
      const make = async () => {
        const body = await bodies(index);
        workload = workloadOf(body);
        return body;
      };
      return sendSafely(send, make, signal).then((sent) => {
        if (sent.ok) works.push(workload);
        return sent;
      });
    }),
  );
  return {
    works,
    reasons: all.flatMap((sent) => (sent.ok ? [] : [sent.reason])),
    tookMs: now() - startedAtMs,
  };
}

async function sendSafely(send: Send, makeBody: () => unknown, signal: AbortSignal): Promise<Sent> {
  try {
    return await send(await makeBody(), signal);
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}
