import type { AnyStateMachine } from 'xstate';

/** An event to send, or how many milliseconds pass. */
export type Step = string | number;

export interface Kind {
  readonly machine: AnyStateMachine;
  /** From a start to an end; each walk has an actor of its own. */
  readonly walks: readonly (readonly Step[])[];
  /** What is untaken after the start of each walk and after each of its steps. */
  readonly untaken: readonly (readonly string[])[];
}
