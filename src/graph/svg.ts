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
import { innerLine, labelLines, SIZES } from './chart-text.js';
import { STYLE } from './svg-style.js';

export interface DrawingOptions {
  /** What the drawing is called, for those who do not see it. */
  readonly title?: string;
  /** Classes of states and transitions, by their ids: `taken`, `untaken`. */
  readonly classes?: Readonly<Record<string, string>>;
  /** Without its own style and size, for a page that has them. */
  readonly bare?: boolean;
  /** Something to stand at a transition, such as how often it was taken, by its id. */
  readonly notes?: Readonly<Record<string, string>>;
}

/**
 * A chart as a drawing that stands alone: an svg with its own style, light or dark as its reader has it.
 * Each state and each transition is a group that has its id as `data-state` and `data-transition`.
 */
export function toSvg(chart: Statechart, layout: Layout, options: DrawingOptions = {}): string {
  const { width, height } = layout;
  const size = options.bare ? '' : ` width="${width}" height="${height}"`;
  const title = options.title ?? `The ${chart.machine} machine`;
  const drawing = new Drawing(chart, layout, options);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"${size} role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="desc">${escaped(inSentences(chart))}</desc>`,
    ...(options.bare ? [] : [`<style>${STYLE}</style>`]),
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse" markerUnits="userSpaceOnUse"><path class="head" d="M0.5 0.5L7.5 4L0.5 7.5z"/></marker></defs>',
    ...drawing.parts(),
    '</svg>\n',
  ].join('\n');
}

/** What the drawing shows, in sentences. */
export function inSentences({ root, transitions }: Statechart): string {
  const states = chartStates(root).filter(({ id }) => id !== '');
  const arrows = transitions.filter(({ target }) => target !== null);
  return [
    `States: ${states.map(({ id }) => id).join(', ')}.`,
    ...arrows.map(
      ({ source, target, event, guard }) =>
        `${source || 'any state'} to ${target} ${event === '' ? 'at once' : `on ${event}`}${guard ? ` if ${guard}` : ''}.`,
    ),
  ].join(' ');
}

/** A drawing from the bottom up: boxes from the outside in, arrows, then what is to be read above them. */
class Drawing {
  readonly #chart: Statechart;
  readonly #layout: Layout;
  readonly #options: DrawingOptions;

  constructor(chart: Statechart, layout: Layout, options: DrawingOptions) {
    this.#chart = chart;
    this.#layout = layout;
    this.#options = options;
  }

  parts(): string[] {
    const { root, transitions } = this.#chart;
    const states = chartStates(root);
    const arrows = transitions.filter(({ target }) => target !== null);
    return [
      ...this.#boxes(root, 'frame'),
      ...states.map((state) => this.#initial(state)),
      // What is taken or untaken stands above what is not: several may share an arrow.
      ...arrows
        .toSorted((one, other) => this.#rank(one) - this.#rank(other))
        .map((each) => this.#arrow(each)),
      ...states.map((state) => this.#name(state)),
      ...transitions.map((transition) => this.#label(transition)),
    ].filter((part) => part !== '');
  }

  #boxes(state: ChartState, kind: string): string[] {
    const { id, type, states } = state;
    const box = boxIn(this.#layout, id);
    return [
      this.#group(`state ${kind}`, 'state', id, [
        rectangle('box', box, 10),
        type === 'final' ? rectangle('ring', shrunk(box, 4), 7) : '',
      ]),
      ...states.flatMap((child) => this.#boxes(child, kindOf(child, state))),
    ];
  }

  #name({ id, key, tags, description }: ChartState): string {
    const box = boxIn(this.#layout, id);
    const { x, y } = this.#layout.words?.[id] ?? box;
    return this.#group('state words', 'state', id, [
      description === undefined ? '' : `<title>${escaped(description)}</title>`,
      text('name', x + SIZES.inset, y + 22, key),
      ...tags.map((tag, index) => {
        const left = box.x + box.width - SIZES.inset - index * 12;
        return `<circle class="tag" cx="${left}" cy="${box.y + 17}" r="3.5"><title>${escaped(tag)}</title></circle>`;
      }),
    ]);
  }

  #initial({ id }: ChartState): string {
    const initial = this.#layout.initials[id];
    if (initial === undefined) return '';
    const { dot, points } = initial;
    const radius = dot.width / 2;
    const circle = `<circle class="dot" cx="${dot.x + radius}" cy="${dot.y + radius}" r="${radius}"/>`;
    return `<g class="initial">${circle}${line(points)}</g>`;
  }

  #arrow({ id }: ChartTransition): string {
    return this.#group('transition', 'transition', id, [line(edgeIn(this.#layout, id).points)]);
  }

