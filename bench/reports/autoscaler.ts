import { cut, openLedger } from '../../machines/ledger.js';
import type { Delivery } from '../../machines/reports.js';
import type { Outcome } from '../../src/simulate/effect.js';
import type { VirtualTime } from '../../src/simulate/virtual-time.js';

/**
 * How an autoscaler is away: its address refuses connections, or takes them and does not answer, until it is started
 * again and all that wait are cut at once.
 */
export type Away = 'refuses' | 'hangs';

export interface AutoscalerOptions {
  /** How many reports it takes in a second, one after the other. */
  readonly perSecond: number;
  readonly awayFromMs: number;
  readonly awayUntilMs: number;
  readonly away: Away;
  /** How long a worker waits for an answer. */
  readonly timeoutMs: number;
  readonly roundTripMs: number;
}

const SHOWN = { name: 'status', shown: {}, window: cut(openLedger(0), [], 0) };

/**
 * One autoscaler that takes reports in the order in which they come, and is away for a while. A report whose worker
 * has given it up is worked on all the same, since nobody takes it out of the queue.
 */
export class SimulatedAutoscaler {
  readonly #time: VirtualTime;
  readonly #options: AutoscalerOptions;
  #freeAtMs = 0;

  constructor(time: VirtualTime, options: AutoscalerOptions) {
    this.#time = time;
    this.#options = options;
  }

  take(): Outcome<Delivery> {
    const { awayFromMs, awayUntilMs, away, timeoutMs, roundTripMs, perSecond } = this.#options;
    const { nowMs } = this.#time;
    if (nowMs >= awayFromMs && nowMs < awayUntilMs) {
      const heldMs = Math.min(timeoutMs, awayUntilMs - nowMs);
      return { afterMs: away === 'hangs' ? heldMs : roundTripMs, error: new Error('away') };
    }
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + 1_000 / perSecond;
    const tookMs = this.#freeAtMs - nowMs + roundTripMs;
    return tookMs > timeoutMs
      ? { afterMs: timeoutMs, error: new Error('late') }
      : { afterMs: tookMs, output: { ...SHOWN, tookMs } };
  }
}
