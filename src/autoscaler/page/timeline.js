// @ts-check
/** Figures of the last ten minutes as lines that go up and down in steps, each as it was found. */
import { element, setText, svg } from './dom.js';
import { formatNumber } from './format.js';

/** @typedef {import('../scaling-history.js').ScalingSample} ScalingSample */

/**
 * @typedef {object} Series
 * @property {'capacity' | 'wanted' | 'load'} name  of its look
 * @property {string} label
 * @property {(sample: ScalingSample) => number} read
 */

const WIDTH = 600;
const HEIGHT = 80;
const PADDING = 3;

/**
 * @param {string} label
 * @param {readonly Series[]} series
 */
export function createTimeline(label, series) {
  const area = svg('path', { class: 'timeline-area' });
  const lines = series.map(({ name }) => svg('path', { class: `timeline-line ${name}` }));
  const picture = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    area,
    ...lines,
  );
  const values = series.map(() => element('b'));
  const legend = series.map((each, index) => element('li', each.name, each.label, ' ', values[index] ?? ''));
  const top = element('span', 'timeline-top');
  const caption = element(
    'figcaption',
    '',
    element('span', '', label, ' ', top),
    element('ul', '', ...legend),
  );
  const node = element('figure', 'timeline', caption, picture);
  return {
    node,
    /** @param {readonly ScalingSample[]} samples */
    update(samples) {
      node.hidden = samples.length < 2;
      if (samples.length < 2) return;
      const read = series.map((each) => samples.map(each.read));
      const most = Math.max(...read.flat());
      const times = samples.map(({ at }) => Date.parse(at));
      read.forEach((figures, index) => {
        const path = pathOf(figures, times, Math.max(most, Number.MIN_VALUE));
        lines[index]?.setAttribute('d', path);
        if (series[index]?.name === 'capacity') area.setAttribute('d', `${path}V${HEIGHT}H0Z`);
        setText(values[index] ?? top, formatNumber(figures.at(-1) ?? 0));
      });
      setText(top, `of the last ${spanOf(times)}, up to ${formatNumber(most)}`);
    },
  };
}

/** @param {readonly number[]} times */
function spanOf(times) {
  const seconds = Math.round(((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/**
 * @param {readonly number[]} figures
 * @param {readonly number[]} times
 * @param {number} most
 */
function pathOf(figures, times, most) {
  const [first = 0, last = 1] = [times[0], times.at(-1)];
  const x = (/** @type {number} */ index) =>
    ((((times[index] ?? first) - first) / Math.max(1, last - first)) * WIDTH).toFixed(1);
  const y = (/** @type {number} */ figure) =>
    (HEIGHT - PADDING - (figure / most) * (HEIGHT - 2 * PADDING)).toFixed(1);
  return figures
    .map((figure, index) =>
      index === 0 ? `M0 ${y(figure)}` : `H${x(index)}${figure === figures[index - 1] ? '' : `V${y(figure)}`}`,
    )
    .join('');
}
