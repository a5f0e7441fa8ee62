import { assign, emit, enqueueActions, sendParent, setup } from 'xstate';
import { fullJitterMs, nextRandom } from './back-off.js';
import { type Ending, type Exit, NO_ENDING, withLastLines } from './endings.js';
import { port } from './ports.js';
import { reasonOf } from './reason.js';
import {
  type Found,
  restartsOf,
  type SignalInput,
  type SupervisorContext,
  type SupervisorEmitted,
  type SupervisorEvent,
  type SupervisorInput,
  type SupervisorToParent,
} from './supervision.js';

/** What the supervisor needs, and what it can do. The states, and what they mean, are in `supervisor.ts`. */

const tellParent = (event: SupervisorToParent) => event;

export const supervisorSetup = setup({
  types: {
    input: {} as SupervisorInput,
    context: {} as SupervisorContext,
    events: {} as SupervisorEvent,
    emitted: {} as SupervisorEmitted,
  },
  actors: {
    /** Looks for what an earlier worker has left, and takes hold of it. Rejects when nothing may be started. */
    find: port<Found>('find'),
    /** Starts the model. Resolves when its first process has ended; rejects when it could not be started. */
    run: port<Exit>('run'),
    /** Sends a signal to all processes that are held. */
    signal: port<void, SignalInput>('signal'),
    /** Resolves when none of the processes that were held is left. */
    gone: port<void>('gone'),
  },
  delays: {
    stableAfter: ({ context }) => context.stableAfterMs,
    backOff: ({ context }) => context.backOffMs,
    grace: ({ context }) => context.graceMs,
    killedWithin: ({ context }) => context.killedWithinMs,
  },
  guards: {
    'something was left': (_, { orphan }: Found) => orphan !== null,
    'the worker stops': ({ context }) => context.stopping,
    'it did not die': ({ context }) => context.cause !== 'crash',
    'its command is wrong': ({ context }) => context.ending.isHopeless,
    'it has died too often': ({ context }) => context.crashes >= context.maxCrashes,
  },
  actions: {
    'note that the worker stops': assign({ stopping: true }),
    'forget how it died': assign({ ending: NO_ENDING }),
    'note the cause': assign((_, params: Pick<SupervisorContext, 'cause'>) => params),
    'count the start': assign(({ context }) => ({ starts: context.starts + 1 })),
    'count the crash': assign(({ context }, ending: Ending) => ({
      ending,
      crashes: context.crashes + 1,
    })),
    'forget the crashes': assign({ crashes: 0 }),
    'plan the next start': assign(({ context }) => {
      const { seed, random } = nextRandom(context.seed);
      return { seed, backOffMs: fullJitterMs(context.backOff, context.crashes, random) };
    }),
    'note why it is given up': assign((_, params: { reason: string }) => params),
    'announce what was left': emit((_, { orphan }: Found) => ({
      type: 'model.orphaned',
      orphan: orphan ?? '',
    })),
    'tell that it is started': enqueueActions(({ context, enqueue }) => {
      const started = { type: 'model.started', restarts: restartsOf(context) } as const;
      enqueue.sendParent(tellParent(started));
      enqueue.emit(started);
    }),
    'tell that it runs no more': sendParent(tellParent({ type: 'model.ended' })),
    'tell that it died': enqueueActions(({ context, enqueue }) => {
      const { crashes, maxCrashes, ending } = context;
      const sentence = `the model server has died (${crashes} of ${maxCrashes}): ${ending.reason}`;
      enqueue.sendParent(tellParent({ type: 'backend.failed', message: withLastLines(sentence, ending) }));
      enqueue.emit({ type: 'model.died', reason: ending.reason, crashes, lastLines: ending.lastLines });
    }),
    'tell that it is started anew': sendParent((_, { reason }: { reason: string }) =>
      tellParent({
        type: 'backend.failed',
        message: `the model server is started anew: ${reasonOf(reason)}`,
      }),
    ),
    'announce the pause': emit(({ context }) => ({ type: 'model.backedOff', waitMs: context.backOffMs })),
    'announce the kill': emit({ type: 'model.killed' }),
    'announce that it could not be signalled': emit(
      (_, { signal, error }: { signal: string; error: unknown }) => ({
        type: 'model.unsignalled',
        signal,
        reason: reasonOf(error),
      }),
    ),
    'announce that it is stuck': emit((_, params: { reason: string }) => ({
      type: 'model.stuck',
      ...params,
    })),
    'tell that it is stuck': enqueueActions(
      ({ context: { ending }, enqueue }, { reason }: { reason: string }) => {
        enqueue.sendParent(tellParent({ type: 'backend.failed', message: withLastLines(reason, ending) }));
        enqueue.emit({ type: 'model.stuck', reason });
      },
    ),
    'tell that it is given up': enqueueActions(({ context: { reason, ending }, enqueue }) => {
      enqueue.sendParent(tellParent({ type: 'backend.failed', message: withLastLines(reason, ending) }));
      enqueue.emit({ type: 'model.gaveUp', reason });
    }),
  },
});
