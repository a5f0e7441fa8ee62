import type { WorkerExit } from '../../machines/fleet-worker-setup.js';

/** Starts and ends the workers of a fleet, each known by its id. */
export interface Launcher {
  /** Takes what a worker needs, such as ports. Rejects, with the reason, when there is none. */
  place(worker: number): Promise<void>;
  /** Starts a worker in its place. Resolves when it has ended; rejects when it could not be started. */
  run(worker: number): Promise<WorkerExit>;
  /** SIGTERM: it is to finish what it has, and to end. SIGKILL: it is to end. */
  signal(worker: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Gives the place back of a worker that is gone. */
  release(worker: number): void;
}
