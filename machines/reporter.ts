import { assign, cancel, emit, enqueueActions, raise, type SnapshotFrom, sendParent, setup } from 'xstate';
import type { BackOff } from './back-off.js';
import { port } from './ports.js';
import {
  type Attempt,
  type Delivery,
  LOADING,
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
 * stops; then the heartbeat ends, so that what is due has an end too. One message is under way at a
 * time, and each attempt cuts its own window, so that a retry never tells stale figures. An address
 * that fails makes way for the next one; when each has failed once, the round has failed and the
 * reporter backs off. The address that worked last is asked first.
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
  /** Tell the work now, without waiting for the heartbeat. */
  | { type: 'work.due' }
  /** Tell everything, then say that nothing is left. */
  | { type: 'flush' }
  | { type: 'heartbeat' };

export interface ReporterContext extends ReporterInput, Rounds {
  readonly status: WorkerStatus;
  readonly due: readonly ReportKind[];
  readonly flushing: boolean;
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
    backOff: ({ context }) => context.backOffMs,
  },
  guards: {
    'there is no autoscaler': ({ context }) => context.addresses.length === 0,
    'something is due': ({ context }) => context.due.length > 0,
    'everything is told': ({ context }) => context.flushing && context.due.length === 0,
    'another address is left': ({ context }) => !isLast(context),
    'the status has changed since': ({ context }) => context.status !== context.attempt.status,
  },
  actions: {
    'start the heartbeat': raise({ type: 'heartbeat' }, { delay: 'interval', id: 'heartbeat' }),
    'stop the heartbeat': cancel('heartbeat'),
    'owe what the heartbeat tells': assign(({ context }) => ({
      due: merged(context.due, context.plan.heartbeat[context.status.phase]),
    })),
    'take the new status': assign(({ context }, status: WorkerStatus) => ({
      status,
      due: merged(
        // That a worker which has just begun is loading is no news; that its load is in trouble is.
        isLoadingAsBefore(status, context.status) ? [] : context.plan.onEnter[status.phase],
        context.due.filter((kind) => kind === 'work'),
      ),
    })),
    'owe the work': assign(({ context }) => ({ due: merged(context.due, ['work']) })),
    'owe everything that is left': assign(({ context }) => ({
      due: merged(context.due, ['work']),
      flushing: true,
    })),
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
      const { failedRounds, failedAttempts } = context;
      const from = addressOf({ ...context, current: context.preferred });
      const to = addressOf(context);
      if (failedRounds > 0) enqueue.emit({ type: 'outage.ended', address: to, failedAttempts });
      if (from !== to) enqueue.emit({ type: 'address.changed', from, to });
      enqueue.assign({
        ...delivered(context),
        due: failedRounds > 0 || from !== to ? owedToANewcomer(context) : context.due,
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
    flushing: false,
    attempt: { kind: 'state', address: '', status: LOADING },
  }),
  entry: 'start the heartbeat',
  on: {
    heartbeat: { actions: ['owe what the heartbeat tells', 'start the heartbeat'] },
    'status.changed': {
      actions: { type: 'take the new status', params: ({ event }) => event.status },
    },
    'work.due': { actions: 'owe the work' },
    flush: { actions: ['owe everything that is left', 'stop the heartbeat'] },
  },
  initial: 'quiet',
  states: {
    quiet: {
      description: 'Everything that was due is told. Left as soon as something is due.',
      always: [
        { guard: 'there is no autoscaler', target: 'silent' },
        { guard: 'something is due', target: 'sending' },
        { guard: 'everything is told', target: 'flushed' },
      ],
    },
    sending: {
      description: 'One message is on its way to one address. Left when its answer is read, or it fails.',
      entry: ['take the next message', 'say that a report is under way'],
      exit: 'say that the report has settled',
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
      always: { guard: 'the status has changed since', target: 'quiet' },
      after: { backOff: 'sending' },
      on: {
        flush: { target: 'sending', actions: ['owe everything that is left', 'stop the heartbeat'] },
      },
    },
    flushed: {
      description: 'The worker stops and nothing is left to tell. Left if something becomes due after all.',
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
 * After an outage the autoscaler may have forgotten the worker's state, and another address may never have
 * known it, so it is told again, unless the message just acknowledged has told it, or the worker stops.
 */
function owedToANewcomer({ due, attempt, plan, flushing }: ReporterContext): readonly ReportKind[] {
  return flushing || plan.covers[attempt.kind].includes('state') ? due : merged(due, ['state']);
}

function isLoadingAsBefore(now: WorkerStatus, before: WorkerStatus): boolean {
  return now.phase === 'loading' && before.phase === 'loading' && now.errorMessage === before.errorMessage;
}

/** Both, each kind once, state before work. */
function merged(some: readonly ReportKind[], more: readonly ReportKind[]): readonly ReportKind[] {
  return (['state', 'work'] as const).filter((kind) => some.includes(kind) || more.includes(kind));
}
