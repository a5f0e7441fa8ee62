import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** One transition of a machine, in words. */
export interface TransitionView {
  readonly source: AnyStateNode;
  /** The event as people call it: `backend.failed`, `load done`, `after drainTimeout`, or empty: at once. */
  readonly event: string;
  readonly guard: string | undefined;
  /** undefined: the state stays as it is. */
  readonly target: AnyStateNode | undefined;
  readonly actions: readonly string[];
}

/** Every state of a machine, parents first, without its root. */
export function statesOf(machine: AnyStateMachine): AnyStateNode[] {
  const below = (node: AnyStateNode): AnyStateNode[] =>
    Object.values(node.states).flatMap((child) => [child, ...below(child)]);
  return below(machine.root);
}

/** Every transition, in the order of the machine's code, those of the root first. */
export function transitionsOf(machine: AnyStateMachine): TransitionView[] {
  return [machine.root, ...statesOf(machine)].flatMap((node) => ownTransitions(node).map(view));
}

/** All transitions of a state itself, also those that forbid what its parents allow. */
export function ownTransitions(node: AnyStateNode): AnyTransitionDefinition[] {
  return [...(node.always ?? []), ...[...node.transitions.values()].flat()];
}

/** The path of a state below the root of its machine: `work.draining.finishing`. */
export function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

function view(transition: AnyTransitionDefinition): TransitionView {
  return {
    source: transition.source,
    event: eventInWords(transition.eventType),
    guard: transition.guard === undefined ? undefined : nameOf(transition.guard),
    target: transition.target?.[0],
    actions: transition.actions.map(nameOf),
  };
}

const WORDED: readonly [RegExp, string][] = [
  [/^xstate\.done\.actor\.(?:.*\.)?([^.]+)$/, '$1 done'],
  [/^xstate\.error\.actor\.(?:.*\.)?([^.]+)$/, '$1 failed'],
  [/^xstate\.done\.state\.(?:.*\.)?([^.]+)$/, '$1 done'],
  [/^xstate\.after\.([^.]+)\..*$/, 'after $1'],
];

/** `xstate.done.actor.load` is `load done`, and so on. */
export function eventInWords(eventType: string): string {
  for (const [pattern, words] of WORDED) {
    if (pattern.test(eventType)) return eventType.replace(pattern, words);
  }
  return eventType;
}

/** The name of a guard or an action; those without a name are called by what built them. */
export function nameOf(named: unknown): string {
  if (typeof named === 'string') return named;
  const type = (named as { type?: unknown }).type;
  return typeof type === 'string' ? type.replace(/^xstate\./, '') : 'inline';
}
