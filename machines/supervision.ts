import type { BackOff } from './back-off.js';
import type { Ending } from './endings.js';

/** The vocabulary of supervision: what a supervisor is made with, what it is asked, and what it says. */

/** What a supervisor is made with. */
export interface SupervisorInput {
  readonly backOff: BackOff;
  /** Seeds the jitter: the same seed waits the same times. */
  readonly seed: number;
  /** A model that ran for so long, in ms, begins to count its crashes anew when it dies. */
  readonly stableAfterMs: number;
  /** With so many crashes in a row it is given up; 1 or more. */
  readonly maxCrashes: number;
  /** How long its processes may take to end by themselves, in ms. */
  readonly graceMs: number;
  /** How long they may take to be gone once they are killed, in ms. */
  readonly killedWithinMs: number;
}

export type SupervisorEvent =
  /** End the model, and start it no more. */
  | { type: 'stop' }
  /** End the model if it runs, and start it anew at once. The reason is a sentence. */
  | { type: 'restart'; reason: string }
  /** The model runs and does no work: it counts as one that has died. The reason is a sentence. */
  | { type: 'hung'; reason: string };

/** What an earlier worker has left: what it is, in words; null: nothing. */
export interface Found {
  readonly orphan: string | null;
}

export interface SignalInput {
  readonly signal: 'SIGTERM' | 'SIGKILL';
}

/** What the supervisor tells the machine that invoked it. The first line of a message is a sentence of its own. */
export type SupervisorToParent =
  | { type: 'backend.failed'; message: string }
  /** The process is being started, and loads its model. restarts: how many times before. */
  | { type: 'model.started'; restarts: number }
  /** It runs no more. Why, the failure that follows says, if it was not to end. */
  | { type: 'model.ended' };

export type SupervisorEmitted =
  | { type: 'model.orphaned'; orphan: string }
  | { type: 'model.started'; restarts: number }
  | { type: 'model.died'; reason: string; crashes: number; lastLines: readonly string[] }
  | { type: 'model.backedOff'; waitMs: number }
  /** The grace is over. */
  | { type: 'model.killed' }
  | { type: 'model.unsignalled'; signal: string; reason: string }
  | { type: 'model.stuck'; reason: string }
  | { type: 'model.gaveUp'; reason: string };

export interface SupervisorContext extends SupervisorInput {
  /** How many times in a row it has died. */
  readonly crashes: number;
  /** How many times it was started. */
  readonly starts: number;
  readonly backOffMs: number;
  /** The worker stops. */
  readonly stopping: boolean;
  /** What it is that ends, or ended last: what was left, a model that died, or one that is to be started anew. */
  readonly cause: 'orphan' | 'crash' | 'restart';
  /** How the model died last. */
  readonly ending: Ending;
  /** Why nothing is started any more, as a sentence; empty before. */
  readonly reason: string;
}

/** How often the model was started again. */
export function restartsOf({ starts }: Pick<SupervisorContext, 'starts'>): number {
  return Math.max(starts - 1, 0);
}
