import type { AnyStateMachine } from 'xstate';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import { reporterMachine } from '../../machines/reporter.js';

/** The machines that can be drawn, by name. */
export const machines: Readonly<Record<string, AnyStateMachine>> = {
  lifecycle: lifecycleMachine,
  reporter: reporterMachine,
};
