import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, InspectionEvent } from 'xstate';
import { type ChartTransition, chartStates, type Statechart } from '../../graph/chart.js';
import { layOut } from '../../graph/layout.js';
import { statechartOf, transitionIdOf } from '../../graph/statechart.js';
import { toSvg } from '../../graph/svg.js';
import { pathOf } from '../../graph/transitions.js';
import { Taken, takenFrom, takenInto } from './taken.js';

/** One state or transition of a machine, and whether it was taken. */
export interface Covered {
  readonly id: string;
  /** What people call it: `work.failing on backend.recovered [the backend has loaded before] → work.loaded`. */
  readonly name: string;
  readonly taken: boolean;
}

export interface CoverageReport {
  readonly machine: string;
  readonly states: readonly Covered[];
  readonly transitions: readonly Covered[];
}

export interface CoverageOptions {
  /** What the machine is called. Default: its id. */
  readonly name?: string;
  /** Where to keep what was taken, so that several files, threads or processes sum up. Default: in memory alone. */
  readonly folder?: string | undefined;
}

/** In percent. */
export interface CoverageThreshold {
  readonly states?: number;
  readonly transitions?: number;
}

/**
 * Notes which states and transitions of a machine are taken by the actors that it inspects.
 *
 * @example
 * const coverage = transitionCoverage(doorMachine);
 * const actor = createActor(doorMachine, { inspect: coverage.inspect }).start();
 * actor.send({ type: 'open' });
 * console.log(coverage.toText());
 * coverage.expectAtLeast({ transitions: 80 });
 */
export function transitionCoverage(
  machine: AnyStateMachine,
  { name = machine.id, folder }: CoverageOptions = {},
): TransitionCoverage {
  return new TransitionCoverage(machine, name, folder === undefined ? new Taken() : takenInto(folder, name));
}

/** What all have kept of a machine in a folder. */
export function gatherCoverage(
  machine: AnyStateMachine,
  { name = machine.id, folder }: CoverageOptions & { readonly folder: string },
): TransitionCoverage {
  return new TransitionCoverage(machine, name, takenFrom(folder, name));
}

/** What xstate calls every machine that has no id. */
const NAMELESS = '(machine)';

/**
 * The list of what there is comes from the machine itself, so a new transition is untaken until something
 * takes it. Guarded alternatives count apart, and so do transitions that only forbid what a parent allows.
 * The machine as a whole is no state: whatever runs is in it; nor is a history state: nothing ever is in it.
 */
export class TransitionCoverage {
  readonly #machine: AnyStateMachine;
  readonly #chart: Statechart;
  readonly #taken: Taken;
  /** Whether a machine is the covered one, by its config, which copies that `provide()` makes share. */
  readonly #ours = new WeakMap<object, boolean>();
  /** Actors that are being made: no event has come to them. */
  readonly #beginning = new WeakSet<object>();

  constructor(machine: AnyStateMachine, name: string, taken: Taken) {
    this.#machine = machine;
    this.#chart = statechartOf(machine, name);
    this.#taken = taken;
    this.#ours.set(machine.config, true);
    this.#refuseStrangers();
  }

