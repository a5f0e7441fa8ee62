import { type Ending, endingOf, NO_ENDING } from './endings.js';
import { reasonOf } from './reason.js';
import type { SupervisorContext } from './supervision.js';
import { supervisorSetup } from './supervisor-setup.js';

/**
 * The supervisor of a model server that the worker starts itself.
 *
 * It is looking first for what an earlier worker has left, and ends that. Then the model is running, until it dies,
 * or is to be started anew, or the worker stops; whichever it is, ending is the same: its processes are terminating,
 * and after a grace they are killed, since what a dead leader has left behind holds ports and memory as well as a
 * living one does. One that died is started again after backing off, the longer the more often it died in a row; one
 * that ran for long enough has not died in a row. One that died too often, or whose command is wrong, it has given
 * up: only a restart that is asked for tries again. One that hangs counts as one that has died, so that what hangs each
 * time is given up as well. Processes that not even a kill ends are stuck: nothing is started beside them, and it goes on
 * when they are gone at last. When the worker stops it has stopped as soon as nothing is left.
 */

export const supervisorMachine = supervisorSetup.createMachine({
  id: 'supervisor',
  context: ({ input }) => ({
    ...input,
    crashes: 0,
    starts: 0,
    backOffMs: 0,
    stopping: false,
    cause: 'orphan',
    ending: NO_ENDING,
    reason: '',
  }),
  initial: 'looking',
  states: {
    looking: {
      description:
        'It is looked for what an earlier worker has left. Left when that is known, or when it is known that nothing may be started.',
      entry: 'forget how it died',
      on: { stop: { actions: 'note that the worker stops' } },
      invoke: {
        id: 'find',
        src: 'find',
        onDone: [
          {
            guard: { type: 'something was left', params: ({ event }) => event.output },
            target: 'ending',
            actions: [
              { type: 'note the cause', params: { cause: 'orphan' } },
              { type: 'announce what was left', params: ({ event }) => event.output },
            ],
          },
          { guard: 'the worker stops', target: 'stopped' },
          { target: 'running' },
        ],
        onError: [
          { guard: 'the worker stops', target: 'stopped' },
          {
            target: 'given up',
            actions: {
              type: 'note why it is given up',
              params: ({ event }) => ({
                reason: `the model server is not started: ${reasonOf(event.error)}`,
              }),
            },
          },
        ],
      },
    },
    running: {
      description:
        'The model runs. Left when it dies or hangs, when it is to be started anew, or when the worker stops.',
      entry: ['count the start', 'tell that it is started'],
      exit: 'tell that it runs no more',
      after: { stableAfter: { actions: 'forget the crashes' } },
      on: {
        stop: { target: 'ending', actions: 'note that the worker stops' },
        restart: {
          target: 'ending',
          actions: [
            { type: 'note the cause', params: { cause: 'restart' } },
            { type: 'tell that it is started anew', params: ({ event }) => event },
          ],
        },
        hung: {
          target: 'ending',
          actions: [
            { type: 'note the cause', params: { cause: 'crash' } },
            { type: 'count the crash', params: ({ event }) => hungFor(event.reason) },
            'tell that it died',
          ],
        },
      },
      invoke: {
        id: 'run',
        src: 'run',
        onDone: {
          target: 'ending',
          actions: [
            { type: 'note the cause', params: { cause: 'crash' } },
            { type: 'count the crash', params: ({ event }) => endingOf(event.output) },
            'tell that it died',
          ],
        },
        onError: {
          target: 'ending',
          actions: [
            { type: 'note the cause', params: { cause: 'crash' } },
            { type: 'count the crash', params: ({ event }) => notBegun(event.error) },
            'tell that it died',
          ],
        },
      },
    },
    ending: {
      description:
        'What is left of the processes is being ended. Left when none of them is there any more, or when it is not known whether any is.',
      on: {
        stop: { actions: 'note that the worker stops' },
        restart: { actions: { type: 'note the cause', params: { cause: 'restart' } } },
      },
      invoke: {
        id: 'gone',
        src: 'gone',
        onDone: [
          { guard: 'the worker stops', target: 'stopped' },
          { guard: 'it did not die', target: 'running', actions: 'forget the crashes' },
          {
            guard: 'its command is wrong',
            target: 'given up',
            actions: { type: 'note why it is given up', params: ({ context }) => wrongCommand(context) },
          },
          {
            guard: 'it has died too often',
            target: 'given up',
            actions: { type: 'note why it is given up', params: ({ context }) => diedTooOften(context) },
          },
          { target: 'backing off', actions: ['plan the next start', 'announce the pause'] },
        ],
        onError: [
          {
            guard: 'the worker stops',
            target: 'stopped',
            actions: { type: 'announce that it is stuck', params: ({ event }) => unknownEnd(event.error) },
          },
          {
            target: 'given up',
            actions: [
              { type: 'note why it is given up', params: ({ event }) => unknownEnd(event.error) },
              { type: 'announce that it is stuck', params: ({ event }) => unknownEnd(event.error) },
            ],
          },
        ],
      },
      initial: 'terminating',
      states: {
        terminating: {
          description: 'They are asked to end. Left when the grace for that is over.',
          after: { grace: 'killing' },
          invoke: {
            id: 'terminate',
            src: 'signal',
            input: { signal: 'SIGTERM' },
            onError: {
              actions: {
                type: 'announce that it could not be signalled',
                params: ({ event }) => ({ signal: 'SIGTERM', error: event.error }),
              },
            },
          },
        },
        killing: {
          description: 'They are killed. Left when they should be gone and are not.',
          entry: 'announce the kill',
          after: { killedWithin: 'stuck' },
          invoke: {
            id: 'kill',
            src: 'signal',
            input: { signal: 'SIGKILL' },
            onError: {
              actions: {
                type: 'announce that it could not be signalled',
                params: ({ event }) => ({ signal: 'SIGKILL', error: event.error }),
              },
            },
          },
        },
        stuck: {
          description:
            'Not even the kill has ended them so far. Nothing is started beside them, and they are waited for. Left when they are gone at last, or when the worker stops.',
          entry: { type: 'tell that it is stuck', params: ({ context }) => stillThere(context) },
          always: { guard: 'the worker stops', target: '#supervisor.stopped' },
        },
      },
    },
    'backing off': {
      description:
        'The model has died and is started again soon. Left when the back-off is over, when it is asked for a restart, or when the worker stops.',
      after: { backOff: 'running' },
      on: {
        stop: 'stopped',
        restart: { target: 'running', actions: 'forget the crashes' },
      },
    },
    'given up': {
      description:
        'The model is not started again. Left when it is asked for a restart, or when the worker stops.',
      entry: 'tell that it is given up',
      on: {
        stop: 'stopped',
        restart: { target: 'looking', actions: 'forget the crashes' },
      },
    },
    stopped: {
      type: 'final',
      description: 'The model has been ended and is started no more. Never left.',
    },
  },
});

function stillThere({ killedWithinMs }: SupervisorContext): { reason: string } {
  return {
    reason: `the processes of the model server are still there ${killedWithinMs / 1000} s after they were killed`,
  };
}

function unknownEnd(error: unknown): { reason: string } {
  return { reason: `whether the processes of the model server have ended is not known: ${reasonOf(error)}` };
}

function notBegun(error: unknown): Ending {
  return { reason: `it could not be started: ${reasonOf(error)}`, isHopeless: false, lastLines: [] };
}

function hungFor(reason: string): Ending {
  return { reason: `it was ended because it hung: ${reasonOf(reason)}`, isHopeless: false, lastLines: [] };
}

function wrongCommand({ ending }: SupervisorContext): { reason: string } {
  return { reason: `the model server can not be started: ${ending.reason}` };
}

function diedTooOften({ crashes, ending }: SupervisorContext): { reason: string } {
  const often = crashes === 1 ? 'once' : `${crashes} times in a row`;
  return { reason: `the model server is not started again, since it has died ${often}: ${ending.reason}` };
}
