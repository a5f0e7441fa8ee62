import { type ActorRefFrom, assign, createActor, setup } from 'xstate';
import { type BackOff, fullJitterMs } from '../../machines/back-off.js';
import { reporterMachine } from '../../machines/reporter.js';
import type { Attempt, Delivery, ReporterToParent } from '../../machines/reports.js';
import { failedRound } from '../../machines/rounds.js';
import { current } from '../../src/dialects/current/report.js';
import { effectIn, type Outcome } from '../../src/simulate/effect.js';
import type { VirtualTime } from '../../src/simulate/virtual-time.js';

/** As a worker has them that is told nothing else. */
export const INTERVAL_MS = 10_000;
export const TIMEOUT_MS = 5_000;
export const BACK_OFF: BackOff = { baseMs: 500, capMs: 10_000 };

export interface ReportingParts {
  readonly time: VirtualTime;
  readonly hasJitter: boolean;
  readonly send: () => Outcome<Delivery>;
  readonly onDelivered: (worker: number) => void;
}

/** A worker as far as it reports: its reporter, which says that it is loaded and then how it goes. */
export interface ReportingWorker {
  start(): void;
  /** There is work that is not told. */
  workIsDue(): void;
}

const LOADED = { phase: 'loaded', loadTimeSeconds: 60, maxPerf: 100, errorMessage: '' } as const;

/** Makes workers that report by the reporter that every worker has, in virtual time. */
export function reportingWorkers(parts: ReportingParts): (worker: number) => ReportingWorker {
  const { time, send } = parts;
  const sending = { actors: { send: effectIn<Delivery, Attempt>(time, send) } };
  const reporter = reporterMachine.provide(parts.hasJitter ? sending : { ...sending, ...WITHOUT_JITTER });
  const machine = parentOf(reporter, parts.onDelivered);
  return (worker) => {
    const actor = createActor(machine, { clock: time, input: { worker } });
    let running: ActorRefFrom<typeof reporter> | undefined;
    return {
      start() {
        actor.start();
        running = actor.getSnapshot().children.reporter;
        running?.send({ type: 'status.changed', status: LOADED });
      },
      workIsDue() {
        // While it backs off it owes the work already.
        if (running?.getSnapshot().matches('backing off') === false) running.send({ type: 'work.due' });
      },
    };
  };
}

/** What a worker tells its reporter, and hears of it. */
function parentOf(reporter: typeof reporterMachine, onDelivered: (worker: number) => void) {
  return setup({
    types: {
      input: {} as { worker: number },
      context: {} as { worker: number },
      events: {} as ReporterToParent,
      children: {} as { reporter: 'reporter' },
    },
    actors: { reporter },
    actions: { 'hear that it has arrived': ({ context }) => onDelivered(context.worker) },
  }).createMachine({
    context: ({ input }) => input,
    invoke: {
      id: 'reporter',
      src: 'reporter',
      input: ({ context }) => ({
        addresses: ['http://autoscaler'],
        plan: current.plan,
        intervalMs: INTERVAL_MS,
        backOff: BACK_OFF,
        seed: context.worker,
      }),
    },
    on: { 'report.acknowledged': { actions: 'hear that it has arrived' } },
  });
}

/** What jitter is compared with: to wait for the whole of what it takes a part of. */
const WITHOUT_JITTER: Parameters<typeof reporterMachine.provide>[0] = {
  delays: { firstBeat: ({ context }) => context.intervalMs },
  actions: {
    'plan the next round': assign(({ context }) => {
      const next = failedRound(context);
      return { ...next, backOffMs: fullJitterMs(next.backOff, next.failedRounds, 1) };
    }),
  },
};
