import type { Account, Window } from '../../machines/ledger.js';
import type { ReportKind, ReportPlan, WorkerStatus } from '../../machines/reports.js';
import type { OpenEnvelope } from './envelope.js';

/** What is in the worker now. */
export interface Presence {
  /** Units of work, sessions included. */
  readonly load: number;
  readonly requests: number;
  /** The autoscaler's names for them. */
  readonly requestIdxs: readonly number[];
}

/** How much the model server takes in at once, in tokens; 0: nobody has said. */
export interface BatchCapacity {
  readonly maxBatchPrefillTokens: number;
  readonly maxBatchTokens: number;
  /** What the worker is said to hold in all. */
  readonly maxCapacity: number;
}

/** What somebody who watches the model server from outside has told of it; 0: nothing. */
export interface Observed {
  readonly tokensPerSecond: number;
  readonly capacity: BatchCapacity;
}

export const NOTHING_OBSERVED: Observed = {
  tokensPerSecond: 0,
  capacity: { maxBatchPrefillTokens: 0, maxBatchTokens: 0, maxCapacity: 0 },
};

/** What a message is made from. */
export interface ReportFacts {
  /** `CONTAINER_ID`. */
  readonly id: number;
  /** `MASTER_TOKEN`. */
  readonly mtoken: string;
  /** The worker's public address; empty: not known. */
  readonly url: string;
  readonly status: WorkerStatus;
  readonly window: Window;
  readonly present: Presence;
  readonly observed: Observed;
}

export interface WireMessage {
  /** What people call this message. */
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** What of the body the log shows: all but the token if left out. */
  readonly shown?: Readonly<Record<string, unknown>>;
}

/** How a worker and its autoscaler talk: when what is told, and what it looks like on the wire. Pure. */
export interface Dialect {
  readonly plan: ReportPlan;
  /** How soon a change of the work is told, in ms; null: with the next heartbeat. */
  readonly settleMs: number | null;
  /** Whether refused and finished requests are told by their `request_idx`. */
  readonly tellsRequests: boolean;
  readonly openEnvelope: OpenEnvelope;
  /** The accounts of the ledger that a message tells, and whose work its acknowledgement settles. */
  accounts(kind: ReportKind, status: WorkerStatus): readonly Account[];
  encode(kind: ReportKind, facts: ReportFacts): WireMessage;
}
