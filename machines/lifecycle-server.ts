import { lifecycleSetup } from './lifecycle-setup.js';
import type { SupervisorInput } from './supervision.js';

/** What stands where no model server is run. */
const UNSUPERVISED: SupervisorInput = {
  backOff: { baseMs: 1_000, capMs: 60_000 },
  seed: 0,
  stableAfterMs: 600_000,
  maxCrashes: 1,
  graceMs: 10_000,
  killedWithinMs: 5_000,
};

/**
 * The model server that the worker runs itself: the region `server` of the lifecycle.
 *
 * It is unsupervised where somebody else runs it, or nobody. Else it is supervised, by a machine of its own that
 * starts it and starts it again: down until it is started, up while its process runs, and unwell when that process
 * runs but its health or its load has failed. One that stays unwell is ended as one that has died. Whoever stops the
 * worker has the supervisor stop when nobody needs the model any more, and then it has ended.
 */
export const server = lifecycleSetup.createStateConfig({
  initial: 'unsupervised',
  states: {
    unsupervised: {
      description: 'The worker runs no model server. Left at once where it is to run one.',
      always: { guard: 'the worker runs the model server', target: 'supervised' },
    },
    supervised: {
      description: 'The worker runs the model server itself. Left when that is ended for good.',
      initial: 'down',
      invoke: {
        id: 'supervisor',
        src: 'supervisor',
        input: ({ context }) => context.supervisor ?? UNSUPERVISED,
        onDone: 'ended',
      },
      states: {
        down: {
          description:
            'No process of the model server runs that this worker has started. Left when one does.',
          on: { 'model.started': { target: 'up', actions: 'forget what the last model said' } },
        },
        up: {
          description:
            'The process of the model server runs. Left when it runs no more, or when the model is not well or could not be loaded.',
          on: { 'model.ended': 'down', 'model.unwell': 'unwell', 'load.failed': 'unwell' },
        },
        unwell: {
          description:
            'The process of the model server runs, but the model is not well or could not be loaded. Left when it recovers or is loaded anew, when the worker stops, or when that has lasted too long: then the process is ended.',
          on: { 'model.ended': 'down', 'backend.recovered': 'up', 'watch.ended': 'up' },
          after: { restartAfter: { actions: 'have it ended as one that hangs' } },
        },
      },
    },
    ended: { description: 'The model server has been ended and is run no more. Never left.' },
  },
});
