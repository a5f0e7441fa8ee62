import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  InspectionEvent,
} from 'xstate';

/** One state or transition of a machine, and whether it was taken. */
export interface Covered {
  /** What people call it: `work.failing on backend.recovered [the backend has loaded before] → work.loaded`. */
  readonly name: string;
  readonly taken: boolean;
}

export interface CoverageReport {
  readonly states: readonly Covered[];
  readonly transitions: readonly Covered[];
}

/**
 * Notes which states and transitions of a machine were taken by all actors that it inspects. The list
 * of what there is comes from the machine itself, so a new transition is untaken until something takes
 * it. Guarded alternatives count apart, and so do transitions that only forbid what a parent allows.
 *
 * A transition is known by its state, its event and its place among the transitions of that event, so
 * actors of `machine.provide(...)` count as actors of the machine.
 */
export class TransitionCoverage {
  readonly #machine: AnyStateMachine;
  readonly #nodes: readonly AnyStateNode[];
  readonly #states = new Set<string>();
  readonly #transitions = new Set<string>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
    this.#nodes = withDescendants(machine.root);
  }

  /** To be given to `createActor` as `inspect`. It hears the children of that actor as well. */
  readonly inspect = (inspected: InspectionEvent): void => {
    if (inspected.type !== '@xstate.microstep' && inspected.type !== '@xstate.snapshot') return;
    const { machine, _nodes: nodes } = inspected.snapshot as Partial<AnyMachineSnapshot>;
    if (machine?.id !== this.#machine.id) return;
    for (const node of nodes ?? []) this.#states.add(node.id);
    if (inspected.type === '@xstate.snapshot') return;
    for (const transition of inspected._transitions) this.#transitions.add(keyOf(transition));
  };

  report(): CoverageReport {
    return {
      states: this.#nodes.map((node) => ({ name: nameOf(node), taken: this.#states.has(node.id) })),
      transitions: this.#nodes.flatMap(transitionsOf).map((transition) => ({
        name: inWords(transition),
        taken: this.#transitions.has(keyOf(transition)),
      })),
    };
  }

  /** The names of what was not taken. */
  untaken(): string[] {
    const { states, transitions } = this.report();
    return [
      ...states.filter(({ taken }) => !taken).map(({ name }) => `state ${name}`),
      ...transitions.filter(({ taken }) => !taken).map(({ name }) => `transition ${name}`),
    ];
  }

  /** One line for people: `lifecycle: 13 of 13 states, 24 of 24 transitions`. */
  toString(): string {
    const { states, transitions } = this.report();
    const share = (all: readonly Covered[]) => `${all.filter(({ taken }) => taken).length} of ${all.length}`;
    return `${this.#machine.id}: ${share(states)} states, ${share(transitions)} transitions`;
  }
}

function withDescendants(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(withDescendants)];
}

function transitionsOf(node: AnyStateNode): AnyTransitionDefinition[] {
  return [...(node.always ?? []), ...[...node.transitions.values()].flat()];
}

function keyOf(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition;
  const alternatives: readonly AnyTransitionDefinition[] =
    (eventType === '' ? source.always : source.transitions.get(eventType)) ?? [];
  return JSON.stringify([source.id, eventType, alternatives.indexOf(transition)]);
}

function inWords({ source, eventType, guard, target, actions }: AnyTransitionDefinition): string {
  const targets = (target ?? []).map(nameOf).join(' and ');
  return [
    nameOf(source),
    eventType === '' ? 'at once' : `on ${eventType}`,
    guard === undefined ? '' : `[${guardName(guard)}]`,
    targets === '' ? (actions.length === 0 ? 'is ignored' : 'stays') : `→ ${targets}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function nameOf(node: AnyStateNode): string {
  return node.path.join('.') || node.machine.id;
}

function guardName(guard: NonNullable<AnyTransitionDefinition['guard']>): string {
  if (typeof guard === 'string') return guard;
  return 'type' in guard && typeof guard.type === 'string' ? guard.type : 'inline';
}
