// @ts-check
/** The lifecycle of a worker as a small statechart, from the machine's own layout (`lifecycle.json`). */
import { svg } from './dom.js';

/** @typedef {{ chart: import('../../graph/chart.js').Statechart, layout: import('../../graph/chart.js').Layout }} Outline */
/** @typedef {import('../view.js').WorkerView['place']} Place */

/** The others are in no report: see `place.ts`. */
const REPORTED = ['loading', 'loaded', 'serving', 'failing'];
/** Above the frame's first state stands its name, which the page has no need of. */
const TOP = 42;
const HEAD = 7;

/** @param {Outline} outline */
export function createLifecycle({ chart, layout }) {
  const frame = layout.boxes[chart.root.id] ?? { x: 0, y: 0, width: layout.width, height: layout.height };
  const bottom = frame.y + frame.height;
  const states = chart.root.states.map(({ id, key }) => {
    const box = layout.boxes[id];
    if (box === undefined) throw new Error(`The layout has no place for ${id}.`);
    const name = svg('text', {
      class: 'life-name',
      x: String(box.x + box.width / 2),
      y: String(box.y + box.height / 2),
    });
    name.textContent = key;
    const { x, y, width, height } = box;
    const place = { x: `${x}`, y: `${y}`, width: `${width}`, height: `${height}`, rx: '10' };
    const node = svg('g', { class: 'life-state' }, svg('rect', place), name);
    node.setAttribute('data-told', REPORTED.includes(key) ? 'yes' : 'never');
    return { key, node };
  });
  const node = svg(
    'svg',
    {
      class: 'life',
      viewBox: `${frame.x} ${TOP} ${frame.width} ${bottom - TOP}`,
      // What it shows is said in words beside it.
      'aria-hidden': 'true',
    },
    ...Object.values(layout.initials).flatMap(({ dot, points }) => [
      svg('circle', {
        class: 'life-dot',
        cx: `${dot.x + dot.width / 2}`,
        cy: `${dot.y + dot.width / 2}`,
        r: `${dot.width / 2}`,
      }),
      arrow(points),
    ]),
    ...Object.values(layout.edges).map(({ points }) => arrow(points)),
    ...states.map((state) => state.node),
  );
  return {
    node,
    /** @param {Place} place */
    light({ states: told, now }) {
      for (const { key, node: state } of states) {
        const isLit = told.some((each) => each === key);
        state.setAttribute('data-lit', !isLit ? 'no' : !now ? 'before' : told.length > 1 ? 'maybe' : 'yes');
      }
    },
  };
}

/** @param {readonly import('../../graph/chart.js').Point[]} points */
function arrow(points) {
  const [x, y] = points.at(-1) ?? [0, 0];
  const [beforeX, beforeY] = points.at(-2) ?? [x, y];
  const angle = (Math.atan2(y - beforeY, x - beforeX) * 180) / Math.PI;
  return svg(
    'g',
    { class: 'life-arrow' },
    svg('path', { d: `M${points.map((point) => point.join(' ')).join('L')}` }),
    svg('path', {
      class: 'life-head',
      d: `M0 0L${-HEAD} ${HEAD / 2}L${-HEAD} ${-HEAD / 2}z`,
      transform: `translate(${x} ${y}) rotate(${angle})`,
    }),
  );
}
