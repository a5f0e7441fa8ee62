import type { ElkExtendedEdge, ElkNode, LayoutOptions as ElkOptions } from 'elkjs/lib/elk-api.js';
import { type ChartState, type ChartTransition, chartStates, type Statechart } from './chart.js';
import { innerLine, labelLines, labelSize, SIZES, textWidth } from './chart-text.js';

export interface LayoutOptions {
  /** Whether there is room for what stands at the arrows. Without it their labels are empty. Default true. */
  readonly labels?: boolean;
}

/** The states whose words are nodes of their own. Arrows go around a node, and across the room that a padding leaves. */
export type WordNodes = ReadonlySet<string>;

/** What elkjs is asked: a statechart as its graph. Nodes and edges are called as `idOf` says. */
export function elkGraphOf(
  chart: Statechart,
  { labels = true }: LayoutOptions = {},
  wordNodes: WordNodes = new Set(),
): ElkNode {
  return {
    id: 'canvas',
    layoutOptions: {
      ...LAYERS,
      'elk.padding': padding(8, 8),
      'elk.json.shapeCoords': 'ROOT',
      'elk.json.edgeCoords': 'ROOT',
    },
    children: [nodeOf(chart.root, { chart, labels, wordNodes })],
  };
}

export const idOf = {
  state: (id: string) => `state ${id}`,
  dot: (state: string) => `dot ${state}`,
  words: (state: string) => `words ${state}`,
  first: (state: string) => `first ${state}`,
  /** Of one state to another. */
  arrow: ({ source, target }: ChartTransition) => `arrow ${source} ${target}`,
};

/** The transitions that stay in a state: they are written into it. */
export function innerTransitions(
  state: ChartState,
  transitions: readonly ChartTransition[],
): ChartTransition[] {
  return transitions.filter(({ source, target }) => source === state.id && target === null);
}

/** The least that a state needs for its name and for what is written into it. */
export function innerSize(
  state: ChartState,
  transitions: readonly ChartTransition[],
): { width: number; height: number } {
  const inner = innerTransitions(state, transitions).map(innerLine);
  const title = textWidth(state.key, SIZES.title) * 1.08 + state.tags.length * 12;
  return {
    width: Math.ceil(Math.max(title, ...inner.map((text) => textWidth(text, SIZES.label)))) + 2 * SIZES.inset,
    height: SIZES.header + (inner.length === 0 ? 0 : inner.length * SIZES.labelLine + 8),
  };
}

interface Whole {
  readonly chart: Statechart;
  readonly labels: boolean;
  readonly wordNodes: WordNodes;
}

function nodeOf(state: ChartState, whole: Whole): ElkNode {
  const { chart, labels, wordNodes } = whole;
  const { transitions } = chart;
  const { width, height } = innerSize(state, transitions);
  if (state.states.length === 0) return { id: idOf.state(state.id), width, height };
  const apart = areApart(state, transitions);
  const nodes = state.states.map((child) => nodeOf(child, whole));
  const words = wordNodes.has(state.id)
    ? [{ id: idOf.words(state.id), width, height, layoutOptions: FIRST }]
    : [];
  return {
    id: idOf.state(state.id),
    layoutOptions: {
      ...(apart ? REGIONS : LAYERS),
      'elk.padding': padding(words.length > 0 ? 0 : height + 6, SIZES.inset),
      'elk.nodeSize.constraints': '[MINIMUM_SIZE]',
      'elk.nodeSize.minimum': `(${width}, ${height})`,
    },
    children: [...words, ...dotOf(state), ...(apart ? nodes.map(roomAround) : nodes)],
    edges: [...firstOf(state), ...arrowsIn(state, chart, labels)],
  };
}

/** Regions stand side by side, states follow one another. */
const REGIONS: ElkOptions = {
  'elk.algorithm': 'rectpacking',
  'elk.hierarchyHandling': 'SEPARATE_CHILDREN',
  'elk.aspectRatio': '1.3',
  'elk.spacing.nodeNode': '14',
};

