import { assign, cancel, emit, enqueueActions, raise, type SnapshotFrom, sendParent, setup } from 'xstate';
import type { BackOff } from './back-off.js';
import { firstBeatMs } from './heartbeat.js';
import { port } from './ports.js';
import {
  type Attempt,
  type Delivery,
  isLoadingAsBefore,
  LOADING,
  merged,
  type ReporterEmitted,
  type ReporterToParent,
  type ReportKind,
  type ReportPlan,
  type WorkerStatus,
} from './reports.js';
import { addressOf, delivered, failedRound, isLast, nextAddress, openRounds, type Rounds } from './rounds.js';

/**
 * The reporter: decides when the autoscaler is told what, and at which of its addresses.
 *
 * Something is due when the worker's state has changed, when the heartbeat ticks, or when the worker
 * stops; then the heartbeat ends, so that what is due has an end too. So is a batch capacity that is new,
 * where the dialect has a word for it: once, and to whoever may not know it. One message is under way at a
 * time, and each attempt cuts its own window, so that a retry never tells stale figures. An address
 * that fails makes way for the next one; when each has failed once, the round has failed and the
 * reporter backs off. The address that worked last is asked first.
 *
 * A worker that stops says once more how it stands. It waits for an autoscaler that nobody hears from only to tell
 * what must be told: work that is not acknowledged, and why the worker has failed. The rest is let go.
 */

/** What a reporter is made with. */
export interface ReporterInput {
  /** Base addresses in order of preference; none: this worker reports nothing. */
  readonly addresses: readonly string[];
  readonly plan: ReportPlan;
  readonly intervalMs: number;
  readonly backOff: BackOff;
  /** Seeds the jitter: the same seed waits the same times. */
  readonly seed: number;
}

export type ReporterEvent =
  | { type: 'status.changed'; status: WorkerStatus }
  /** There is work that is not told. Tell it now, without waiting for the heartbeat. */
  | { type: 'work.due' }
  /** The batch capacity is known, or another one than before. */
  | { type: 'capacity.due' }
  /** Tell how the worker stands and what must be told, then say that nothing is left. */
  | { type: 'flush' }
  | { type: 'heartbeat' };

export interface ReporterContext extends ReporterInput, Rounds {
  readonly status: WorkerStatus;
  readonly due: readonly ReportKind[];
  /** What a worker does not stop without, for as long as it has time: part of what is due or under way. */
  readonly mustBeTold: readonly ReportKind[];
  readonly flushing: boolean;
  /** Whether there is a batch capacity to tell. */
  readonly hasCapacity: boolean;
  /** The message that is under way, or was last. */
  readonly attempt: Attempt;
}

const tellParent = (event: ReporterToParent) => event;

