import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { eventInWords, nameOf, ownTransitions, pathOf, statesOf } from './transitions.js';

/** A machine as plain data, made from its definition: what a page or a drawing shows. */
export interface Statechart {
  readonly machine: string;
  readonly root: ChartState;
  /** Those of a state itself in the order of its code, parents first. */
  readonly transitions: readonly ChartTransition[];
}

export interface ChartState {
  /** The path below the root, joined with dots: `work.draining.finishing`. Empty for the root. */
  readonly id: string;
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly description?: string;
  /** The id of the state that a compound state begins with. */
  readonly initial?: string;
  readonly tags: readonly string[];
  /** The ids of the actors that run while the state lasts. */
  readonly invokes: readonly string[];
  readonly states: readonly ChartState[];
}

export interface ChartTransition {
  /** The same as long as its state, its event and its place among the alternatives for that event are. */
  readonly id: string;
  readonly source: string;
  /** null: the state stays as it is. */
  readonly target: string | null;
  /** The other targets, where several regions are entered at once. */
  readonly alsoTo?: readonly string[];
  /** The event as people call it: `load done`, `after drainTimeout`, or empty: at once. */
  readonly event: string;
  readonly eventType: string;
  readonly guard?: string;
  readonly actions: readonly string[];
}

/** The chart of a machine, called by a name of the caller's or by the machine's own. */
export function statechartOf(machine: AnyStateMachine, name: string = machine.id): Statechart {
  return {
    machine: name,
    root: stateOf(machine.root),
    transitions: [machine.root, ...statesOf(machine)].flatMap((node) =>
      ownTransitions(node).map(chartTransition),
    ),
  };
}

/**
 * A transition's id in the chart: its state, its event, and its place among the alternatives for that
 * event, `work.failing:backend.recovered#1`. It is the same for copies of a machine that `provide()` makes.
 */
export function transitionIdOf(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition;
  const alternatives: readonly AnyTransitionDefinition[] =
    (eventType === '' ? source.always : source.transitions.get(eventType)) ?? [];
  return `${pathOf(source)}:${eventType}#${alternatives.indexOf(transition)}`;
}

/** Every state of a chart, parents first, its root included. */
export function chartStates(root: ChartState): ChartState[] {
  return [root, ...root.states.flatMap(chartStates)];
}

function stateOf(node: AnyStateNode): ChartState {
  const initial = node.type === 'compound' ? node.initial.target?.[0] : undefined;
  return {
    id: pathOf(node),
    key: node.key,
    type: node.type,
    ...(node.description !== undefined && { description: node.description }),
    ...(initial && { initial: pathOf(initial) }),
    tags: node.tags,
    invokes: node.invoke.map(({ id }) => id),
    states: Object.values(node.states).map(stateOf),
  };
}

function chartTransition(transition: AnyTransitionDefinition): ChartTransition {
  const { source, eventType, guard, actions } = transition;
  const [target = null, ...others] = (transition.target ?? []).map(pathOf);
  return {
    id: transitionIdOf(transition),
    source: pathOf(source),
    target,
    ...(others.length > 0 && { alsoTo: others }),
    event: eventInWords(eventType),
    eventType,
    ...(guard !== undefined && { guard: nameOf(guard) }),
    actions: actions.map(nameOf),
  };
}
