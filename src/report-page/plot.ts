import { type Html, html } from './html.js';
import { ticksUpTo } from './ticks.js';

export interface Line {
  readonly name: string;
  /** In the order of x. Where y is null the line is broken. */
  readonly points: readonly Point[];
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
  /** How far it reaches, if not just to the last point. */
  readonly until?: number;
}

/** The lines are stretched to the room that there is; words stand beside them, so that they are never small. */
const SIZE = { width: 500, height: 160 } as const;

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
<div class="frame">
<div class="y-axis" aria-hidden="true">${yWordsOf(plot, scale)}</div>
<svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" preserveAspectRatio="none" role="img" aria-label="${label}">
${gridOf(scale)}
${plot.lines.map((line, index) => pathOf(line, index, scale))}
${columnsOf(plot, scale)}
</svg>
<div class="x-axis" aria-hidden="true">${xWordsOf(plot, scale)}</div>
</div>
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
  /** From 0 to the top, equally far apart. */
  readonly yTicks: readonly number[];
}

function scaleOf({ lines, x, y }: Plot): Scale {
  const points = lines.flatMap((line) => line.points);
  // Not spread over an argument list: a plot may have many points.
  const xs = [...points.map(([at]) => at), ...x.ticks, ...(x.until === undefined ? [] : [x.until])];
  const least = xs.reduce((low, at) => Math.min(low, at), xs[0] ?? 0);
  const most = xs.reduce((high, at) => Math.max(high, at), least + Number.MIN_VALUE);
  const top = points.reduce((high, [, value]) => Math.max(high, value ?? 0), 0);
  const yTicks = ticksUpTo(top === 0 ? 1 : top, y.isWhole === true ? 1 : 0);
  const highest = yTicks.at(-1) || 1;
  return {
    x: (value) => ((value - least) / (most - least || 1)) * SIZE.width,
    y: (value) => (1 - value / highest) * SIZE.height,
    yTicks,
  };
}

function gridOf(scale: Scale): Html[] {
  return scale.yTicks.map((tick) => {
    const at = place(scale.y(tick));
    return html`<line class="grid" x1="0" x2="${SIZE.width}" y1="${at}" y2="${at}"/>`;
  });
}

function yWordsOf({ y }: Plot, scale: Scale): Html[] {
  return scale.yTicks.map((tick) => html`<span>${tick === 0 ? 0 : y.text(tick)}</span>`);
}

function xWordsOf({ x }: Plot, scale: Scale): Html[] {
  return x.ticks.map((tick) => {
    const percent = place((scale.x(tick) / SIZE.width) * 100);
    return html`<span style="left: ${percent}%">${tick === 0 ? 0 : x.text(tick)}</span>`;
  });
}

function pathOf(line: Line, index: number, scale: Scale): Html {
  let path = '';
  let before: number | undefined;
  for (const [x, y] of line.points) {
    const [at, level] = [place(scale.x(x)), y === null ? undefined : place(scale.y(y))];
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
    const next = shown[index + 1];
    const [from, to] = [scale.x(at), next === undefined ? SIZE.width : scale.x(next)];
    const width = Math.max(to - from, 2);
    return html`<rect class="column" x="${place(from)}" y="0" width="${place(width)}" height="${SIZE.height}"><title>${x.text(at)}: ${(values.get(at) ?? []).join(', ')}</title></rect>`;
  });
}

/** To a tenth. */
function place(value: number): number {
  return Math.round(value * 10) / 10;
}
