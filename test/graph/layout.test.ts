import { describe, expect, it } from 'vitest';
import {
  type Box,
  type ChartState,
  chartStates,
  type Layout,
  type Point,
  type Statechart,
} from '../../src/graph/chart.js';
import { layOut } from '../../src/graph/layout.js';
import { layoutOf } from '../../src/graph/layouts.js';
import { machines } from '../../src/graph/machines.js';
import { statechartOf } from '../../src/graph/statechart.js';
import { sample } from '../support/machines/sample.js';

const charts: [string, Statechart, Layout][] = [
  ['sample', statechartOf(sample), await layOut(statechartOf(sample))],
  ...Object.entries(machines).map(([name, machine]): [string, Statechart, Layout] => [
    name,
    statechartOf(machine, name),
    layoutOf(name),
  ]),
];

describe.each(charts)('the layout of the %s machine', (_, chart, layout) => {
  const states = chartStates(chart.root);
  const box = (state: string) => layout.boxes[state] as Box;

  it('has a place for every state and every transition, and for nothing else', () => {
    expect(Object.keys(layout.boxes).toSorted()).toEqual(states.map(({ id }) => id).toSorted());
    expect(Object.keys(layout.edges).toSorted()).toEqual(chart.transitions.map(({ id }) => id).toSorted());
    const compound = states.filter(({ type }) => type === 'compound').map(({ id }) => id);
    expect(Object.keys(layout.initials).toSorted()).toEqual(compound.toSorted());
  });

  it('keeps states within their parents and apart from one another', () => {
    const canvas = { x: 0, y: 0, width: layout.width, height: layout.height };
    expect(holds(canvas, box(''))).toBe(true);
    for (const parent of states) {
      for (const child of parent.states) {
        expect([child.id, holds(box(parent.id), box(child.id))]).toEqual([child.id, true]);
      }
      expect(overlaps(parent.states.map(({ id }) => [id, box(id)]))).toEqual([]);
    }
  });

  it('keeps labels apart from one another and from the states that hold no others', () => {
    const labels = chart.transitions.map(({ id }): Named => [id, layout.edges[id]?.label as Box]);
    const leaves = states.filter((state) => state.states.length === 0).map(({ id }): Named => [id, box(id)]);
    expect(overlaps(labels)).toEqual([]);
    const outside = labels.filter(([id]) => (layout.edges[id]?.points.length ?? 0) > 0);
    expect(overlaps([...outside, ...leaves])).toEqual([]);
  });

  it('leads each arrow from the edge of its source to the edge of its target, along the axes', () => {
    for (const { id, source, target } of chart.transitions) {
      const points = layout.edges[id]?.points ?? [];
      if (target === null) expect([id, points]).toEqual([id, []]);
      else {
        expect([id, isOnEdge(points.at(0), box(source))]).toEqual([id, true]);
        expect([id, isOnEdge(points.at(-1), box(target))]).toEqual([id, true]);
        expect([id, bends(points)]).toEqual([id, []]);
      }
    }
  });

  it('writes what stays in a state into it', () => {
    for (const { id, source, target } of chart.transitions) {
      if (target === null)
        expect([id, holds(box(source), layout.edges[id]?.label as Box)]).toEqual([id, true]);
    }
  });
});

it('draws the arrow from the initial dot to the initial state', async () => {
  const layout = await layOut(statechartOf(sample));
  for (const state of chartStates(statechartOf(sample).root).filter(hasInitial)) {
    const points = layout.initials[state.id]?.points ?? [];
    expect(isOnEdge(points.at(0), layout.initials[state.id]?.dot as Box)).toBe(true);
    expect(isOnEdge(points.at(-1), layout.boxes[state.initial ?? ''] as Box)).toBe(true);
  }
});

type Named = readonly [name: string, box: Box];

function hasInitial({ initial }: ChartState): boolean {
  return initial !== undefined;
}

function holds(outer: Box, inner: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function overlaps(boxes: readonly Named[]): string[] {
  return boxes.flatMap(([name, one], index) =>
    boxes
      .slice(index + 1)
      .filter(
        ([, other]) =>
          one.x < other.x + other.width &&
          other.x < one.x + one.width &&
          one.y < other.y + other.height &&
          other.y < one.y + one.height,
      )
      .map(([other]) => `${name} and ${other}`),
  );
}

/** Coordinates are rounded, so a pixel is no difference. */
function isOnEdge(point: Point | undefined, { x, y, width, height }: Box): boolean {
  if (point === undefined) return false;
  const [left, right, top, bottom] = [
    point[0] - x,
    x + width - point[0],
    point[1] - y,
    y + height - point[1],
  ];
  return Math.min(left, right, top, bottom) >= -1 && Math.min(left, right, top, bottom) <= 1;
}

/** The steps that go along neither axis. */
function bends(points: readonly Point[]): string[] {
  return points.flatMap(([x, y], index) => {
    const [nextX, nextY] = points[index + 1] ?? [x, y];
    return x === nextX || y === nextY ? [] : [`${x},${y} to ${nextX},${nextY}`];
  });
}
