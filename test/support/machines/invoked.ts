import { onTestFinished } from 'vitest';
import type { AnyStateMachine, InputFrom, InspectionEvent } from 'xstate';
import { startMachine, type TestMachine } from '../../../src/testing/test-machine.js';

/** A machine at work, and the ears of the parent that invoked it. */
export type Invoked<Machine extends AnyStateMachine> = Pick<
  TestMachine<Machine>,
  'actor' | 'clock' | 'told' | 'emitted' | 'stop'
>;

/** Runs a machine as the child of a parent that only listens. At the end of the test no timer may be left. */
export function invoke<Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
  inspect: (event: InspectionEvent) => void = () => {},
): Invoked<Machine> {
  const machineAtWork = startMachine(machine, { input, inspect });
  onTestFinished(() => machineAtWork.stop());
  const { actor, clock, told, emitted } = machineAtWork;
  return { actor, clock, told, emitted, stop: () => machineAtWork.stop() };
}
