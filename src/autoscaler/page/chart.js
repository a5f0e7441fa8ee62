// @ts-check
/** A small line of a worker's load over its last updates, as far as this page has seen them. */
import { element, setText, svg } from './dom.js';
import { formatNumber } from './format.js';

/** @typedef {import('../view.js').WorkerView} WorkerView */

const MAX_POINTS = 60;
const WIDTH = 600;
const HEIGHT = 56;
const PADDING = 3;

export function createChart() {
  const area = svg('path', { class: 'chart-area' });
  const line = svg('path', { class: 'chart-line' });
  const picture = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    area,
    line,
  );
  const caption = element('figcaption');
  const node = element('figure', 'chart', picture, caption);
  /** @type {number[]} */
  const loads = [];
  let lastAt = '';

  return {
    node,
    /** @param {WorkerView} worker */
    update({ dialect, lastUpdate }) {
      node.hidden = loads.length < 2;
      if (lastUpdate === null || lastUpdate.at === lastAt) return;
      lastAt = lastUpdate.at;
      loads.push(lastUpdate.message.cur_load);
      if (loads.length > MAX_POINTS) loads.shift();
      node.hidden = loads.length < 2;
      const path = pathOf(loads);
      line.setAttribute('d', path);
      area.setAttribute('d', `${path} L${WIDTH} ${HEIGHT} L0 ${HEIGHT} Z`);
      const most = formatNumber(Math.max(...loads)) + (dialect === 'legacy' ? '/s' : '');
      setText(caption, `Load over the last ${loads.length} updates seen here, at most ${most}`);
    },
  };
}

/** @param {readonly number[]} loads */
function pathOf(loads) {
  const top = Math.max(...loads, Number.MIN_VALUE);
  const step = WIDTH / Math.max(1, loads.length - 1);
  return loads
    .map((load, index) => {
      const y = HEIGHT - PADDING - (load / top) * (HEIGHT - 2 * PADDING);
      return `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join(' ');
}
