import type { ElkExtendedEdge, ElkNode, ElkShape } from 'elkjs/lib/elk-api.js';
import {
  type Box,
  type ChartState,
  type ChartTransition,
  chartStates,
  type Edge,
  type Layout,
  type Point,
  type Statechart,
} from './chart.js';
import { innerLine, labelLines, labelSize, SIZES, textWidth } from './chart-text.js';
import {
  elkGraphOf,
  goesBack,
  idOf,
  innerSize,
  innerTransitions,
  type LayoutOptions,
  type WordNodes,
} from './elk-graph.js';

/**
 * Lays a chart out with elkjs. The same chart gets the same layout. Where arrows cross the words of a state, it is laid
 * out again, with words that they go around.
 */
export async function layOut(chart: Statechart, options: LayoutOptions = {}): Promise<Layout> {
  const elk = await import('elkjs/lib/elk.bundled.js').catch((cause: unknown) => {
    // No worker needs it, and it is large, so whoever draws machines of their own adds it.
    throw new Error('Drawing a machine needs elkjs: npm install --save-dev elkjs', { cause });
  });
  const lay = async (wordNodes: WordNodes): Promise<Layout> => {
    const graph = elkGraphOf(chart, options, wordNodes);
    const layout = layoutIn(await new elk.default.default().layout(graph), chart);
    // A picture without labels is small, and has no words to read in the states that hold others.
    const crossed =
      options.labels === false ? [] : crossedIn(layout, chart).filter((state) => !wordNodes.has(state));
    return crossed.length === 0 ? layout : lay(new Set([...wordNodes, ...crossed]));
  };
  return lay(new Set());
}

function layoutIn(canvas: ElkNode, chart: Statechart): Layout {
  const nodes = nodesIn(canvas);
  const boxes = new Map(nodes.map((node) => [node.id, boxOf(node)]));
  const arrows = new Map(nodes.flatMap(({ edges = [] }) => edges.map((edge) => [edge.id, edge])));
  const states = chartStates(chart.root);
  const words = states.flatMap(({ id }) => {
    const box = boxes.get(idOf.words(id));
    return box === undefined ? [] : [[id, box] as const];
  });
  const wordsOf = new Map(words);
  return {
    width: Math.ceil(canvas.width ?? 0),
    height: Math.ceil(canvas.height ?? 0),
    boxes: Object.fromEntries(states.map(({ id }) => [id, of(boxes, idOf.state(id))])),
    ...(words.length > 0 && { words: Object.fromEntries(words) }),
    edges: Object.fromEntries([
      ...edgesOf(chart, arrows),
      ...states.flatMap((state) =>
        linesIn(state, wordsOf.get(state.id) ?? of(boxes, idOf.state(state.id)), chart.transitions),
      ),
    ]),
    initials: Object.fromEntries(
      states
        .filter(({ initial }) => initial !== undefined)
        .map(({ id }) => [
          id,
          { dot: of(boxes, idOf.dot(id)), points: pointsOf(of(arrows, idOf.first(id))) },
        ]),
    ),
  };
}

/** The states whose words an arrow crosses. */
function crossedIn({ boxes, edges, words }: Layout, { root, transitions }: Statechart): string[] {
  const arrows = Object.values(edges).map(({ points }) => points);
  return chartStates(root)
    .filter((state) => {
      const corner = words?.[state.id] ?? boxes[state.id];
      if (corner === undefined || state.states.length === 0) return false;
      const { width, height } = innerSize(state, transitions);
      const { inset } = SIZES;
      const text = { x: corner.x + inset, y: corner.y, width: width - 2 * inset, height };
      return arrows.some((points) => crosses(points, text));
    })
    .map(({ id }) => id);
}

function crosses(points: readonly Point[], { x, y, width, height }: Box): boolean {
  return points.some(([toX, toY], index) => {
    const [fromX, fromY] = points[index - 1] ?? [toX, toY];
    return (
      Math.max(fromX, toX) > x &&
      Math.min(fromX, toX) < x + width &&
      Math.max(fromY, toY) > y &&
      Math.min(fromY, toY) < y + height
    );
  });
}

function nodesIn(node: ElkNode): ElkNode[] {
  return [node, ...(node.children ?? []).flatMap(nodesIn)];
}

function of<T>(parts: ReadonlyMap<string, T>, id: string): T {
  const part = parts.get(id);
  if (part === undefined) throw new Error(`There is no place for ${id}.`);
  return part;
}

/** Whole pixels are sharp, and the same everywhere. */
function boxOf({ x = 0, y = 0, width = 0, height = 0 }: ElkShape): Box {
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
}

/** The transitions with an arrow: those that share one stand one above the other in its label. */
function edgesOf(chart: Statechart, arrows: ReadonlyMap<string, ElkExtendedEdge>): [string, Edge][] {
  const nextY = new Map<string, number>();
  return chart.transitions
    .filter(({ target }) => target !== null)
    .map((transition) => {
      const arrow = of(arrows, idOf.arrow(transition));
      const stack = boxOf(arrow.labels?.[0] ?? {});
      const isLabelled = stack.width > 0;
      const { width, height } = isLabelled ? labelSize(labelLines(transition)) : stack;
      const y = nextY.get(arrow.id) ?? stack.y;
      nextY.set(arrow.id, y + height + SIZES.stackGap);
      const x = stack.x + Math.round((stack.width - width) / 2);
      const points = pointsOf(arrow);
      return [
        transition.id,
        {
          points: goesBack(transition, chart.root) ? points.toReversed() : points,
          label: { x, y, width, height },
        },
      ];
    });
}

function pointsOf({ sections = [] }: ElkExtendedEdge): Point[] {
  return sections
    .flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint])
    .map(({ x, y }) => [Math.round(x), Math.round(y)]);
}

/** The transitions that stay in a state, one a line. */
function linesIn(state: ChartState, box: Box, transitions: readonly ChartTransition[]): [string, Edge][] {
  return innerTransitions(state, transitions).map((inner, line) => [
    inner.id,
    {
      points: [],
      label: {
        x: box.x + SIZES.inset,
        y: box.y + SIZES.header + line * SIZES.labelLine,
        width: Math.ceil(textWidth(innerLine(inner), SIZES.label)),
        height: SIZES.labelLine,
      },
    },
  ]);
}
