import type { SnapshotFrom } from 'xstate';
import { fleetWorkerSetup } from './fleet-worker-setup.js';
import { reasonOf } from './reason.js';
import type { WorkerPhase } from './scaling.js';

/**
 * One worker of the local autoscaler's fleet.
 *
 * First a place for it is being made, then its process is up: it is loading until its reports say that it serves, ready
 * while they do, and failing while they tell an error. Who is silent for too long, or fails and does not recover, is
 * ended. A ready one that is not wanted, or is to run new code, is withdrawn first: nobody is sent to it any more, and
 * whoever was before has time to arrive. Then it is asked to end, finishes what it has, and is killed if that takes too
 * long, or if it has been silent and still is. What comes then depends on why it ended: it is inactive, or started anew,
 * or has failed, or is gone.
 *
 * One that has failed is left alone, the longer the more often it failed in a row: a stop in good order, new code and a
 * long time at work each end the row. Then it is inactive as others are, and whether it is wanted again is for the policy
 * to decide, as all else.
 */
export const fleetWorkerMachine = fleetWorkerSetup.createMachine({
  id: 'fleet-worker',
  context: ({ input }) => ({ ...input, cause: 'none', starts: 0, failures: 0, reason: '' }),
  initial: 'creating',
  states: {
    creating: {
      tags: 'creating',
      description:
        'A place is made for it. Left when it has one, when there is none, or when it is given up.',
      on: { destroy: 'gone' },
      invoke: {
        id: 'place',
        src: 'place',
        onDone: 'alive',
        onError: {
          target: 'failed',
          actions: {
            type: 'note the failure',
            params: ({ event }) => ({ reason: `there is no place for it: ${reasonOf(event.error)}` }),
          },
        },
      },
    },
    alive: {
      description: 'Its process runs. Left when that has ended.',
      entry: 'count the start',
      initial: 'up',
      invoke: {
        id: 'run',
        src: 'run',
        onDone: [
          { guard: 'it is given up', target: 'gone' },
          { guard: 'it is to be inactive', target: 'inactive' },
          {
            guard: { type: 'it is to be started anew', params: ({ event }) => event.output },
            target: 'creating',
          },
          {
            target: 'failed',
            actions: { type: 'note how it ended', params: ({ event }) => event.output },
          },
        ],
        onError: [
          { guard: 'it is given up', target: 'gone' },
          {
            target: 'failed',
            actions: {
              type: 'note the failure',
              params: ({ event }) => ({
                reason: `its process could not be started: ${reasonOf(event.error)}`,
              }),
            },
          },
        ],
      },
      states: {
        up: {
          type: 'parallel',
          description:
            'It is at work, as far as is known. Left when it is to end, for whatever reason, or has been silent for too long.',
          on: {
            destroy: {
              target: 'ending',
              actions: { type: 'note the cause', params: { cause: 'destroyed' } },
            },
            update: {
              target: 'ending',
              actions: ['forget the failures', { type: 'note the cause', params: { cause: 'updated' } }],
            },
          },
          states: {
            model: {
              initial: 'loading',
              states: {
                loading: {
                  tags: 'loading',
                  description:
                    'It does not serve yet. Left when it reports that it does, or that it has failed.',
                  on: {
                    heard: [
                      { guard: 'it serves', target: 'ready' },
                      { guard: 'it fails', target: 'failing' },
                    ],
                  },
                },
                ready: {
                  tags: 'ready',
                  description:
                    'It serves. Left when it reports otherwise, or when it is to end: it is withdrawn then.',
                  entry: 'forget the reason',
                  after: { stable: { actions: 'forget the failures' } },
                  on: {
                    heard: [
                      { guard: 'it loads', target: 'loading' },
                      { guard: 'it fails', target: 'failing' },
                    ],
                    deactivate: {
                      target: '#fleet-worker.alive.withdrawn',
                      actions: { type: 'note the cause', params: { cause: 'deactivated' } },
                    },
                    destroy: {
                      target: '#fleet-worker.alive.withdrawn',
                      actions: { type: 'note the cause', params: { cause: 'destroyed' } },
                    },
                    update: {
                      target: '#fleet-worker.alive.withdrawn',
                      actions: { type: 'note the cause', params: { cause: 'updated' } },
                    },
                  },
                },
                failing: {
                  tags: 'failed',
                  description:
                    'It reports that it has failed. Left when it reports otherwise, or when it has not recovered in time.',
                  entry: 'note what it says',
                  after: {
                    failing: {
                      target: '#fleet-worker.alive.ending',
                      actions: { type: 'note the cause', params: { cause: 'failed' } },
                    },
                  },
                  on: {
                    heard: [
                      { guard: 'it serves', target: 'ready' },
                      { guard: 'it loads', target: 'loading' },
                      { guard: 'it fails', actions: 'note what it says' },
                    ],
                  },
                },
              },
            },
            reports: {
              initial: 'awaited',
              states: {
                awaited: {
                  description:
                    'It has not reported since it was started. Left when it does, or should have long ago.',
                  after: {
                    firstWord: {
                      target: '#fleet-worker.alive.ending.draining.silent',
                      actions: {
                        type: 'note the failure',
                        params: ({ context }) => ({
                          reason: `it has not reported within ${context.firstWordWithinMs / 1_000} s of its start`,
                        }),
                      },
                    },
                  },
                  on: { heard: 'heard' },
                },
                heard: {
                  description: 'It reports. Left when it has been silent for too long.',
                  after: {
                    silence: {
                      target: '#fleet-worker.alive.ending.draining.silent',
                      actions: {
                        type: 'note the failure',
                        params: ({ context }) => ({
                          reason: `it has not reported for ${context.silentAfterMs / 1_000} s`,
                        }),
                      },
                    },
                  },
                  on: { heard: { target: 'heard', reenter: true } },
                },
              },
            },
          },
        },
        withdrawn: {
          tags: 'stopping',
          description:
            'Nobody is sent to it any more, and who was before arrives. Left when there was time enough for that.',
          entry: 'forget the failures',
          after: { arrival: 'ending' },
          on: { destroy: { actions: { type: 'note the cause', params: { cause: 'destroyed' } } } },
        },
        ending: {
          tags: 'stopping',
          description: 'Its process is being ended. Left when it has.',
          initial: 'draining',
          on: { destroy: { actions: { type: 'note the cause', params: { cause: 'destroyed' } } } },
          states: {
            draining: {
              description: 'It is asked to end, and finishes what it has. Left when that takes too long.',
              after: { drain: 'killing' },
              initial: 'heard',
              invoke: {
                id: 'terminate',
                src: 'signal',
                input: { signal: 'SIGTERM' },
                onError: {
                  actions: {
                    type: 'note that it could not be signalled',
                    params: ({ event }) => event,
                  },
                },
              },
              states: {
                heard: { description: 'As far as is known it hears. Never left: it has its time to finish.' },
                silent: {
                  description:
                    'It had been silent before it was asked. Left when it reports after all, or has been silent for too long again: it is killed then.',
                  after: { answer: '#fleet-worker.alive.ending.killing' },
                  on: { heard: 'heard' },
                },
              },
            },
            killing: {
              description: 'It is killed. Left when its process has ended.',
              invoke: {
                id: 'kill',
                src: 'signal',
                input: { signal: 'SIGKILL' },
                onError: {
                  actions: {
                    type: 'note that it could not be signalled',
                    params: ({ event }) => event,
                  },
                },
              },
            },
          },
        },
      },
    },
    failed: {
      tags: 'failed',
      description:
        'It has failed, and is left alone for a while, the longer the more often it has failed in a row. Left when that is over, or when it is given up.',
      entry: 'count the failure',
      after: { pause: 'inactive' },
      on: { destroy: 'gone' },
    },
    inactive: {
      tags: 'inactive',
      description:
        'No process of it runs, but what it has measured is kept. Left when it is wanted again, or when it is given up.',
      on: { activate: 'creating', destroy: 'gone' },
    },
    gone: {
      type: 'final',
      description: 'It has been given up, and nothing of it is left. Never left.',
    },
  },
});

const PHASES: readonly WorkerPhase[] = ['creating', 'loading', 'ready', 'failed', 'stopping', 'inactive'];

/** Where the worker is on its way, as the policy asks; null: it has been given up, and is gone. */
export function phaseOf(snapshot: SnapshotFrom<typeof fleetWorkerMachine>): WorkerPhase | null {
  const phase = PHASES.find((each) => snapshot.hasTag(each));
  if (phase !== 'stopping') return phase ?? null;
  const { cause } = snapshot.context;
  if (cause === 'updated') return 'updating';
  return cause === 'failed' ? 'failed' : 'stopping';
}
