import type { AnyMachineSnapshot } from 'xstate';
import { pathOf } from '../graph/transitions.js';

/** The states of a snapshot that have none inside, by their ids, in the order of the machine's code. */
export function leavesOf(snapshot: AnyMachineSnapshot): string[] {
  return snapshot._nodes
    .filter(({ states }) => Object.keys(states).length === 0)
    .toSorted((one, other) => one.order - other.order)
    .map(pathOf);
}
