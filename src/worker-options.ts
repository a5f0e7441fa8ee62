import type { ActorOptions, AnyActorLogic, InspectionEvent } from 'xstate';
import type { FoundJournal } from './journal/find-journal.js';
import type { Log } from './log.js';

export interface WorkerOptions {
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now?: () => number;
  /** When the first reporting interval begins, in ms of `now`; by default when the worker is made. */
  readonly startedAtMs?: number;
  /** By default it keeps none. */
  readonly journal?: FoundJournal | null;
  /** Hears what xstate says of the worker's machines, while they are at work: it must be quick, and must not throw. */
  readonly inspect?: ((event: InspectionEvent) => void) | undefined;
  /** What the delays of its machines go by; by default the timers of the process. */
  readonly clock?: ActorOptions<AnyActorLogic>['clock'];
}
