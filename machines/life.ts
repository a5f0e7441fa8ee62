import type { CompletionsInput, CompletionsToParent } from './completions.js';
import type { HealthInput, HealthToParent } from './health.js';
import type { Heard } from './heard.js';
import type { Ledger } from './ledger.js';
import type { PublicKeyInput, PublicKeyToParent } from './public-key.js';
import type { ReadinessEvent, ReadinessInput, ReadinessToParent } from './readiness-facts.js';
import type { ReporterInput } from './reporter.js';
import type { ReporterToParent, WorkerStatus } from './reports.js';
import type { SupervisorInput, SupervisorToParent } from './supervision.js';

/** The vocabulary of a worker's life: what it is made with, what happens to it, and what it says. */

/** What a lifecycle is made with. */
export interface LifecycleInput {
  /** When the worker's first interval begins, in ms of its monotonic clock. */
  readonly startedAtMs: number;
  /** What an earlier life has left; without it all begins at nothing. */
  readonly ledger?: Ledger | undefined;
  readonly reporter: ReporterInput;
  readonly completions: CompletionsInput;
  readonly publicKey: PublicKeyInput;
  readonly readiness: Omit<ReadinessInput, 'heard'>;
  /** How the model server is watched once it has loaded, and when its load has failed; null: there is none. */
  readonly health: HealthInput | null;
  /** How the model server is run; null: the worker runs none. */
  readonly supervisor: SupervisorInput | null;
  /** How long a model server that the worker runs may be unwell before it is started anew, in ms. */
  readonly restartAfterMs: number;
  /** Serve although no autoscaler knows that the worker has loaded. */
  readonly serveUnreported: boolean;
  /** How long the autoscaler may take to hear of it before the worker serves unreported, in ms. */
  readonly serveUnreportedAfterMs: number;
  /** How long draining may take, in ms. */
  readonly drainTimeoutMs: number;
  /** How long what was cut then may take to be told, in ms. */
  readonly lastWordsMs: number;
}

export type LifecycleEvent =
  /** The first line of the message is a sentence of its own. */
  | { type: 'backend.failed'; message: string }
  | { type: 'backend.recovered' }
  | { type: 'stop.requested'; reason: string }
  /** The worker is to end, so that it can be started again with new code. */
  | { type: 'update.asked'; reason: string }
  /** It is to go on as it is. */
  | { type: 'update.withdrawn'; reason: string }
  /** Something that matters while the model loads, and at no other time. */
  | { type: 'model.told'; what: ReadinessEvent }
  /** The backend can't be loaded as it is. */
  | { type: 'load.failed' }
  /** Another load may fare better. */
  | { type: 'load.due' }
  | { type: 'watch.began' }
  | { type: 'watch.ended' }
  | ReporterToParent
  | CompletionsToParent
  | PublicKeyToParent
  | ReadinessToParent
  | HealthToParent
  | SupervisorToParent;

export type WorkState = 'loading' | 'loaded' | 'serving' | 'failing' | 'draining' | 'stopped';

/**
 * How draining ended. clean: every request finished and everything was reported; unreported: every
 * request finished, but the autoscaler was not told everything; cut: requests were still under way at the deadline.
 */
export type Outcome = 'clean' | 'unreported' | 'cut';

export type LifecycleEmitted = { type: 'state.entered'; state: WorkState; reason: string };

export interface LifecycleContext extends LifecycleInput {
  readonly status: WorkerStatus;
  /** The backend has loaded, and its model server was not started anew since. */
  readonly hasLoaded: boolean;
  /** How many loads have failed in a row. */
  readonly failedLoads: number;
  readonly heard: Heard;
  /** Why the worker is in the state that it is in, as a sentence. */
  readonly reason: string;
  /** How draining would end if it ended now. */
  readonly outcome: Outcome;
  /** It ends for an update, and not for good. */
  readonly forUpdate: boolean;
}