const LAYERS: ElkOptions = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.randomSeed': '1',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.edgeLabels.placement': 'CENTER',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.nodePlacement.favorStraightEdges': 'true',
  'elk.spacing.nodeNode': '24',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '26',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
};

/** A region is laid out by itself, in a room of its own, in which arrows may begin at its border. */
function roomAround(node: ElkNode): ElkNode {
  return {
    id: `room of ${node.id}`,
    layoutOptions: { ...LAYERS, 'elk.padding': padding(0, 0) },
    children: [node],
  };
}

const FIRST: ElkOptions = { 'elk.layered.layering.layerConstraint': 'FIRST' };

function dotOf(state: ChartState): ElkNode[] {
  if (state.initial === undefined) return [];
  return [
    {
      id: idOf.dot(state.id),
      width: SIZES.dot,
      height: SIZES.dot,
      layoutOptions: FIRST,
    },
  ];
}

function firstOf(state: ChartState): ElkExtendedEdge[] {
  if (state.initial === undefined) return [];
  return [{ id: idOf.first(state.id), sources: [idOf.dot(state.id)], targets: [idOf.state(state.initial)] }];
}

/** The transitions from one state to another share an arrow, and stand one above the other in its label. */
function arrowsIn(within: ChartState, chart: Statechart, labels: boolean): ElkExtendedEdge[] {
  const inside = chart.transitions.filter(
    ({ source, target }) => target !== null && containerOf(source, target) === within.id,
  );
  const shared = new Map<string, ChartTransition[]>();
  for (const each of inside) {
    shared.set(idOf.arrow(each), [...(shared.get(idOf.arrow(each)) ?? []), each]);
  }
  return [...shared].flatMap(([id, [first, ...others]]) => {
    if (first === undefined) return [];
    const { source, target } = first;
    const ends = [source, target ?? source].map(idOf.state);
    const [from = '', to = ''] = goesBack(first, chart.root) ? ends.toReversed() : ends;
    const label = { text: id, ...stackSize([first, ...others]), layoutOptions: INLINE };
    return [{ id, sources: [from], targets: [to], labels: labels ? [label] : [] }];
  });
}

const INLINE: ElkOptions = { 'elk.edgeLabels.inline': 'true' };

function stackSize(transitions: readonly ChartTransition[]): { width: number; height: number } {
  const sizes = transitions.map((transition) => labelSize(labelLines(transition)));
  return {
    width: Math.max(...sizes.map(({ width }) => width)),
    height: sizes.reduce((sum, { height }) => sum + height, (sizes.length - 1) * SIZES.stackGap),
  };
}

/**
 * Whether an arrow leads to a state that stands earlier in the code. It is laid out the other way round,
 * so that all states stand from top to bottom in the order of the code.
 */
export function goesBack({ source, target }: ChartTransition, root: ChartState): boolean {
  if (target === null || isBelow(target, source)) return false;
  const order = chartStates(root).map(({ id }) => id);
  return order.indexOf(target) < order.indexOf(source);
}

/** The regions of a parallel state stand apart, unless an arrow crosses its border or leads from one to another. */
function areApart(state: ChartState, transitions: readonly ChartTransition[]): boolean {
  return (
    state.type === 'parallel' &&
    transitions.every(
      ({ source, target }) =>
        target === null ||
        (containerOf(source, target) !== state.id && isBelow(source, state.id) === isBelow(target, state.id)),
    )
  );
}

/** The state in which an arrow is drawn: the innermost that holds both of its ends, or one of them that holds the other. */
function containerOf(source: string, target: string): string {
  if (isBelow(target, source)) return source;
  if (isBelow(source, target)) return target;
  const ends = [source, target].map((id) => id.split('.').slice(0, -1));
  const [from = [], to = []] = ends;
  const shared = from.findIndex((key, index) => key !== to[index]);
  return from.slice(0, shared < 0 ? from.length : shared).join('.');
}

function isBelow(id: string, ancestor: string): boolean {
  return id !== ancestor && (ancestor === '' || id.startsWith(`${ancestor}.`));
}

function padding(top: number, rest: number): string {
  return `[top=${top},left=${rest},bottom=${rest},right=${rest}]`;
}
