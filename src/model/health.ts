import { setTimeout as delay } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import type { ProbeResult } from '../../machines/health.js';
import { messageOf } from '../errors.js';
import type { Probe } from './probe.js';
import { isOutOfDescriptors, isRefused } from './refused.js';

export interface HealthProbeOptions {
  /** Null: there is no health route, and only silence shows that the model server is not well. */
  readonly probe: Probe | null;
  /** How many bytes of answers the model server has sent to clients in all. */
  readonly bytesSoFar: () => number;
  /** For how long it has sent nothing although requests wait, the longest since this was last called, in ms. */
  readonly takeQuietMs: () => number;
}

/** The effect behind the health machine. */
export function createHealthProbe({ probe, bytesSoFar, takeQuietMs }: HealthProbeOptions) {
  let bytesBefore = bytesSoFar();
  return fromPromise<ProbeResult, undefined>(async ({ signal }) => {
    try {
      await probe?.once(signal);
      return { ok: true, quietMs: takeQuietMs() };
    } catch (error) {
      const cause = causeOf(error);
      // Whoever refuses connections is not there, whatever it has sent before. Of one that could not be asked for a
      // lack of the worker's own nothing bad is known.
      const bytesFlowed = isOutOfDescriptors(cause) || (!isRefused(cause) && bytesSoFar() > bytesBefore);
      return { ok: false, reason: messageOf(error), bytesFlowed, quietMs: takeQuietMs() };
    } finally {
      bytesBefore = bytesSoFar();
    }
  });
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

export interface UntilHealthyOptions {
  readonly probe: Probe;
  /** Between two questions. */
  readonly pauseMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Hears why the server is not well yet, each time. */
  readonly onUnwell: (reason: string) => void;
}

/**
 * Resolves at the first 200.
 *
 * @throws when the signal is aborted before
 */
export async function untilHealthy({ probe, pauseMs, signal, onUnwell }: UntilHealthyOptions): Promise<void> {
  for (;;) {
    try {
      return await probe.once(signal);
    } catch (error) {
      signal.throwIfAborted();
      onUnwell(messageOf(error));
    }
    await delay(pauseMs, undefined, { signal });
  }
}
