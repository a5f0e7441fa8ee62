import { type Html, html } from './html.js';
import { ticksUpTo } from './ticks.js';

export interface Line {
  readonly name: string;
  /** In the order of x. Where y is null the line is broken. */
  readonly points: readonly Point[];
  /** `step`: a value holds until the next. */
  readonly shape?: 'line' | 'step';
  /** One of the six colours, counted from 1. Its place among the lines, if left out. */
  readonly colour?: number;
}

export type Point = readonly [x: number, y: number | null];

export interface Plot {
  readonly title: string;
  /** Six lines have colours of their own. */
  readonly lines: readonly Line[];
  readonly x: Axis;
  readonly y: {
    readonly text: Axis['text'];
    /** What it counts comes as a whole. */
    readonly isWhole?: boolean;
  };
}

export interface Axis {
  /** A value as people read it. */
  readonly text: (value: number) => string;
  /** Where it is marked. */
  readonly ticks: readonly number[];
}

const SIZE = { width: 520, height: 190 } as const;
const EDGE = { left: 52, right: 20, top: 10, bottom: 22 } as const;
const INNER = {
  width: SIZE.width - EDGE.left - EDGE.right,
  height: SIZE.height - EDGE.top - EDGE.bottom,
} as const;

/** As many columns can be pointed at; more would be too thin. */
const MOST_COLUMNS = 300;

/** A drawing of lines over x. What a place says is told when it is pointed at. */
export function plotOf(plot: Plot): Html {
  const scale = scaleOf(plot);
  const legend = plot.lines.map(
    (line, index) => html`<span class="series c${colourOf(line, index)}"><span>${line.name}</span></span>`,
  );
  const label = `${plot.title}: ${plot.lines.map(({ name }) => name).join(', ')}`;
  return html`<figure class="plot">
<figcaption><strong>${plot.title}</strong>
${legend}</figcaption>
<svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${label}">
${gridOf(plot, scale)}
${plot.lines.map((line, index) => pathOf(line, index, scale))}
${columnsOf(plot, scale)}
</svg>
</figure>`;
}

export function plots(all: readonly Plot[]): Html {
  return html`<div class="plots">
${all.map(plotOf)}
</div>`;
}

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly yTicks: readonly number[];
}

function scaleOf({ lines, x, y }: Plot): Scale {
  const points = lines.flatMap((line) => line.points);
  // Not spread over an argument list: a plot may have many points.
  const xs = [...points.map(([at]) => at), ...x.ticks];
  const least = xs.reduce((low, at) => Math.min(low, at), xs[0] ?? 0);
  const most = xs.reduce((high, at) => Math.max(high, at), least + Number.MIN_VALUE);
  const top = points.reduce((high, [, value]) => Math.max(high, value ?? 0), 0);
  const yTicks = ticksUpTo(top === 0 ? 1 : top, y.isWhole === true ? 1 : 0);
  const highest = Math.max(top, yTicks.at(-1) ?? 0) || 1;
  return {
    x: (value) => EDGE.left + ((value - least) / (most - least || 1)) * INNER.width,
    y: (value) => EDGE.top + (1 - value / highest) * INNER.height,
    yTicks,
  };
}

function gridOf({ x, y }: Plot, scale: Scale): Html[] {
  const right = SIZE.width - EDGE.right;
  const rows = scale.yTicks.map((tick) => {
    const at = place(scale.y(tick));
    return html`<line class="grid" x1="${EDGE.left}" x2="${right}" y1="${at}" y2="${at}"/><text x="${EDGE.left - 6}" y="${at}" dy="0.32em" text-anchor="end">${tick === 0 ? 0 : y.text(tick)}</text>`;
  });
  const columns = x.ticks.map((tick) => {
    const at = place(scale.x(tick));
    return html`<text x="${at}" y="${SIZE.height - 6}" text-anchor="middle">${tick === 0 ? 0 : x.text(tick)}</text>`;
  });
  return [...rows, ...columns];
}

function pathOf(line: Line, index: number, scale: Scale): Html {
  const { points, shape = 'line' } = line;
  let path = '';
  let before: number | undefined;
  for (const [x, y] of points) {
    const [at, level] = [place(scale.x(x)), y === null ? undefined : place(scale.y(y))];
    // A step reaches to the place where the next value, or none, begins.
    if (before !== undefined && shape === 'step') path += `H${at}`;
    // A point between two gaps is a dot, as lines have round ends.
    if (level !== undefined) path += before === undefined ? `M${at} ${level}h0` : `L${at} ${level}`;
    before = level;
  }
  return html`<path class="line c${colourOf(line, index)}" d="${path}"/>`;
}

function colourOf({ colour }: Line, index: number): number {
  return colour ?? index + 1;
}

/** Strips over the plot, one for each x, that say what is there. */
function columnsOf({ lines, x, y }: Plot, scale: Scale): Html[] {
  const values = new Map<number, string[]>();
  for (const { name, points } of lines) {
    for (const [at, value] of points) {
      const told = values.get(at) ?? [];
      if (value !== null) told.push(`${name} ${y.text(value)}`);
      values.set(at, told);
    }
  }
  const xs = [...values.keys()].toSorted((a, b) => a - b);
  const every = Math.ceil(xs.length / MOST_COLUMNS);
  const shown = xs.filter((_, index) => index % every === 0);
  return shown.map((at, index) => {
    const [from, to] = [scale.x(at), scale.x(shown[index + 1] ?? at)];
    const width = Math.max(to - from, 2);
    return html`<rect class="column" x="${place(from)}" y="${EDGE.top}" width="${place(width)}" height="${INNER.height}"><title>${x.text(at)}: ${(values.get(at) ?? []).join(', ')}</title></rect>`;
  });
}

/** To a tenth of a pixel. */
function place(value: number): number {
  return Math.round(value * 10) / 10;
}
