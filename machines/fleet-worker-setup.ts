import { assign, setup } from 'xstate';
import { port } from './ports.js';
import { reasonOf } from './reason.js';
import type { WorkerPhase } from './scaling.js';

/** What a worker of the local fleet needs, and what it can do. The states are in `fleet-worker.ts`. */

export interface FleetWorkerInput {
  readonly id: number;
  /** The first report has to come within so long after the start. */
  readonly firstWordWithinMs: number;
  /** A worker that has reported is gone when it has not for so long. */
  readonly silentAfterMs: number;
  /** For so long one that says it has failed may recover by itself. */
  readonly failingForMs: number;
  /** So long requests may take to arrive that were routed before it was withdrawn. */
  readonly arrivalMs: number;
  /** So long it may take to finish what it has, once it is asked to end; then it is killed. */
  readonly drainWithinMs: number;
  /** One that had been silent has to report within so long after it was asked to end. */
  readonly answerWithinMs: number;
  /** One that was ready for so long has not failed in a row. */
  readonly stableAfterMs: number;
  /** How long a failed one is left alone: the base after the first failure, twice as long after each further one. */
  readonly pause: { readonly baseMs: number; readonly capMs: number };
}

/** Why its process is being ended. */
export type Cause = 'none' | 'deactivated' | 'destroyed' | 'updated' | 'failed';

export interface FleetWorkerContext extends FleetWorkerInput {
  readonly cause: Cause;
  /** How often its process was started. */
  readonly starts: number;
  /** Failures in a row. */
  readonly failures: number;
  /** Of which it failed last; empty: of nothing since it was last ready. */
  readonly reason: string;
}

export type FleetWorkerEvent =
  /** What it said of itself in a report. */
  | { type: 'heard'; state: 'loading' | 'serving' }
  | { type: 'heard'; state: 'failing'; reason: string }
  /** What the policy decides. */
  | { type: 'activate' }
  | { type: 'deactivate' }
  | { type: 'destroy' }
  /** Its process is to be started anew, with the code that is there now. */
  | { type: 'update' };

/** How the process of a worker ended. */
export interface WorkerExit {
  /** Null: it was ended by a signal. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The last that it said of trouble, in one line; undefined: nothing. */
  readonly said?: string | undefined;
}

/** With this exit code a worker asks to be started again, with new code. */
export const EXIT_FOR_UPDATE = 75;

export const fleetWorkerSetup = setup({
  types: {
    input: {} as FleetWorkerInput,
    context: {} as FleetWorkerContext,
    events: {} as FleetWorkerEvent,
    tags: {} as WorkerPhase,
  },
  actors: {
    /** Takes what a worker needs on this machine, such as ports. */
    place: port<void>('place'),
    /** Starts its process. Resolves when that has ended; rejects when it could not be started. */
    run: port<WorkerExit>('run'),
    /** Sends its process a signal. */
    signal: port<void, { signal: 'SIGTERM' | 'SIGKILL' }>('signal'),
  },
  delays: {
    firstWord: ({ context }) => context.firstWordWithinMs,
    silence: ({ context }) => context.silentAfterMs,
    failing: ({ context }) => context.failingForMs,
    arrival: ({ context }) => context.arrivalMs,
    drain: ({ context }) => context.drainWithinMs,
    answer: ({ context }) => context.answerWithinMs,
    stable: ({ context }) => context.stableAfterMs,
    pause: ({ context: { pause, failures } }) => Math.min(pause.capMs, pause.baseMs * 2 ** (failures - 1)),
  },
  guards: {
    'it serves': ({ event }) => event.type === 'heard' && event.state === 'serving',
    'it loads': ({ event }) => event.type === 'heard' && event.state === 'loading',
    'it fails': ({ event }) => event.type === 'heard' && event.state === 'failing',
    'it is given up': ({ context }) => context.cause === 'destroyed',
    'it is to be inactive': ({ context }) => context.cause === 'deactivated',
    'it is to be started anew': ({ context }, { code }: WorkerExit) =>
      context.cause === 'updated' || (context.cause === 'none' && code === EXIT_FOR_UPDATE),
  },
  actions: {
    'note the cause': assign((_, params: { cause: Cause }) => params),
    'count the start': assign(({ context }) => ({ starts: context.starts + 1, cause: 'none' as const })),
    'note what it says': assign(({ event }) =>
      event.type === 'heard' && event.state === 'failing' ? { reason: reasonOf(event.reason) } : {},
    ),
    'forget the reason': assign({ reason: '' }),
    'forget the failures': assign({ failures: 0 }),
    'note the failure': assign((_, { reason }: { reason: string }) => ({ reason, cause: 'failed' as const })),
    'note how it ended': assign(({ context }, exit: WorkerExit) =>
      context.cause === 'none' ? { reason: endOf(exit) } : {},
    ),
    'count the failure': assign(({ context }) => ({
      failures: context.failures + 1,
      cause: 'none' as const,
    })),
    'note that it could not be signalled': assign((_, { error }: { error: unknown }) => ({
      reason: `its process could not be signalled: ${reasonOf(error)}`,
    })),
  },
});

function endOf({ code, signal, said = '' }: WorkerExit): string {
  const how = code === null ? `by ${signal ?? 'a signal'}` : `with exit code ${code}`;
  return `its process ended by itself, ${how}${said === '' ? '' : `: ${said}`}`;
}
