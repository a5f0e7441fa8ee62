import { lifecycleSetup } from './lifecycle-setup.js';

const TIME_IS_OVER = 'the time for draining is over';

/**
 * How a worker comes to its end: the state `draining` of the lifecycle.
 *
 * It ends for good, or for an update. The latter can be withdrawn while requests are under way, and then the worker
 * goes on; a stop that is asked for meanwhile can not be withdrawn any more.
 *
 * It is finishing what is under way; what is left when the time is over is cut. Then it is flushing: the last reports
 * and the finished requests are told, side by side.
 */
export const draining = lifecycleSetup.createStateConfig({
  description:
    'The worker is to stop: nothing new is accepted, what is under way finishes, and what was done is reported. Left when both are done, or when the time for it is over.',
  tags: ['draining'],
  entry: [{ type: 'announce', params: { state: 'draining' } }, 'watch it no more'],
  on: {
    'stop.requested': [
      {
        guard: 'it ends for an update',
        actions: [
          { type: 'because', params: ({ event }) => ({ reason: event.reason }) },
          'note that it ends for good',
        ],
      },
      {},
    ],
    'update.asked': {},
    // It is told to nobody, but heeded if the worker goes on after all.
    'backend.failed': { actions: 'note that it is to be loaded anew' },
  },
  after: {
    drainTimeout: [
      {
        guard: 'requests are under way',
        target: '.cutting',
        actions: { type: 'because', params: { reason: TIME_IS_OVER } },
      },
      { target: 'stopped', actions: { type: 'because', params: { reason: TIME_IS_OVER } } },
    ],
    lastLimit: 'stopped',
  },
  initial: 'finishing',
  states: {
    finishing: {
      description:
        'Requests are under way or sessions are held. Left when the last has ended, when the time for draining is over, or when the update for which the worker ends is withdrawn.',
      entry: 'note that requests are under way',
      on: {
        'update.withdrawn': [
          {
            guard: 'it ends for an update and is loaded',
            target: '#lifecycle.work.loaded',
            actions: [
              { type: 'because', params: ({ event }) => ({ reason: event.reason }) },
              'note that it goes on',
            ],
          },
          {
            guard: 'it ends for an update',
            target: '#lifecycle.work.loading',
            actions: [
              { type: 'because', params: ({ event }) => ({ reason: event.reason }) },
              'note that it goes on',
            ],
          },
        ],
      },
      invoke: {
        id: 'finish',
        src: 'finish',
        onDone: { target: 'flushing', actions: 'note that all has ended' },
      },
    },
    cutting: {
      description:
        'The time for draining is over: what is still under way is cut, and sessions are ended. Left when their ends are in the books.',
      invoke: {
        id: 'cut',
        src: 'cut',
        onDone: [
          {
            guard: { type: 'there was a request to cut', params: ({ event }) => event.output },
            target: 'flushing',
          },
          { target: 'flushing', actions: 'note that all has ended' },
        ],
      },
    },
    flushing: {
      description:
        'No request is under way. Left when the autoscaler has been told everything. After a cut it has a few seconds for that.',
      entry: ['tell everything that is left', 'tell all that has finished'],
      type: 'parallel',
      states: {
        reports: {
          initial: 'due',
          states: {
            due: {
              description: 'The last reports are due.',
              on: { 'reports.flushed': 'told' },
            },
            told: { type: 'final', description: 'The autoscaler knows all the work.' },
          },
        },
        completions: {
          initial: 'due',
          states: {
            due: {
              description: 'Which requests have finished is not told in full.',
              on: { 'completions.flushed': 'told' },
            },
            told: {
              type: 'final',
              description: 'The autoscaler knows which requests have finished.',
            },
          },
        },
      },
      onDone: [
        { guard: 'requests were cut', target: '#lifecycle.work.stopped' },
        { target: '#lifecycle.work.stopped', actions: 'note the clean end' },
      ],
    },
  },
});
