import process from 'node:process';
import type { AnyStateMachine } from 'xstate';
import { machines } from '../../../src/graph/machines.js';
import { type TransitionCoverage, transitionCoverage } from '../../../src/testing/index.js';

/** Where the tests of a run keep what they took of the project's machines. */
export const COVERAGE_FOLDER = 'TSWORKER_TRANSITION_COVERAGE';

/** What a test takes of a machine of the project. It counts for the whole run, which sums it up at its end. */
export function covered(machine: AnyStateMachine): TransitionCoverage {
  const name = Object.keys(machines).find((each) => machines[each] === machine);
  if (name === undefined) throw new Error(`The ${machine.id} machine is none of the project's.`);
  return transitionCoverage(machine, { name, folder: process.env[COVERAGE_FOLDER] });
}
