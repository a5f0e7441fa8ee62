import { type ChartState, chartStates, type Statechart } from './chart.js';
import type { DrawingOptions } from './svg.js';

/** What is known of a transition of an actor: the transitions that it took, and the states that it was in. */
export interface Taken {
  readonly took?: readonly string[] | undefined;
  readonly from?: readonly string[] | undefined;
  readonly to?: readonly string[] | undefined;
}

/** Marks in a drawing what was taken, how often, and what was not. */
export function highlight({ root, transitions }: Statechart, happenings: readonly Taken[]): DrawingOptions {
  const took = new Map<string, number>();
  for (const id of happenings.flatMap((happening) => happening.took ?? [])) {
    took.set(id, (took.get(id) ?? 0) + 1);
  }
  // A state that was left at once is in nobody's snapshot, but a transition has led to it.
  const targets = transitions.flatMap(({ id, target, alsoTo = [] }) =>
    took.has(id) && target !== null ? [target, ...alsoTo] : [],
  );
  const seen = new Set([...happenings.flatMap(({ from = [], to = [] }) => [...from, ...to]), ...targets]);
  const mark = (isTaken: boolean) => (isTaken ? 'taken' : 'passed-by');
  return {
    classes: Object.fromEntries([
      ...chartStates(root)
        .slice(1)
        .map((state) => [state.id, mark(wasIn(state, seen))]),
      ...transitions.map(({ id }) => [id, mark(took.has(id))]),
    ]),
    notes: Object.fromEntries([...took].map(([id, times]) => [id, `${times}×`])),
  };
}

function wasIn(state: ChartState, seen: ReadonlySet<string>): boolean {
  return chartStates(state).some(({ id }) => seen.has(id));
}