export const reporterMachine = setup({
  types: {
    input: {} as ReporterInput,
    context: {} as ReporterContext,
    events: {} as ReporterEvent,
    emitted: {} as ReporterEmitted,
  },
  actors: { send: port<Delivery, Attempt>('send') },
  delays: {
    interval: ({ context }) => context.intervalMs,
    firstBeat: ({ context }) => firstBeatMs(context),
    backOff: ({ context }) => context.backOffMs,
  },
  guards: {
    'there is no autoscaler': ({ context }) => context.addresses.length === 0,
    'something is due': ({ context }) => context.due.length > 0,
    'everything is told': ({ context }) => context.flushing && context.due.length === 0,
    'nobody hears what need not be told': ({ context }) =>
      context.flushing && context.failedRounds > 0 && context.mustBeTold.length === 0,
    'another address is left': ({ context }) => !isLast(context),
    'the status has changed since': ({ context }) => context.status !== context.attempt.status,
  },
  actions: {
    'begin the heartbeat': raise({ type: 'heartbeat' }, { delay: 'firstBeat', id: 'heartbeat' }),
    'go on with the heartbeat': raise({ type: 'heartbeat' }, { delay: 'interval', id: 'heartbeat' }),
    'stop the heartbeat': cancel('heartbeat'),
    'owe what the heartbeat tells': assign(({ context }) => ({
      due: merged(context.due, context.plan.heartbeat[context.status.phase]),
    })),
    'take the new status': assign(({ context }, status: WorkerStatus) => ({
      status,
      due: merged(
        // That a worker which has just begun is loading is no news; that its load is in trouble is.
        isLoadingAsBefore(status, context.status) ? [] : context.plan.onEnter[status.phase],
        context.due.filter((kind) => kind !== 'state'),
      ),
      mustBeTold: merged(
        status.phase === 'failing' ? ['state'] : [],
        context.mustBeTold.filter((kind) => kind === 'work'),
      ),
    })),
    'owe the work': assign(({ context }) => ({
      due: merged(context.due, ['work']),
      mustBeTold: merged(context.mustBeTold, ['work']),
    })),
    'owe the capacity': assign(({ context }) => ({
      due: merged(context.due, context.plan.covers.capacity),
      hasCapacity: true,
    })),
    'owe the last word': assign(({ context }) => ({ due: merged(context.due, ['work']) })),
    'note that the worker stops': assign({ flushing: true }),
    'let go of what is due': assign({ due: [] }),
    'take the next message': assign(({ context }) => {
      const kind = context.due[0] ?? 'work';
      const covered = context.plan.covers[kind];
      return {
        attempt: { kind, address: addressOf(context), status: context.status },
        due: context.due.filter((other) => !covered.includes(other)),
      };
    }),
    'owe the message still': assign(({ context }) => ({
      due: merged(context.due, context.plan.covers[context.attempt.kind]),
    })),
    'turn to the next address': assign(({ context }) => nextAddress(context)),
    'plan the next round': assign(({ context }) => failedRound(context)),
    'stay with the address that works': enqueueActions(({ context, enqueue }) => {
      const { failedRounds, failedAttempts, due, mustBeTold, plan, attempt } = context;
      const from = addressOf({ ...context, current: context.preferred });
      const to = addressOf(context);
      if (failedRounds > 0) enqueue.emit({ type: 'outage.ended', address: to, failedAttempts });
      if (from !== to) enqueue.emit({ type: 'address.changed', from, to });
      enqueue.assign({
        ...delivered(context),
        due: failedRounds > 0 || from !== to ? owedToANewcomer(context) : due,
        // What has become due since the message was made is in another one.
        mustBeTold: mustBeTold.filter(
          (kind) => !plan.covers[attempt.kind].includes(kind) || due.includes(kind),
        ),
      });
    }),
    'announce the delivery': emit(({ context }, delivery: Delivery) => ({
      type: 'report.delivered',
      attempt: context.attempt,
      delivery,
    })),
    'announce the failure': emit(({ context }, { error }: { error: unknown }) => ({
      type: 'report.failed',
      attempt: context.attempt,
      error,
    })),
    'announce the outage if it is new': enqueueActions(
      ({ context, enqueue }, { error }: { error: unknown }) => {
        if (context.failedRounds === 0) enqueue.emit({ type: 'outage.began', error });
      },
    ),
    'hand on the acknowledgement': sendParent(({ context }, { window }: Delivery) => {
      const { kind, status } = context.attempt;
      return tellParent({
        type: 'report.acknowledged',
        phase: status.phase,
        covers: context.plan.covers[kind],
        window,
      });
    }),
    'say that a report is under way': sendParent(tellParent({ type: 'report.started' })),
    'say that the report has settled': sendParent(tellParent({ type: 'report.settled' })),
    'say that nobody answers': sendParent(tellParent({ type: 'report.unreachable' })),
    'say that everything is told': sendParent(tellParent({ type: 'reports.flushed' })),
  },
}).createMachine({
  id: 'reporter',
  context: ({ input }) => ({
    ...input,
    ...openRounds(input),
    status: LOADING,
    due: [],
    mustBeTold: [],
    flushing: false,
    hasCapacity: false,
    attempt: { kind: 'state', address: '', status: LOADING },
  }),
  entry: 'begin the heartbeat',
  on: {
    heartbeat: { actions: ['owe what the heartbeat tells', 'go on with the heartbeat'] },
    'status.changed': {
      actions: { type: 'take the new status', params: ({ event }) => event.status },
    },
    'work.due': { actions: 'owe the work' },
    'capacity.due': { actions: 'owe the capacity' },
    flush: { actions: ['owe the last word', 'note that the worker stops', 'stop the heartbeat'] },
  },
  initial: 'quiet',
  states: {
    quiet: {
      description: 'Everything that was due is told. Left as soon as something is due.',
      always: [
        { guard: 'there is no autoscaler', target: 'silent' },
        {
          guard: 'nobody hears what need not be told',
          target: 'flushed',
          actions: 'let go of what is due',
        },
        { guard: 'something is due', target: 'sending' },
        { guard: 'everything is told', target: 'flushed' },
      ],
    },
    sending: {
      description:
        'One message is on its way to one address. Left when its answer is read, or it fails, or when the worker stops while nobody answers and need not tell it.',
      entry: ['take the next message', 'say that a report is under way'],
      exit: 'say that the report has settled',
      always: { guard: 'nobody hears what need not be told', target: 'quiet' },
      // What is under way is the last word, unless something has become due since.
      on: { flush: { actions: ['note that the worker stops', 'stop the heartbeat'] } },
      invoke: {
        id: 'send',
        src: 'send',
        input: ({ context }) => context.attempt,
        onDone: {
          target: 'quiet',
          actions: [
            'stay with the address that works',
            { type: 'announce the delivery', params: ({ event }) => event.output },
            { type: 'hand on the acknowledgement', params: ({ event }) => event.output },
          ],
        },
        onError: [
          {
            guard: 'another address is left',
            target: 'sending',
            reenter: true,
            actions: [
              { type: 'announce the failure', params: ({ event }) => event },
              'owe the message still',
              'turn to the next address',
            ],
          },
          {
            target: 'backing off',
            actions: [
              { type: 'announce the failure', params: ({ event }) => event },
              { type: 'announce the outage if it is new', params: ({ event }) => event },
              'owe the message still',
              'plan the next round',
              'say that nobody answers',
            ],
          },
        ],
      },
    },
    'backing off': {
      description:
        'Every address has failed. Left when the back-off is over, or at once when the state of the worker has changed since the last attempt or the worker stops.',
      always: [
        { guard: 'the status has changed since', target: 'quiet' },
        { guard: 'nobody hears what need not be told', target: 'quiet' },
      ],
      after: { backOff: 'sending' },
      on: {
        flush: { target: 'quiet', actions: ['note that the worker stops', 'stop the heartbeat'] },
      },
    },
    flushed: {
      description:
        'The worker stops, and nothing is left to tell that must be told. Left if something becomes due after all.',
      entry: 'say that everything is told',
      always: { guard: 'something is due', target: 'sending' },
    },
    silent: {
      description: 'There is no autoscaler to report to. Never left.',
      entry: 'stop the heartbeat',
      on: { flush: { actions: 'say that everything is told' } },
    },
  },
});

/** What the autoscaler has not acknowledged yet, a message under way included. */
export function owed(snapshot: SnapshotFrom<typeof reporterMachine>): readonly ReportKind[] {
  const { due, attempt, plan } = snapshot.context;
  return snapshot.matches('sending') ? merged(due, plan.covers[attempt.kind]) : due;
}

/**
 * After an outage the autoscaler may have forgotten the worker's state and capacity, and another address may never
 * have known them, so they are told again, unless the message just acknowledged has told them, or the worker stops.
 */
function owedToANewcomer({ due, attempt, plan, flushing, hasCapacity }: ReporterContext) {
  const known = merged(['state'], hasCapacity ? plan.covers.capacity : []);
  const untold = known.filter((kind) => !plan.covers[attempt.kind].includes(kind));
  return flushing ? due : merged(due, untold);
}
