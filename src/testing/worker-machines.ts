import type { AnyStateMachine } from 'xstate';
import { type MachineName, machines } from '../graph/machines.js';

/** The machines of a worker by their names, for `transitionCoverage`. A name that there is not does not compile. */
export const workerMachines: Readonly<Record<MachineName, AnyStateMachine>> = machines;
