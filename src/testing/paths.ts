import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  type EventObject,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
  transition,
} from 'xstate';
import { getShortestPaths, getSimplePaths } from 'xstate/graph';
import { eventInWords, ownTransitions, statesOf } from '../graph/transitions.js';
import { leavesOf } from './leaves.js';

/** An event of the machine, or one of xstate's own as people call it: `{ type: 'load done', output: … }`. */
export type WordedEvent<Machine extends AnyStateMachine> =
  | EventFromLogic<Machine>
  | {
      readonly type: `${string} done` | `${string} failed` | `after ${string}`;
      readonly output?: unknown;
      readonly error?: unknown;
    };

export interface PathsOptions<Machine extends AnyStateMachine> {
  /**
   * What may happen, each with what comes with it. The timers of the machine (`after …`) may run out of
   * themselves; how its actors end (`load done`) is to be said, since only the caller knows with what.
   */
  readonly events: readonly WordedEvent<Machine>[];
  readonly input?: InputFrom<Machine>;
  /** shortest: one path to each state. simple: every path that goes through no state twice. Default: shortest. */
  readonly kind?: 'shortest' | 'simple';
  /** What of a snapshot, beside its states, makes two of them different. Default: nothing. */
  readonly distinguish?: (snapshot: SnapshotFrom<Machine>) => unknown;
  /** How many transitions are tried at most, so that what `distinguish` tells apart may not go on for ever. Default: 10 000. */
  readonly limit?: number;
}

export interface PathStep {
  /** What happens: `load done`. */
  readonly event: EventObject;
  /** The states after it, by the ids of those that have none inside. */
  readonly states: readonly string[];
}

/** A way through a machine as a test case. */
export interface MachinePath {
  /** The steps in words. */
  readonly name: string;
  /** The states in which it begins. */
  readonly start: readonly string[];
  readonly steps: readonly PathStep[];
}

/** What a path is walked on: the machine itself, or something that is said to behave as it does. */
export interface PathTarget {
  /** Makes an event of the path happen. */
  send(event: EventObject): void | Promise<void>;
  /** The states in which it is now. A target that takes time may wait until they are as expected. */
  states(expected: readonly string[]): readonly string[] | Promise<readonly string[]>;
}

/**
 * The paths through a machine as test cases, from `xstate/graph`. Two snapshots count as one state of the machine
 * when their states are the same, unless `distinguish` tells them apart.
 *
 * @example
 * for (const path of pathsOf(doorMachine, { events: [{ type: 'open' }, { type: 'shut' }] })) {
 *   it(path.name, () => walk(path, machineTarget(doorMachine)));
 * }
 */
export function pathsOf<Machine extends AnyStateMachine>(
  machine: Machine,
  options: PathsOptions<Machine>,
): MachinePath[] {
  const { events, input, kind = 'shortest', distinguish = () => null, limit = 10_000 } = options;
  const find = finderOf(kind);
  const start = beginningOf(machine, input);
  const timers = eventsOf(machine)
    .filter((type) => /^xstate\.after\./.test(type))
    .map((type) => ({ type }));
  const paths = find<AnyStateMachine>(machine, {
    fromState: start,
    limit,
    events: [...events.flatMap((event) => unworded(machine, event)), ...timers],
    serializeState: (snapshot) =>
      JSON.stringify([snapshot.value, distinguish(snapshot as SnapshotFrom<Machine>)]),
  });
  return paths.map(({ steps }) =>
    pathAlong(
      machine,
      start,
      steps.slice(1).map(({ event }) => event),
    ),
  );
}

/**
 * The machine by itself, without its effects: events are all that happens to it. One that is to work while it walks
 * is a target as well: `startMachine(machine)`.
 */
export function machineTarget<Machine extends AnyStateMachine>(
  machine: Machine,
  { input }: { readonly input?: InputFrom<Machine> } = {},
): PathTarget {
  let snapshot = beginningOf(machine, input);
  return {
    send: (event) => {
      [snapshot] = transition(machine as AnyStateMachine, snapshot, event);
      if (snapshot.status === 'error') throw snapshot.error;
    },
    states: () => leavesOf(snapshot),
  };
}

/** Walks a path on a target. @throws {AssertionError} that names the step after which the target is elsewhere */
export async function walk({ name, start, steps }: MachinePath, target: PathTarget): Promise<void> {
  await expectStates(start, target, 'at the start', name);
  for (const [index, { event, states }] of steps.entries()) {
    await target.send(event);
    await expectStates(states, target, `after step ${index + 1}, ${eventInWords(event.type)}`, name);
  }
}

async function expectStates(
  expected: readonly string[],
  target: PathTarget,
  when: string,
  name: string,
): Promise<void> {
  const actual = await target.states(expected);
  if (isDeepStrictEqual(actual, expected)) return;
  throw new AssertionError({
    message: `It is elsewhere ${when}, on the path ${name}: in ${actual.join(', ')} instead of ${expected.join(', ')}.`,
    actual,
    expected,
    operator: 'deepStrictEqual',
    stackStartFn: walk,
  });
}

function finderOf(kind: 'shortest' | 'simple') {
  if (kind === 'shortest') return getShortestPaths;
  if (kind === 'simple') return getSimplePaths;
  throw new TypeError(
    `There are no paths of the kind "${kind satisfies never}"; there are shortest and simple.`,
  );
}

/** @throws what its context throws, as without an input that it needs */
function beginningOf(machine: AnyStateMachine, input: unknown): AnyMachineSnapshot {
  const [snapshot]: [AnyMachineSnapshot, unknown] = initialTransition(machine, input);
  if (snapshot.status === 'error') throw snapshot.error;
  return snapshot;
}

function pathAlong(
  machine: AnyStateMachine,
  beginning: AnyMachineSnapshot,
  events: readonly EventObject[],
): MachinePath {
  let snapshot = beginning;
  const start = leavesOf(snapshot);
  const steps = events.map((event) => {
    [snapshot] = transition(machine, snapshot, event);
    return { event, states: leavesOf(snapshot) };
  });
  const words = steps.map(({ event, states }) => `${eventInWords(event.type)} → ${states.join(', ')}`);
  return { name: [start.join(', '), ...words].join(', '), start, steps };
}

/** xstate's own events have long names, several where the same thing can happen in several states. */
function unworded(machine: AnyStateMachine, event: EventObject): EventObject[] {
  const all = eventsOf(machine);
  const types = all.filter((type) => type === event.type || eventInWords(type) === event.type);
  if (types.length > 0) return types.map((type) => ({ ...event, type }));
  if (!IN_WORDS.test(event.type) && all.some((type) => takes(type, event.type))) return [event];
  const words = new Set(all.map(eventInWords));
  throw new Error(`The ${machine.id} machine hears no "${event.type}"; it hears ${[...words].join(', ')}.`);
}

/** How the words for an event of xstate's own begin or end. */
const IN_WORDS = /^after | (?:done|failed)$/;

/** Whether this is a wildcard of xstate, `*` or `model.*`, that an event falls under. */
function takes(wildcard: string, type: string): boolean {
  if (wildcard === '*') return true;
  return wildcard.endsWith('.*') && `${type}.`.startsWith(wildcard.slice(0, -1));
}

/** Those that it only ignores too, which `machine.events` leaves out. */
function eventsOf(machine: AnyStateMachine): string[] {
  const types = [machine.root, ...statesOf(machine)]
    .flatMap(ownTransitions)
    .map(({ eventType }) => eventType);
  return [...new Set(types)].filter((type) => type !== '');
}
