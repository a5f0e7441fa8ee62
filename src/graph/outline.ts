import type { ChartState, ChartTransition, Statechart } from './chart.js';

/**
 * A part of a chart as a small picture shows it: the states right below one state, and one arrow, without words,
 * from one to another wherever some transition leads from or into them.
 */
export function outlineOf(chart: Statechart, root: string): Statechart {
  const top = find(chart.root, root);
  if (top === undefined) throw new Error(`${chart.machine} has no state ${root}.`);
  const states = top.states.map(({ id, key, description }): ChartState => {
    const words = description === undefined ? {} : { description };
    return { id, key, type: 'atomic', ...words, tags: [], invokes: [], states: [] };
  });
  const within = (id: string): string | undefined =>
    id === root ? root : states.find((state) => isIn(id, state.id))?.id;
  const arrows = new Map<string, ChartTransition>();
  for (const { source, target, alsoTo = [] } of chart.transitions) {
    const from = within(source);
    for (const each of target === null ? [] : [target, ...alsoTo]) {
      const to = within(each);
      if (from === undefined || to === undefined || from === to || to === root) continue;
      const id = `${from} ${to}`;
      arrows.set(id, { id, source: from, target: to, event: '', eventType: '', actions: [] });
    }
  }
  const outline: ChartState = { ...top, type: 'compound', tags: [], invokes: [], states };
  return { machine: chart.machine, root: outline, transitions: [...arrows.values()] };
}

function find(state: ChartState, id: string): ChartState | undefined {
  if (state.id === id) return state;
  for (const child of state.states) {
    const found = find(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isIn(id: string, state: string): boolean {
  return id === state || id.startsWith(`${state}.`);
}
