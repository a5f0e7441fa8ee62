import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { ChartState, ChartTransition, Statechart } from './chart.js';
import { eventInWords, nameOf, ownTransitions, pathOf, statesOf } from './transitions.js';

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
