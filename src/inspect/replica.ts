import { type AnyActorRef, type AnyStateMachine, createActor, fromCallback, SimulatedClock } from 'xstate';
import { ActorWatch, type Seen } from './watch.js';

const inert = fromCallback(() => {});

/**
 * A machine alone: what it starts does nothing, its parent is silent and its time stands still. So nothing happens to
 * it but the events that it is given, the ends of its effects and of its delays among them.
 */
export class Replica {
  readonly #seen: Seen[] = [];
  readonly #watch: ActorWatch;
  readonly #actor: AnyActorRef;

  constructor(machine: AnyStateMachine, input: unknown) {
    this.#watch = new ActorWatch({
      now: () => 0,
      tell: (seen) => void this.#seen.push(...seen.filter((each) => each !== null)),
      onError: (error) => {
        throw error;
      },
    });
    const parent = createActor(inert, { clock: new SimulatedClock(), inspect: this.#watch.inspect }).start();
    const alone = machine.provide({
      actors: Object.fromEntries(Object.keys(machine.implementations.actors).map((name) => [name, inert])),
    });
    this.#actor = createActor(alone, { parent, input });
    this.#actor.start();
  }

  /** Answers what the event has led to, in the same terms as a recording. */
  send(event: { readonly type: string }): readonly Seen[] {
    this.#actor.send(event);
    return this.take();
  }

  /** What has happened since it was asked last. */
  take(): readonly Seen[] {
    this.#watch.flush();
    return this.#seen.splice(0);
  }
}
