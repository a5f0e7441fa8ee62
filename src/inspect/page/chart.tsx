import { useEffect, useRef, useState } from 'preact/hooks';
import { toSvg } from '../../graph/svg.js';
import { STYLE } from '../../graph/svg-style.js';
import type { Happening, Layout, Statechart } from '../contract.js';

// As a style sheet of its own, since the page's policy takes no style within the page.
const sheet = new CSSStyleSheet();
sheet.replaceSync(`@scope (.chart) { ${STYLE.replaceAll('svg{', ':scope>svg{')} }`);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

export interface ChartProps {
  readonly chart: Statechart;
  readonly layout: Layout;
  /** The states in which the actor is, of those that have none inside. */
  readonly states: readonly string[];
  /** The transitions that it took last. */
  readonly recent: readonly Happening[];
}

/** Narrower than this a drawing is fitted nowhere: it is scrolled. */
const LEAST_WIDTH = '38rem';

const ZOOMS = [0.5, 0.75, 1, 1.5];

/** Null: as wide as there is room, but no larger than it is. On a phone its words could not be read then. */
const firstZoom = () => (matchMedia('(max-width: 600px)').matches ? 1 : null);

/** A machine as it is drawn in the docs, with its states lit and its last transition marked. */
export function Chart({ chart, layout, states, recent }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState<number | null>(firstZoom);
  useEffect(() => {
    if (place.current !== null) place.current.replaceChildren(drawingOf(chart, layout));
  }, [chart, layout]);
  useEffect(() => {
    if (place.current !== null) light(place.current, states);
  }, [chart, layout, states.join()]);
  useEffect(() => {
    if (place.current !== null)
      mark(
        place.current,
        recent.flatMap(({ took = [] }) => took),
      );
  }, [chart, layout, recent.map(({ seq }) => seq).join()]);
  useEffect(() => {
    const svg = place.current?.querySelector('svg');
    if (svg == null) return;
    svg.style.width = zoom === null ? `min(100%, ${layout.width}px)` : `${layout.width * zoom}px`;
    svg.style.minWidth = zoom === null ? `min(${LEAST_WIDTH}, ${layout.width}px)` : '';
  }, [zoom, chart, layout]);
  const [at = ''] = states;
  useEffect(() => {
    if (place.current !== null) centre(place.current, layout, at);
  }, [zoom, chart, layout, at]);
  return (
    <div class="drawing">
      <div class="zoom" role="group" aria-label="Size of the drawing">
        <button type="button" aria-pressed={zoom === null} onClick={() => setZoom(null)}>
          Fit
        </button>
        {ZOOMS.map((each) => (
          <button key={each} type="button" aria-pressed={zoom === each} onClick={() => setZoom(each)}>
            {each * 100} %
          </button>
        ))}
      </div>
      <div
        class="chart scroll"
        ref={place}
        tabIndex={0}
        role="group"
        aria-label={`The ${chart.machine} machine`}
      />
    </div>
  );
}

function drawingOf(chart: Statechart, layout: Layout): SVGElement {
  const text = toSvg(chart, layout, { bare: true });
  const { documentElement } = new DOMParser().parseFromString(text, 'image/svg+xml');
  return document.importNode(documentElement as unknown as SVGElement, true);
}

/** Lights the states, and those that hold them. */
function light(place: Element, states: readonly string[]): void {
  const isWithin = (id: string) => states.some((state) => state === id || state.startsWith(`${id}.`));
  for (const group of place.querySelectorAll<SVGGElement>('[data-state]')) {
    const id = group.dataset.state ?? '';
    group.classList.toggle('lit', states.includes(id));
    group.classList.toggle('holds-lit', id !== '' && !states.includes(id) && isWithin(id));
  }
}

/** Has a state in the middle of what is seen of the drawing, however large it is drawn. */
function centre(place: Element, { boxes, width }: Layout, state: string): void {
  const box = boxes[state];
  const drawn = place.querySelector('svg');
  if (box === undefined || drawn === null) return;
  const scale = drawn.getBoundingClientRect().width / width;
  place.scrollTo({
    left: (box.x + box.width / 2) * scale - place.clientWidth / 2,
    top: (box.y + box.height / 2) * scale - place.clientHeight / 2,
    behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth',
  });
}

/** Marks the transitions that were taken last, so that it moves each time. */
function mark(place: Element, took: readonly string[]): void {
  for (const group of place.querySelectorAll<SVGGElement>('[data-transition]')) {
    const isTaken = took.includes(group.dataset.transition ?? '');
    group.classList.remove('just-taken');
    // Asked for its box, the browser sees that the class was gone, and begins the animation anew.
    if (isTaken) group.getBBox();
    group.classList.toggle('just-taken', isTaken);
  }
}
