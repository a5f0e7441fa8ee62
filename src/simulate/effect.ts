import type { AnyActorRef, PromiseActorLogic, PromiseSnapshot } from 'xstate';
import type { VirtualTime } from './virtual-time.js';

/** What came of an effect. */
export type Settled<Output> = { readonly output: Output } | { readonly error: unknown };

/** What comes of an effect, and after how long. */
export type Outcome<Output> = Settled<Output> & { readonly afterMs: number };

/** One time that a machine runs an effect. */
export interface Call<Output, Input> {
  readonly input: Input;
  /** The machine that runs it. */
  readonly owner: AnyActorRef | undefined;
  /** Ends it; without effect once it has ended, or its state was left. */
  readonly settle: (settled: Settled<Output>) => void;
}

/**
 * An effect of a machine in virtual time. It stands where a promise would, but settles there and then rather than in
 * a later turn of the loop, so that a simulation is one synchronous run.
 *
 * @param run begins it; what it answers is called when it is over
 */
export function effectOf<Output, Input extends object | undefined>(
  run: (call: Call<Output, Input>) => (() => void) | undefined,
): PromiseActorLogic<Output, Input> {
  type Snapshot = PromiseSnapshot<Output, Input>;
  const endings = new WeakMap<object, () => void>();
  return {
    getInitialSnapshot: (_scope, input): Snapshot => ({
      status: 'active',
      output: undefined,
      error: undefined,
      input,
    }),
    start: ({ input, status }, { self }) => {
      if (status !== 'active') return;
      const settle = (settled: Settled<Output>) => self.send({ type: 'settled', settled });
      const end = run({ input: input as Input, owner: self._parent, settle });
      if (end !== undefined) endings.set(self, end);
    },
    transition: (snapshot, event, { self }): Snapshot => {
      if (snapshot.status !== 'active') return snapshot;
      endings.get(self)?.();
      const over = { ...snapshot, input: undefined };
      if (event.type === 'xstate.stop') return { ...over, status: 'stopped' };
      const settled = event.settled as Settled<Output>;
      return 'error' in settled
        ? { ...over, status: 'error', error: settled.error }
        : { ...over, status: 'done', output: settled.output };
    },
    getPersistedSnapshot: (snapshot) => snapshot,
    restoreSnapshot: (snapshot) => snapshot as Snapshot,
  };
}

/** An effect of which it is known, when it begins, what comes of it and when. */
export function effectIn<Output, Input extends object | undefined>(
  time: VirtualTime,
  run: (input: Input, owner: AnyActorRef | undefined) => Outcome<Output>,
): PromiseActorLogic<Output, Input> {
  return effectOf(({ input, owner, settle }) => {
    const outcome = run(input, owner);
    const timer = time.setTimeout(() => settle(outcome), outcome.afterMs);
    return () => time.clearTimeout(timer);
  });
}
