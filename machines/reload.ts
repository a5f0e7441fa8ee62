import { assign, enqueueActions, setup } from 'xstate';
import type { ProbeResult } from './health.js';
import { port } from './ports.js';
import type { ReadinessEvent } from './readiness-facts.js';
import { reasonOf } from './reason.js';

/**
 * When a model whose load has failed is loaded anew.
 *
 * It is resting first, the longer the more loads have failed in a row, so that what fails at once is not tried in a
 * loop. Then it goes by what tells that the model has loaded: it is listening to what the log says, or asking the
 * health route again and again, waiting in between; each new reason why that is not well is told. It is due when the
 * line is there, or the first 200. What was said while it was resting counts.
 */

/** What the machine is made with. */
export interface ReloadInput {
  /** How often the health route is asked, and how long the first rest is, in ms. */
  readonly intervalMs: number;
  /** How many loads have failed in a row; 1 or more. */
  readonly failedLoads: number;
  /** It goes by the log alone. */
  readonly byLog: boolean;
  /** The log, or somebody who watches it, has said that the model has loaded. */
  readonly loaded: boolean;
}

/** The health route is not well yet, or for another reason than before. */
export type ReloadEmitted = { type: 'health.unwell'; reason: string };

export interface Unwell {
  readonly reason: string;
}

export interface ReloadContext extends ReloadInput {
  /** Why the health route was not well when it was last asked, or empty. */
  readonly unwell: string;
}

/** The longest rest, in intervals: at ten seconds five minutes. */
const MOST_INTERVALS = 30;

export const reloadMachine = setup({
  types: {
    input: {} as ReloadInput,
    context: {} as ReloadContext,
    events: {} as ReadinessEvent,
    emitted: {} as ReloadEmitted,
  },
  actors: {
    /** Whether the model server is well. */
    probe: port<ProbeResult>('probe'),
  },
  delays: {
    rest: ({ context }) => restOf(context),
    interval: ({ context }) => context.intervalMs,
  },
  guards: {
    'it goes by the log': ({ context }) => context.byLog,
    'it has loaded': ({ context }) => context.loaded,
    'it is well': (_, result: ProbeResult) => result.ok,
  },
  actions: {
    'note that it has loaded': assign({ loaded: true }),
    'tell why it is not well': enqueueActions(({ context, enqueue }, { reason }: Unwell) => {
      if (reason === context.unwell) return;
      enqueue.assign({ unwell: reason });
      enqueue.emit({ type: 'health.unwell', reason });
    }),
  },
}).createMachine({
  id: 'reload',
  context: ({ input }) => ({ ...input, unwell: '' }),
  on: {
    'log.loaded': { actions: 'note that it has loaded' },
    'model.loaded': { actions: 'note that it has loaded' },
  },
  initial: 'resting',
  states: {
    resting: {
      description: 'A load has just failed. Left after a rest.',
      after: { rest: [{ guard: 'it goes by the log', target: 'listening' }, { target: 'asking' }] },
    },
    listening: {
      description: 'Nothing has said that the model has loaded. Left when something does.',
      always: { guard: 'it has loaded', target: 'due' },
    },
    asking: {
      description: 'The model server is asked whether it is well. Left with its answer.',
      invoke: {
        id: 'probe',
        src: 'probe',
        onDone: [
          { guard: { type: 'it is well', params: ({ event }) => event.output }, target: 'due' },
          {
            target: 'waiting',
            actions: {
              type: 'tell why it is not well',
              params: ({ event }) => troubleIn(event.output),
            },
          },
        ],
        onError: {
          target: 'waiting',
          actions: {
            type: 'tell why it is not well',
            params: ({ event }) => ({ reason: reasonOf(event.error) }),
          },
        },
      },
    },
    waiting: {
      description: 'The model server was not well. Left when it is to be asked again.',
      after: { interval: 'asking' },
    },
    due: { type: 'final', description: 'The model is to be loaded anew.' },
  },
});

/** An interval for the first load that failed, twice as long for each further one, and never longer than the most. */
export function restOf({ intervalMs, failedLoads }: Pick<ReloadInput, 'intervalMs' | 'failedLoads'>): number {
  return intervalMs * Math.min(2 ** (failedLoads - 1), MOST_INTERVALS);
}

function troubleIn(result: ProbeResult): Unwell {
  return { reason: result.ok ? '' : reasonOf(result.reason) };
}
