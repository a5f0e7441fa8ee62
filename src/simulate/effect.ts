import type { PromiseActorLogic, PromiseSnapshot } from 'xstate';
import type { VirtualTime } from './virtual-time.js';

/** What comes of an effect, and after how long. */
export type Outcome<Output> =
  | { readonly afterMs: number; readonly output: Output }
  | { readonly afterMs: number; readonly error: unknown };

/**
 * An effect of a machine in virtual time. It stands where a promise would, but settles at its moment itself rather than
 * in a later turn of the loop, so that a simulation is one synchronous run.
 */
export function effectIn<Output, Input extends object | undefined>(
  time: VirtualTime,
  run: (input: Input) => Outcome<Output>,
): PromiseActorLogic<Output, Input> {
  type Snapshot = PromiseSnapshot<Output, Input>;
  const timers = new WeakMap<object, number>();
  return {
    getInitialSnapshot: (_scope, input): Snapshot => ({
      status: 'active',
      output: undefined,
      error: undefined,
      input,
    }),
    start: ({ input, status }, { self }) => {
      if (status !== 'active') return;
      const outcome = run(input as Input);
      const timer = time.setTimeout(() => self.send({ type: 'settled', outcome }), outcome.afterMs);
      timers.set(self, timer);
    },
    transition: (snapshot, event, { self }): Snapshot => {
      if (snapshot.status !== 'active') return snapshot;
      const settled = { ...snapshot, input: undefined };
      if (event.type === 'xstate.stop') {
        const timer = timers.get(self);
        if (timer !== undefined) time.clearTimeout(timer);
        return { ...settled, status: 'stopped' };
      }
      const outcome = event.outcome as Outcome<Output>;
      return 'error' in outcome
        ? { ...settled, status: 'error', error: outcome.error }
        : { ...settled, status: 'done', output: outcome.output };
    },
    getPersistedSnapshot: (snapshot) => snapshot,
    restoreSnapshot: (snapshot) => snapshot as Snapshot,
  };
}
