import type { Outcome } from '../machines/life.js';
import type { Lifecycle } from './children.js';

export interface Ending {
  /** Resolves once everything is let go of; rejects when the lifecycle broke, or something could not be let go of. */
  readonly stopped: Promise<Outcome>;
  /** Ends what never began. */
  readonly abandon: () => void;
}

/** Has everything let go of once, when the lifecycle has stopped, broke, or is abandoned. */
export function untilStopped(lifecycle: Lifecycle, letGo: (outcome: Outcome) => Promise<void>): Ending {
  let abandon = () => {};
  const stopped = new Promise<Outcome>((resolve, reject) => {
    const subscription = lifecycle.subscribe({
      next: (snapshot) => {
        if (!snapshot.hasTag('stopped')) return;
        subscription.unsubscribe();
        const { outcome } = snapshot.context;
        letGo(outcome).then(() => resolve(outcome), reject);
      },
      error: (error) => {
        letGo('cut').then(() => reject(error), reject);
      },
    });
    abandon = () => {
      subscription.unsubscribe();
      letGo('clean').then(() => resolve('clean'), reject);
    };
  });
  return { stopped, abandon };
}
