import type { Lifecycle } from './children.js';
import type { Log } from './log.js';
import { touch } from './touch.js';

/** What the worker does when it is asked to make way for new code. */
export interface Updates {
  /** Makes ready for it. Rejects when the update file can't be written. */
  prepare(): Promise<void>;
  /** Drains, to be started again. */
  begin(): void;
  /** Goes on instead. False: it does not drain for an update, or nothing is under way any more. */
  withdraw(): boolean;
}

/** @param updateFile is touched, for whoever looks after the worker and watches it */
export function updatesOf(lifecycle: () => Lifecycle, updateFile: string, log: Log): Updates {
  return {
    prepare: async () => {
      await touch(updateFile);
      log.info(`the autoscaler asks for an update: ${updateFile} was touched`, { event: 'update.asked' });
    },
    begin: () => {
      if (lifecycle().getSnapshot().status !== 'active') return;
      lifecycle().send({ type: 'update.asked', reason: 'the autoscaler asks for an update' });
    },
    withdraw: () => {
      const event = { type: 'update.withdrawn', reason: 'the update was withdrawn' } as const;
      if (!lifecycle().getSnapshot().can(event)) return false;
      log.info('the update was withdrawn: the worker goes on', { event: 'update.withdrawn' });
      lifecycle().send(event);
      return true;
    },
  };
}
