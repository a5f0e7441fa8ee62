import type { Account, Window } from '../../machines/ledger.js';
import type { ReportKind, ReportPlan, WorkerStatus } from '../../machines/reports.js';

/** What a message is made from. */
export interface ReportFacts {
  /** `CONTAINER_ID`. */
  readonly id: number;
  /** `MASTER_TOKEN`. */
  readonly mtoken: string;
  readonly status: WorkerStatus;
  readonly window: Window;
}

export interface WireMessage {
  /** What people call this message. */
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How a worker and its autoscaler talk: when what is told, and what it looks like on the wire. Pure. */
export interface Dialect {
  readonly plan: ReportPlan;
  /** The accounts of the ledger that a message tells, and whose work its acknowledgement settles. */
  accounts(kind: ReportKind, status: WorkerStatus): readonly Account[];
  encode(kind: ReportKind, facts: ReportFacts): WireMessage;
}
