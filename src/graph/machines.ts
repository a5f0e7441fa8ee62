import type { AnyStateMachine } from 'xstate';
import { benchmarkMachine } from '../../machines/benchmark.js';
import { completionsMachine } from '../../machines/completions.js';
import { fleetWorkerMachine } from '../../machines/fleet-worker.js';
import { healthMachine } from '../../machines/health.js';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import { publicKeyMachine } from '../../machines/public-key.js';
import { readinessMachine } from '../../machines/readiness.js';
import { reloadMachine } from '../../machines/reload.js';
import { reporterMachine } from '../../machines/reporter.js';
import { supervisorMachine } from '../../machines/supervisor.js';

export type MachineName =
  | 'lifecycle'
  | 'readiness'
  | 'reload'
  | 'benchmark'
  | 'health'
  | 'reporter'
  | 'completions'
  | 'public-key'
  | 'supervisor'
  | 'fleet-worker';

/** The machines of a worker, by the name under which they are drawn. */
export const machines: Readonly<Record<MachineName, AnyStateMachine> & Record<string, AnyStateMachine>> = {
  lifecycle: lifecycleMachine,
  readiness: readinessMachine,
  reload: reloadMachine,
  benchmark: benchmarkMachine,
  health: healthMachine,
  reporter: reporterMachine,
  completions: completionsMachine,
  'public-key': publicKeyMachine,
  supervisor: supervisorMachine,
  'fleet-worker': fleetWorkerMachine,
};
