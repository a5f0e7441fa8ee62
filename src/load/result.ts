import type { LatencyFigures } from './latencies.js';
import type { Plan } from './run.js';
import type { SeriesPoint } from './series.js';
import type { Counts, OutcomeRow, Tally, WorkerRow } from './tally.js';
import { judge, type Threshold, type Verdict } from './thresholds.js';

/** What was asked for. */
export interface LoadSubject {
  /** The name of an endpoint, or a url. */
  readonly target: string;
  readonly method: 'GET' | 'POST';
  /** Null: the url holds it. */
  readonly route: string | null;
  /** Where the payloads come from; null: there is none. */
  readonly payload: string | null;
  readonly plan: PlanInWords;
}

export interface PlanInWords {
  readonly loop: 'open' | 'closed';
  /** Of an open loop, requests per second. */
  readonly rates: readonly number[] | null;
  readonly arrivals: 'even' | 'poisson' | null;
  /** Of a closed loop. */
  readonly concurrency: number | null;
  readonly durationMs: number;
}

/** Everything that a run tells, as `--json` prints it. Times are in ms; latencies count from when a request was due. */
export interface LoadResult extends LoadSubject {
  readonly startedAt: string;
  /** `interrupted`: it was stopped before its time. */
  readonly ended: 'finished' | 'interrupted';
  /** Until the last request had ended. */
  readonly tookMs: number;
  readonly requests: Counts;
  /** Per second of the time in which requests began. */
  readonly perSecond: {
    readonly sent: number;
    readonly succeeded: number;
    /** Units of work. */
    readonly units: number;
    /** Events of streams. */
    readonly events: number;
    readonly bytes: number;
  };
  /** Of requests that succeeded. */
  readonly latencyMs: LatencyFigures | null;
  /** The same at more percentiles: pairs of percent and ms. */
  readonly latencyCurve: readonly (readonly [percent: number, ms: number])[];
  readonly firstByteMs: LatencyFigures | null;
  /** Until a worker was named; null where none has to be found. */
  readonly routedMs: LatencyFigures | null;
  /** How much too late requests of an open loop were sent. */
  readonly lateMs: LatencyFigures | null;
  readonly outcomes: readonly OutcomeRow[];
  /** What the autoscaler said last when it had no worker; null: it always had one, or none has to be found. */
  readonly noWorkerStatus: string | null;
  readonly workers: readonly WorkerRow[];
  readonly thresholds: readonly Verdict[];
  readonly series: readonly SeriesPoint[];
}

export interface Finished {
  readonly subject: LoadSubject;
  readonly tally: Tally;
  readonly thresholds: readonly Threshold[];
  readonly startedAt: Date;
  /** When no more requests began, and when the last had ended, in ms after the start. */
  readonly stoppedMs: number;
  readonly tookMs: number;
  readonly isInterrupted: boolean;
}

export function resultOf(finished: Finished): LoadResult {
  const { subject, tally, startedAt, stoppedMs, tookMs, isInterrupted } = finished;
  const seconds = Math.max(stoppedMs, 1) / 1_000;
  const { requests, units, events, bytes } = tally.inTime;
  const perSecond = {
    sent: tally.counts.sent / seconds,
    succeeded: requests / seconds,
    units: units / seconds,
    events: events / seconds,
    bytes: bytes / seconds,
  };
  return {
    ...subject,
    startedAt: startedAt.toISOString(),
    ended: isInterrupted ? 'interrupted' : 'finished',
    tookMs,
    requests: tally.counts,
    perSecond,
    latencyMs: tally.latency.figures(),
    latencyCurve: tally.latency.curve(),
    firstByteMs: tally.firstByte.figures(),
    routedMs: tally.routed.figures(),
    lateMs: subject.plan.loop === 'open' ? tally.late.figures() : null,
    outcomes: tally.outcomes(),
    noWorkerStatus: tally.noWorkerStatus,
    workers: tally.workers(),
    thresholds: judge(finished.thresholds, { tally, ratePerSecond: perSecond.succeeded }),
    series: tally.seriesUntil(tookMs),
  };
}

export function planInWords(plan: Plan): PlanInWords {
  if (plan.kind === 'closed') {
    const { users: concurrency, durationMs } = plan;
    return { loop: 'closed', rates: null, arrivals: null, concurrency, durationMs };
  }
  const { rates, arrivals, durationMs } = plan.schedule;
  return { loop: 'open', rates, arrivals, concurrency: null, durationMs };
}

/** A run holds what was asked of it when no threshold is broken and anything succeeded at all. */
export function isGood({ thresholds, requests }: LoadResult): boolean {
  return requests.succeeded > 0 && thresholds.every(({ broken }) => !broken);
}
