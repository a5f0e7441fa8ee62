import { AssertionError } from 'node:assert';
import {
  type Actor,
  type AnyEventObject,
  type AnyStateMachine,
  createActor,
  createMachine,
  type EventFromLogic,
  type InputFrom,
  type InspectionEvent,
} from 'xstate';
import { SteppedClock, turn } from './clock.js';
import { leavesOf } from './leaves.js';

export interface TestMachineOptions<Machine extends AnyStateMachine> {
  readonly input?: InputFrom<Machine>;
  /** Hears what xstate says of the actor and its children: `transitionCoverage(machine).inspect`. */
  readonly inspect?: (event: InspectionEvent) => void;
}

/**
 * A machine at work in time that only the test moves, as the child of a parent that listens. Its effects
 * are given with `machine.provide(...)`, for instance an `Effect` for each.
 *
 * @example
 * using kettle = startMachine(kettleMachine, { input: { litres: 1 } });
 * await kettle.send({ type: 'heat' });
 * await kettle.advance(180_000);
 * expectPath(kettle).toEqual(['cold', 'hot', 'boiling']);
 */
export function startMachine<Machine extends AnyStateMachine>(
  machine: Machine,
  options: TestMachineOptions<Machine> = {},
): TestMachine<Machine> {
  return new TestMachine(machine, options);
}

export class TestMachine<Machine extends AnyStateMachine> {
  readonly actor: Actor<Machine>;
  readonly clock = new SteppedClock();
  /** What it told its parent, in order. */
  readonly told: AnyEventObject[] = [];
  readonly emitted: AnyEventObject[] = [];
  readonly #path: string[] = [];
  #failure: { readonly error: unknown } | undefined;
  readonly #root: { stop(): void };

  constructor(machine: Machine, { input, inspect = () => {} }: TestMachineOptions<Machine>) {
    const parent = createMachine({
      id: 'parent',
      invoke: { id: 'child', src: machine, input },
      on: { '*': { actions: ({ event }) => this.#hear(event) } },
    });
    const root = createActor(parent, { clock: this.clock, inspect });
    this.#root = root;
    root.start();
    const actor = root.getSnapshot().children.child as Actor<Machine> | undefined;
    if (actor === undefined) throw new Error('The machine does not run.');
    this.actor = actor;
    actor.on('*', (event) => this.emitted.push(event));
    this.#note();
    actor.subscribe({ next: () => this.#note(), error: (error: unknown) => this.#fail(error) });
  }

  /** The states in which it is, by the ids of those that have none inside. */
  states(): string[] {
    return leavesOf(this.actor.getSnapshot());
  }

  /** The states that it was in, those of several regions as `one, other`. States that it left at once are not seen. */
  path(): readonly string[] {
    return this.#path;
  }

  /**
   * Sends an event, and lets what follows from it without any time happen.
   *
   * @throws what has ended the machine: an action or a guard that threw, or an effect that failed unhandled
   */
  async send(event: EventFromLogic<Machine>): Promise<void> {
    this.actor.send(event);
    await turn();
    this.#tellFailure();
  }

  /** Lets time pass, from timer to timer. @throws what has ended the machine, as `send` does */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.#tellFailure();
  }

  /** Ends it. @throws {AssertionError} when a timer is left that outlives it, and what has ended it unseen */
  stop(): void {
    this.#root.stop();
    this.#tellFailure();
    const { waiting } = this.clock;
    if (waiting > 0) throw new AssertionError({ message: `${waiting} timers outlive the machine.` });
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #fail(error: unknown): void {
    this.#failure = { error };
  }

  /** Once: a test that expects it goes on. */
  #tellFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  #hear(event: AnyEventObject): void {
    if (!event.type.startsWith('xstate.')) this.told.push(event);
  }

  #note(): void {
    const now = this.states().join(', ');
    if (this.#path.at(-1) !== now) this.#path.push(now);
  }
}
