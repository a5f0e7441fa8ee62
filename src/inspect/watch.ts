import type { AnyActor, AnyMachineSnapshot, AnyTransitionDefinition, InspectionEvent } from 'xstate';
import { machines } from '../graph/machines.js';
import { transitionIdOf } from '../graph/statechart.js';
import { eventInWords, pathOf } from '../graph/transitions.js';
import type { ActorNow, Happening } from './contract.js';

/** What has happened to an actor, before it has a number and its details are copied. */
export interface Seen {
  readonly atMs: number;
  readonly actor: string;
  readonly machine: string;
  readonly nth: number;
  readonly kind: Happening['kind'];
  readonly event: string;
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  readonly took?: readonly string[];
  /** As xstate has it. */
  readonly details: unknown;
}

export interface WatchOptions {
  /** Unix time in ms. */
  readonly now: () => number;
  /** Hears what has happened, in its order, soon after; null: something that can't be told. It throws nothing. */
  readonly tell: (seen: readonly (Seen | null)[]) => void;
  /** What is wrong with the watch must not stop what it watches. */
  readonly onError: (error: unknown) => void;
}

/** The names under which machines are drawn. A copy that `provide()` made has the id of its original. */
const NAMES = new Map(Object.entries(machines).map(([name, { id }]) => [id, name]));

const STARTED = 'started';

/** One step of an actor, from the event that it heard until it is at rest. */
interface Step {
  readonly watched: Watched;
  readonly atMs: number;
  readonly event: { readonly type: string };
  readonly isFirst: boolean;
  readonly took: AnyTransitionDefinition[];
  snapshot: AnyMachineSnapshot | null;
}

/** An actor that is a machine. */
interface Watched {
  readonly ref: AnyActor;
  readonly path: string;
  readonly machine: string;
  states: readonly string[];
  sinceMs: number;
  told: number;
  /** The step in which it is. */
  step: Step | null;
}

/**
 * Watches the machines in a system of actors through xstate's inspection, and tells what happens to them. While they
 * work it only notes; all else is done afterwards. Actors that are no machines are not watched: what they
 * answer is an event of the machine that started them.
 */
export class ActorWatch {
  readonly #options: WatchOptions;
  readonly #watched = new WeakMap<object, Watched>();
  readonly #alive = new Map<string, Watched>();
  #queue: (Step | Seen)[] = [];
  #soon: NodeJS.Immediate | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** To be given to the root of the actors. */
  readonly inspect = (event: InspectionEvent): void => {
    try {
      this.#see(event);
    } catch (error) {
      this.#options.onError(error);
    }
  };

  /** Those that live, as they are now. */
  actors(): ActorNow[] {
    this.flush();
    const living = [...this.#alive.values()].filter(({ ref }) => ref.getSnapshot().status === 'active');
    return living.map(({ path: actor, machine, states, sinceMs }) => ({
      actor,
      machine,
      states,
      sinceMs,
    }));
  }

  /** Tells what has happened until now. To be called when no actor is at work. */
  flush(): void {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = [];
    this.#options.tell(queue.flatMap((noted) => ('watched' in noted ? this.#seenIn(noted) : noted)));
  }

  /** Tells in its place what did not happen to a machine: it may well have happened while one was at work. */
  add(seen: Seen): void {
    this.#queue.push(seen);
    this.#soon ??= setImmediate(() => this.flush());
  }

  #see(event: InspectionEvent): void {
    switch (event.type) {
      case '@xstate.actor':
        this.#appeared(event.actorRef as AnyActor);
        return;
      case '@xstate.microstep': {
        const watched = this.#watched.get(event.actorRef);
        if (watched === undefined) return;
        const step = watched.step ?? this.#begin(watched, event.event);
        step.took.push(...event._transitions);
        step.snapshot = event.snapshot as AnyMachineSnapshot;
        return;
      }
      case '@xstate.snapshot': {
        const watched = this.#watched.get(event.actorRef);
        if (watched?.step == null) return;
        watched.step.snapshot = event.snapshot as AnyMachineSnapshot;
        watched.step = null;
      }
    }
  }

  #appeared(ref: AnyActor): void {
    if (!('root' in ref.logic)) return;
    const parent = ref._parent && this.#watched.get(ref._parent);
    const machine = NAMES.get((ref.logic as { id: string }).id) ?? '';
    const path = parent === undefined ? machine || ref.id : `${parent.path}/${ref.id}`;
    const atMs = this.#options.now();
    const watched: Watched = { ref, path, machine, states: [], sinceMs: atMs, told: 0, step: null };
    this.#watched.set(ref, watched);
    this.#alive.set(path, watched);
    const input: unknown = ref.options.input;
    this.#begin(watched, { type: 'xstate.init', ...(input !== undefined && { input }) }, true);
  }

  #begin(watched: Watched, event: Step['event'], isFirst = false): Step {
    const step: Step = { watched, atMs: this.#options.now(), event, isFirst, took: [], snapshot: null };
    watched.step = step;
    this.#queue.push(step);
    this.#soon ??= setImmediate(() => this.flush());
    return step;
  }

  /** What is wrong with one step costs none of the others. */
  #seenIn(step: Step): (Seen | null)[] {
    try {
      return this.#toldOf(step);
    } catch (error) {
      this.#options.onError(error);
      // So that it is seen that one is missing.
      step.watched.told += 1;
      return [null];
    }
  }

  #toldOf({ watched, atMs, event, isFirst, took, snapshot }: Step): Seen[] {
    const { path: actor, machine, ref, states: from } = watched;
    // One that broke tells no snapshot, and one that is only just made has told none yet.
    const { status, states: to } = restOf(snapshot ?? ref.getSnapshot());
    const told: Seen[] = [];
    const tell = (seen: Omit<Seen, 'atMs' | 'actor' | 'machine' | 'nth'>) =>
      told.push({ atMs, actor, machine, nth: watched.told++, ...seen });
    const ids = took.map(transitionIdOf);
    if (isFirst) {
      const { type: _, ...details } = event;
      tell({ kind: 'actor.started', event: STARTED, to, took: ids, details });
    } else if (event.type !== 'xstate.stop') {
      const kind = took.length > 0 ? 'transition' : 'event';
      tell({ kind, event: eventInWords(event.type), from, to, took: ids, details: event });
    }
    if (!sameStates(from, to)) [watched.states, watched.sinceMs] = [to, atMs];
    if (status !== 'active') {
      tell({ kind: 'actor.stopped', event: status, from: to, details: undefined });
      if (this.#alive.get(actor) === watched) this.#alive.delete(actor);
    }
    return told;
  }
}

function restOf(snapshot: AnyMachineSnapshot) {
  // One that broke as it was made has no states.
  const nodes: AnyMachineSnapshot['_nodes'] | undefined = snapshot._nodes;
  const leaves = (nodes ?? []).filter(({ type }) => type === 'atomic' || type === 'final');
  const inOrder = leaves.toSorted((one, other) => one.order - other.order);
  return { status: snapshot.status, states: inOrder.map(pathOf) };
}

function sameStates(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((state, index) => state === other[index]);
}
