import type { SnapshotFrom } from 'xstate';
import { type Ledger, type Totals, unreported } from '../machines/ledger.js';
import type { lifecycleMachine, WorkState } from '../machines/lifecycle.js';
import { owed } from '../machines/reporter.js';
import type { Phase, ReportKind } from '../machines/reports.js';
import type { Admission } from './http/admission.js';

type Lifecycle = SnapshotFrom<typeof lifecycleMachine>;

/** What the worker is doing, for its operator. Times in ms, work in units. */
export interface WorkerView {
  readonly id: number | null;
  readonly backend: string;
  readonly state: WorkState;
  /** How long it has been in this state. */
  readonly inStateMs: number;
  readonly reason: string;
  readonly report: 'quiet' | 'reporting';
  /** What the autoscaler is to know: loading, loaded or failing. */
  readonly phase: Phase;
  readonly loadTimeSeconds: number;
  readonly maxPerf: number;
  readonly errorMessage: string;
  readonly requestsUnderWay: number;
  readonly ledger: {
    readonly totals: Totals;
    /** What the autoscaler has acknowledged. */
    readonly reported: Totals;
    readonly unreported: Totals;
  };
  readonly reporter: {
    readonly addresses: readonly string[];
    readonly due: readonly ReportKind[];
    /** Rounds over all addresses that have failed since the last delivery. */
    readonly failedRounds: number;
  };
}

export function workStateOf(snapshot: Lifecycle): WorkState {
  const { work } = snapshot.value;
  return typeof work === 'string' ? work : 'draining';
}

/** Whether clients are let in, and the sentence that tells them why not. */
export function admissionOf(snapshot: Lifecycle): Admission {
  return {
    accepting: snapshot.hasTag('accepting'),
    draining: snapshot.hasTag('draining'),
    reason: `The worker is ${workStateOf(snapshot)}: ${snapshot.context.reason}.`,
  };
}

export function viewOf(
  snapshot: Lifecycle,
  ledger: Ledger,
  facts: { id: number | undefined; backend: string; requestsUnderWay: number; inStateMs: number },
): WorkerView {
  const { status, reason } = snapshot.context;
  const reporter = snapshot.children.reporter?.getSnapshot();
  return {
    id: facts.id ?? null,
    backend: facts.backend,
    state: workStateOf(snapshot),
    inStateMs: Math.round(facts.inStateMs),
    reason,
    report: snapshot.value.report,
    phase: status.phase,
    loadTimeSeconds: status.loadTimeSeconds,
    maxPerf: status.maxPerf,
    errorMessage: status.errorMessage,
    requestsUnderWay: facts.requestsUnderWay,
    ledger: { totals: ledger.totals, reported: ledger.reported, unreported: unreported(ledger) },
    reporter: {
      addresses: reporter?.context.addresses ?? [],
      due: reporter ? owed(reporter) : [],
      failedRounds: reporter?.context.failedRounds ?? 0,
    },
  };
}