  #label(transition: ChartTransition): string {
    const { id, target } = transition;
    const { label } = edgeIn(this.#layout, id);
    const { pill, labelLine } = SIZES;
    const note = this.#options.notes?.[id];
    if (target === null) {
      const inner = text('inner', label.x, label.y + 11, innerLine(transition), note);
      return this.#group('transition words', 'transition', id, [inner]);
    }
    return this.#group('transition words', 'transition', id, [
      rectangle('pill', label, 6),
      ...labelLines(transition).map((each, index) =>
        text(each.is, label.x + pill.x, label.y + pill.y + 11 + index * labelLine, each.text),
      ),
      note === undefined ? '' : text('note', label.x + label.width + 4, label.y + 3, note),
    ]);
  }

  #rank({ id }: ChartTransition): number {
    return this.#options.classes?.[id] === undefined ? 0 : 1;
  }

  #group(names: string, what: 'state' | 'transition', id: string, parts: readonly string[]): string {
    const own = this.#options.classes?.[id];
    const all = own === undefined ? names : `${names} ${own}`;
    return `<g class="${all}" data-${what}="${escaped(id)}">${parts.join('')}</g>`;
  }
}

function kindOf(state: ChartState, parent: ChartState): string {
  if (parent.type === 'parallel') return 'region';
  return state.states.length > 0 ? 'holds' : 'leaf';
}

function boxIn({ boxes }: Layout, state: string): Box {
  const box = boxes[state];
  if (box === undefined) throw new Error(`The layout has no place for the state ${state}.`);
  return box;
}

function edgeIn({ edges }: Layout, transition: string): Edge {
  const edge = edges[transition];
  if (edge === undefined) throw new Error(`The layout has no place for the transition ${transition}.`);
  return edge;
}

/** A note stands behind the words, wherever their font has them end. */
function text(name: string, x: number, y: number, words: string, note?: string): string {
  const behind = note === undefined ? '' : `<tspan class="note" dx="5">${escaped(note)}</tspan>`;
  return `<text class="${name}" x="${x}" y="${y}">${escaped(words)}${behind}</text>`;
}

function rectangle(name: string, { x, y, width, height }: Box, radius: number): string {
  return `<rect class="${name}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`;
}

function shrunk({ x, y, width, height }: Box, by: number): Box {
  return { x: x + by, y: y + by, width: width - 2 * by, height: height - 2 * by };
}

/** A line with rounded bends. */
function line(points: readonly Point[]): string {
  const steps = points.map((point, index) => {
    const before = points[index - 1];
    const after = points[index + 1];
    if (before === undefined) return `M${at(point)}`;
    if (after === undefined) return `L${at(point)}`;
    return `L${at(towards(point, before))}Q${at(point)} ${at(towards(point, after))}`;
  });
  return `<path class="arrow" d="${steps.join('')}" marker-end="url(#head)"/>`;
}

/** A little way from one point to another. */
function towards([x, y]: Point, [toX, toY]: Point): Point {
  const length = Math.hypot(toX - x, toY - y);
  const share = length === 0 ? 0 : Math.min(8, length / 2) / length;
  return [x + (toX - x) * share, y + (toY - y) * share];
}

function at([x, y]: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
