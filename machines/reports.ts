import type { Window } from './ledger.js';

/** The vocabulary of reports: what is told of a worker, when, in which attempt, and what became of it. */

/** How far a worker is, as far as its autoscaler needs to know. */
export type Phase = 'loading' | 'loaded' | 'failing';

/** What the autoscaler is to know of the worker, beside its work. */
export interface WorkerStatus {
  readonly phase: Phase;
  /** How long the last load took, in seconds; 0 until loaded. */
  readonly loadTimeSeconds: number;
  /** Units of work per second; 0 until loaded. */
  readonly maxPerf: number;
  /** Why the worker is failing, or empty. */
  readonly errorMessage: string;
}

/** What a worker is that has just begun. */
export const LOADING: WorkerStatus = { phase: 'loading', loadTimeSeconds: 0, maxPerf: 0, errorMessage: '' };

const KINDS = ['state', 'capacity', 'work'] as const;

/**
 * A message tells the worker's state, the batch capacity of its model server, or its work; in some dialects every
 * message tells both state and work.
 */
export type ReportKind = (typeof KINDS)[number];

/** Some kinds and more, each once, in the order in which they are sent. */
export function merged(some: readonly ReportKind[], more: readonly ReportKind[]): readonly ReportKind[] {
  return KINDS.filter((kind) => some.includes(kind) || more.includes(kind));
}

/** When a dialect tells what. */
export interface ReportPlan {
  /** What one message of a kind tells. Nothing: the dialect has no such message, and it is never due. */
  readonly covers: Readonly<Record<ReportKind, readonly ReportKind[]>>;
  /** What is due at once when the worker enters a phase. */
  readonly onEnter: Readonly<Record<Phase, readonly ReportKind[]>>;
  /** What is due at each heartbeat of a phase. */
  readonly heartbeat: Readonly<Record<Phase, readonly ReportKind[]>>;
}

/** One attempt: what to tell, and whom. */
export interface Attempt {
  readonly kind: ReportKind;
  readonly address: string;
  readonly status: WorkerStatus;
}

/** An attempt whose 2xx answer was read. */
export interface Delivery {
  readonly window: Window;
  /** The message's name on the wire, and what to show of it: no secrets. */
  readonly name: string;
  readonly shown: Readonly<Record<string, unknown>>;
  readonly tookMs: number;
}

/** What the reporter tells the machine that invoked it. */
export type ReporterToParent =
  | { type: 'report.started' }
  | { type: 'report.settled' }
  | { type: 'report.acknowledged'; phase: Phase; covers: readonly ReportKind[]; window: Window }
  /** Every address has failed since the last delivery. */
  | { type: 'report.unreachable' }
  | { type: 'reports.flushed' };

export type ReporterEmitted =
  | { type: 'report.delivered'; attempt: Attempt; delivery: Delivery }
  | { type: 'report.failed'; attempt: Attempt; error: unknown }
  | { type: 'outage.began'; error: unknown }
  | { type: 'outage.ended'; address: string; failedAttempts: number }
  | { type: 'address.changed'; from: string; to: string };

/** Whether nothing is new with a worker that loads. */
export function isLoadingAsBefore(now: WorkerStatus, before: WorkerStatus): boolean {
  return now.phase === 'loading' && before.phase === 'loading' && now.errorMessage === before.errorMessage;
}
