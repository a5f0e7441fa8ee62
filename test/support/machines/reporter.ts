import { onTestFinished } from 'vitest';
import { type ActorRefFrom, createActor, type InspectionEvent, setup } from 'xstate';
import { cut, openLedger } from '../../../machines/ledger.js';
import { type ReporterInput, reporterMachine } from '../../../machines/reporter.js';
import type {
  Attempt,
  Delivery,
  ReporterEmitted,
  ReporterToParent,
  WorkerStatus,
} from '../../../machines/reports.js';
import { legacy } from '../../../src/dialects/legacy/report.js';
import { SteppedClock, turn } from '../../../src/testing/clock.js';
import { Effect } from '../../../src/testing/effect.js';

export const LOADING: WorkerStatus = { phase: 'loading', loadTimeSeconds: 0, maxPerf: 0, errorMessage: '' };
export const LOADED: WorkerStatus = { phase: 'loaded', loadTimeSeconds: 2, maxPerf: 5, errorMessage: '' };
export const FAILING: WorkerStatus = { ...LOADED, phase: 'failing', errorMessage: 'out of memory' };

/** What the effect of an attempt answers where nobody looks at its window. */
export const DELIVERY: Delivery = { window: cut(openLedger(0), [], 0), name: 'test', shown: {}, tookMs: 3 };

export const REPORTER_INPUT: ReporterInput = {
  addresses: ['http://a'],
  plan: legacy.plan,
  intervalMs: 10_000,
  backOff: { baseMs: 500, capMs: 4_000 },
  seed: 1,
};

/** A running reporter whose attempts the test answers, and the ears of its parent. */
export interface RunningReporter {
  readonly actor: ActorRefFrom<typeof reporterMachine>;
  readonly clock: SteppedClock;
  readonly send: Effect<Delivery, Attempt>;
  readonly told: ReporterToParent[];
  readonly emitted: ReporterEmitted[];
  readonly state: string;
  answer(delivery?: Delivery): Promise<void>;
  fail(error?: unknown): Promise<void>;
  /** The attempts so far, as `kind phase address`. */
  attempts(): string[];
}

export const NO_ANSWER = new Error('no answer');

export function startReporter(
  input: Partial<ReporterInput> = {},
  inspect?: (event: InspectionEvent) => void,
): RunningReporter {
  const clock = new SteppedClock();
  const send = new Effect<Delivery, Attempt>();
  const told: ReporterToParent[] = [];
  const parent = setup({
    types: { events: {} as ReporterToParent, children: {} as { reporter: 'reporter' } },
    actors: { reporter: reporterMachine.provide({ actors: { send: send.logic } }) },
  }).createMachine({
    id: 'parent',
    invoke: { id: 'reporter', src: 'reporter', input: { ...REPORTER_INPUT, ...input } },
    on: { '*': { actions: ({ event }) => void told.push(event) } },
  });
  const root = createActor(parent, { clock, ...(inspect && { inspect }) }).start();
  onTestFinished(() => {
    root.stop();
    if (clock.waiting > 0) throw new Error(`${clock.waiting} timers outlive the reporter.`);
  });
  const actor = root.getSnapshot().children.reporter;
  if (actor === undefined) throw new Error('The reporter does not run.');
  const emitted: ReporterEmitted[] = [];
  actor.on('*', (event) => emitted.push(event));

  return {
    actor,
    clock,
    send,
    told,
    emitted,
    get state() {
      return actor.getSnapshot().value;
    },
    answer(delivery = DELIVERY) {
      send.last.resolve(delivery);
      return turn();
    },
    fail(error = NO_ANSWER) {
      send.last.reject(error);
      return turn();
    },
    attempts: () =>
      send.calls.map(({ input: { kind, status, address } }) => `${kind} ${status.phase} ${address}`),
  };
}
