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
import { elkGraphOf, goesBack, idOf, innerTransitions, type LayoutOptions } from './elk-graph.js';

/** Lays a chart out with elkjs. The same chart gets the same layout. */
export async function layOut(chart: Statechart, options: LayoutOptions = {}): Promise<Layout> {
  const elk = await import('elkjs/lib/elk.bundled.js').catch((cause: unknown) => {
    // No worker needs it, and it is large, so whoever draws machines of their own adds it.
    throw new Error('Drawing a machine needs elkjs: npm install --save-dev elkjs', { cause });
  });
  const canvas = await new elk.default.default().layout(elkGraphOf(chart, options));
  const nodes = nodesIn(canvas);
  const boxes = new Map(nodes.map((node) => [node.id, boxOf(node)]));
  const arrows = new Map(nodes.flatMap(({ edges = [] }) => edges.map((edge) => [edge.id, edge])));
  const states = chartStates(chart.root);
  return {
    width: Math.ceil(canvas.width ?? 0),
    height: Math.ceil(canvas.height ?? 0),
    boxes: Object.fromEntries(states.map(({ id }) => [id, of(boxes, idOf.state(id))])),
    edges: Object.fromEntries([
      ...edgesOf(chart, arrows),
      ...states.flatMap((state) => linesIn(state, of(boxes, idOf.state(state.id)), chart.transitions)),
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
