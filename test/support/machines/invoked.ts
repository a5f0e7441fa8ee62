import { onTestFinished } from 'vitest';
import {
  type Actor,
  type AnyEventObject,
  type AnyStateMachine,
  createActor,
  createMachine,
  type InputFrom,
  type InspectionEvent,
} from 'xstate';
import { SteppedClock } from './clock.js';

/** A machine at work, and the ears of the parent that invoked it. */
export interface Invoked<Machine extends AnyStateMachine> {
  readonly actor: Actor<Machine>;
  readonly clock: SteppedClock;
  /** What it told its parent, in order. */
  readonly told: AnyEventObject[];
  readonly emitted: AnyEventObject[];
  /** Stops the parent, and the machine with it. */
  stop(): void;
}

/** Runs a machine as the child of a parent that only listens. At the end of the test no timer may be left. */
export function invoke<Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
  inspect: (event: InspectionEvent) => void = () => {},
): Invoked<Machine> {
  const clock = new SteppedClock();
  const told: AnyEventObject[] = [];
  const emitted: AnyEventObject[] = [];
  const hear = (event: AnyEventObject) => {
    if (!event.type.startsWith('xstate.')) told.push(event);
  };
  const parent = createMachine({
    id: 'parent',
    invoke: { id: 'child', src: machine, input },
    on: { '*': { actions: ({ event }) => hear(event) } },
  });
  const root = createActor(parent, { clock, inspect }).start();
  onTestFinished(() => {
    root.stop();
    if (clock.waiting > 0) throw new Error(`${clock.waiting} timers outlive the machine.`);
  });
  const actor = root.getSnapshot().children.child as Actor<Machine> | undefined;
  if (actor === undefined) throw new Error('The machine does not run.');
  actor.on('*', (event) => emitted.push(event));
  return { actor, clock, told, emitted, stop: () => root.stop() };
}
