import type { ActorRefFrom, SnapshotFrom } from 'xstate';
import type { benchmarkMachine } from '../machines/benchmark.js';
import { type Account, type Ledger, type Totals, unreported } from '../machines/ledger.js';
import type { WorkState } from '../machines/life.js';
import type { lifecycleMachine } from '../machines/lifecycle.js';
import { size } from '../machines/outbox.js';
import { waitingInDetail } from '../machines/readiness-facts.js';
import { owed } from '../machines/reporter.js';
import type { Phase, ReportKind } from '../machines/reports.js';
import { firstLineOf } from './first-line.js';
import type { Admission } from './http/admission.js';
import { doesNotTakeRequests } from './in-words.js';
import type { Redact } from './redact.js';

type Lifecycle = SnapshotFrom<typeof lifecycleMachine>;

/** What the worker is doing, for its operator. Times in ms, work in units. */
export interface WorkerView {
  readonly id: number | null;
  readonly backend: string;
  readonly state: WorkState;
  /** How long it has been in this state. */
  readonly inStateMs: number;
  /** One line. */
  readonly reason: string;
  readonly report: 'quiet' | 'reporting';
  /** What the autoscaler is to know: loading, loaded or failing. */
  readonly phase: Phase;
  readonly loadTimeSeconds: number;
  readonly maxPerf: number;
  /** As the autoscaler is told it: what a model server that has died said last is below the first line. */
  readonly errorMessage: string;
  /** The public address; empty: not known. */
  readonly url: string;
  readonly requestsUnderWay: number;
  /** Those of them that wait for their turn. */
  readonly requestsQueued: number;
  readonly sessions: number;
  /** Units of work of all requests and sessions that are in the worker. */
  readonly pendingWorkload: number;
  readonly key: 'unasked' | 'sought' | 'held';
  readonly completions: {
    /** Finished requests that the autoscaler has not acknowledged. */
    readonly untold: number;
    /** Those that were given up because too many waited. */
    readonly dropped: number;
  };
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

export interface ViewFacts {
  readonly id: number | undefined;
  readonly backend: string;
  readonly url: string;
  readonly requestsUnderWay: number;
  readonly requestsQueued: number;
  readonly sessions: number;
  readonly pendingWorkload: number;
  readonly inStateMs: number;
  readonly redact: Redact;
  /** What the autoscaler is told of the work at all. */
  readonly accounts: readonly Account[];
}

export function workStateOf(snapshot: Lifecycle): WorkState {
  const { work } = snapshot.value;
  return typeof work === 'string' ? work : 'draining';
}

/** Whether clients are let in, and the sentence that tells them why not: without the address of the model server. */
export function admissionOf(snapshot: Lifecycle, redact: Redact): Admission {
  return {
    accepting: snapshot.hasTag('accepting'),
    draining: snapshot.hasTag('draining'),
    reason: () => `The worker is ${workStateOf(snapshot)}: ${redact(reasonForClients(snapshot))}.`,
  };
}

export function viewOf(snapshot: Lifecycle, ledger: Ledger, facts: ViewFacts): WorkerView {
  const { status } = snapshot.context;
  const reporter = snapshot.children.reporter?.getSnapshot();
  const outbox = snapshot.children.completions?.getSnapshot().context.outbox;
  return {
    id: facts.id ?? null,
    backend: facts.backend,
    state: workStateOf(snapshot),
    inStateMs: Math.round(facts.inStateMs),
    reason: facts.redact(reasonForOperator(snapshot)),
    report: snapshot.value.report,
    phase: status.phase,
    loadTimeSeconds: status.loadTimeSeconds,
    maxPerf: status.maxPerf,
    errorMessage: facts.redact(status.errorMessage),
    url: facts.url,
    requestsUnderWay: facts.requestsUnderWay,
    requestsQueued: facts.requestsQueued,
    sessions: facts.sessions,
    pendingWorkload: facts.pendingWorkload,
    key: keyOf(snapshot),
    completions: { untold: outbox ? size(outbox) : 0, dropped: outbox?.dropped ?? 0 },
    ledger: {
      totals: ledger.totals,
      reported: ledger.reported,
      unreported: unreportedOf(ledger, facts.accounts),
    },
    reporter: {
      addresses: reporter?.context.addresses ?? [],
      due: reporter ? owed(reporter) : [],
      failedRounds: reporter?.context.failedRounds ?? 0,
    },
  };
}

/** What no report has told of what the dialect tells; of the rest nothing is owed. */
function unreportedOf(ledger: Ledger, accounts: readonly Account[]): Totals {
  const left = Object.entries(unreported(ledger)).map(([account, amount]) => [
    account,
    accounts.some((told) => told === account) ? amount : 0,
  ]);
  return Object.fromEntries(left);
}

/** Why the worker is in its state, as one line; while it loads, what it waits for. */
function reasonForClients({ context, children }: Lifecycle): string {
  const waitingFor = children.load?.getSnapshot().context.waitingFor ?? '';
  return waitingFor === '' ? firstLineOf(context.reason) : `it waits for ${waitingFor}`;
}

/** The same with what is asked, and why it is not well. */
function reasonForOperator(snapshot: Lifecycle): string {
  const reason = reasonForClients(snapshot);
  const load = snapshot.children.load?.getSnapshot();
  const waitingFor = load === undefined ? '' : waitingInDetail(load.context);
  if (load === undefined || waitingFor === '') return reason + whatIsAsked(snapshot, reason);
  return firstLineOf(`it waits for ${waitingFor}${whyNotMeasured(load.children.benchmark)}`);
}

function whyNotMeasured(benchmark: ActorRefFrom<typeof benchmarkMachine> | undefined): string {
  const context = benchmark?.getSnapshot().context;
  if (context === undefined || context.notReady.said === '') return '';
  return `: ${doesNotTakeRequests(context.notReady.said, context.at)}`;
}

/** Where a model that has failed is looked for, and why it was not well last, unless that is the reason itself. */
function whatIsAsked(snapshot: Lifecycle, reason: string): string {
  const { health, reload } = snapshot.children;
  const { healthUrl } = snapshot.context.readiness;
  if (workStateOf(snapshot) !== 'failing' || healthUrl === '') return '';
  const awaited = reload?.getSnapshot().context;
  const watched = health?.getSnapshot().context.result;
  const unwell = awaited?.unwell ?? (watched?.ok === false ? watched.reason : '');
  if (awaited?.byLog !== false && unwell === '') return '';
  return reason.endsWith(unwell) ? ` (${healthUrl})` : ` (${healthUrl}: ${unwell})`;
}

function keyOf({ children }: Lifecycle): WorkerView['key'] {
  const key = children.publicKey?.getSnapshot();
  if (key === undefined || key.value === 'unasked') return 'unasked';
  return key.context.pem === '' ? 'sought' : 'held';
}