  /** To be given to `createActor` as `inspect`. It hears the children of that actor as well. */
  readonly inspect = (inspected: InspectionEvent): void => {
    if (inspected.type === '@xstate.actor') this.#beginning.add(inspected.actorRef);
    if (inspected.type === '@xstate.event') this.#beginning.delete(inspected.actorRef);
    if (inspected.type !== '@xstate.microstep' && inspected.type !== '@xstate.snapshot') return;
    const { machine, _nodes: nodes = [] } = inspected.snapshot as Partial<AnyMachineSnapshot>;
    if (machine === undefined || !this.#isOurs(machine)) return;
    this.#enter(nodes);
    if (inspected.type === '@xstate.snapshot') return;
    if (this.#beginning.delete(inspected.actorRef)) this.#enterInitial(machine);
    for (const transition of inspected._transitions) this.#taken.transition(transitionIdOf(transition));
  };

  report(): CoverageReport {
    const { machine, root, transitions } = this.#chart;
    return {
      machine,
      states: root.states
        .flatMap(chartStates)
        .filter(({ type }) => type !== 'history')
        .map(({ id }) => ({ id, name: id, taken: this.#taken.states.has(id) })),
      transitions: transitions.map((transition) => ({
        id: transition.id,
        name: this.#inWords(transition),
        taken: this.#taken.transitions.has(transition.id),
      })),
    };
  }

  /** For `JSON.stringify`. */
  toJSON(): CoverageReport {
    return this.report();
  }

  /** The names of what was not taken. */
  untaken(): string[] {
    const { states, transitions } = this.report();
    return [
      ...states.filter(({ taken }) => !taken).map(({ name }) => `state ${name}`),
      ...transitions.filter(({ taken }) => !taken).map(({ name }) => `transition ${name}`),
    ];
  }

  /** One line for people: `door: 3 of 4 states, 5 of 7 transitions`. */
  toString(): string {
    const { machine, states, transitions } = this.report();
    const share = (all: readonly Covered[]) => `${all.filter(({ taken }) => taken).length} of ${all.length}`;
    return `${machine}: ${share(states)} states, ${share(transitions)} transitions`;
  }

  /** That line, and below it what was not taken. */
  toText(): string {
    return [String(this), ...this.untaken().map((name) => `  not taken: ${name}`)].join('\n');
  }

  /** The machine as a drawing, what was not taken in red. It needs `elkjs`. */
  async toSvg(): Promise<string> {
    const { states, transitions } = this.report();
    const untaken = [...states, ...transitions].filter(({ taken }) => !taken);
    return toSvg(this.#chart, await layOut(this.#chart), {
      title: `What was taken of ${this}`,
      classes: Object.fromEntries(untaken.map(({ id }) => [id, 'untaken'])),
    });
  }

  /** @throws {AssertionError} that names what was not taken, when less of it was than this: 100 % where nothing is said */
  expectAtLeast({ states = 100, transitions = 100 }: CoverageThreshold = {}): void {
    const report = this.report();
    if (percent(report.states) >= states && percent(report.transitions) >= transitions) return;
    throw new AssertionError({
      message: `${states} % of the states and ${transitions} % of the transitions are to be taken.\n${this.toText()}`,
      stackStartFn: this.expectAtLeast,
    });
  }

  #enter(nodes: readonly AnyStateNode[]): void {
    for (const node of nodes) if (node.parent !== undefined) this.#taken.state(pathOf(node));
  }

  /** Of the states that an actor begins in and leaves at once xstate tells nothing but the steps that lead away. */
  #enterInitial(machine: AnyStateMachine): void {
    const { _nodes: nodes } = machine.resolveState({ value: {}, context: {} });
    this.#enter(nodes.filter(({ type }) => type !== 'history'));
  }

  #isOurs(machine: AnyStateMachine): boolean {
    const known = this.#ours.get(machine.config);
    if (known !== undefined) return known;
    const isOurs = this.#isTwin(machine);
    this.#ours.set(machine.config, isOurs);
    return isOurs;
  }

  /** Whether another call of the function that made the machine has made this one. */
  #isTwin(machine: AnyStateMachine): boolean {
    return (
      machine.id === this.#machine.id &&
      machine.id !== NAMELESS &&
      isDeepStrictEqual(statechartOf(machine, this.#chart.machine), this.#chart)
    );
  }

  #inWords({ source, event, guard, target, alsoTo = [], actions }: ChartTransition): string {
    const called = (state: string) => state || this.#chart.machine;
    const targets = target === null ? [] : [target, ...alsoTo].map(called);
    return [
      called(source),
      event === '' ? 'at once' : `on ${event}`,
      guard === undefined ? '' : `[${guard}]`,
      targets.length > 0 ? `→ ${targets.join(' and ')}` : actions.length === 0 ? 'is ignored' : 'stays',
    ]
      .filter((part) => part !== '')
      .join(' ');
  }

  /** A folder that tells of another version of the machine would make what there is no more count. */
  #refuseStrangers(): void {
    const { states, transitions } = this.report();
    const known = new Set([...states, ...transitions].map(({ id }) => id));
    const stranger = [...this.#taken.states, ...this.#taken.transitions].find((id) => !known.has(id));
    if (stranger === undefined) return;
    throw new Error(
      `The ${this.#chart.machine} machine has no "${stranger}": the folder is of another version, empty it first.`,
    );
  }
}

function percent(all: readonly Covered[]): number {
  return all.length === 0 ? 100 : (all.filter(({ taken }) => taken).length / all.length) * 100;
}
