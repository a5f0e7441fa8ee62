// @ts-check
/** How the fleet is scaled: how many workers there are and are wanted, what they could do and have to, and why. */
import { byId, element, setText } from './dom.js';
import { formatNumber, formatTime } from './format.js';
import { createTimeline } from './timeline.js';

/** @typedef {import('../scaling-view.js').ScalingView} ScalingView */
/** @typedef {import('../scaling-view.js').ScaledWorkerView} ScaledWorkerView */
/** @typedef {import('../decision-log.js').DecisionRecord} DecisionRecord */
/** @typedef {import('../scaling-history.js').ScalingSample} ScalingSample */

/** The tone of a phase is that of a state that reports tell. */
const TONE_OF = {
  creating: 'loading',
  loading: 'loading',
  updating: 'loading',
  ready: 'serving',
  stopping: 'silent',
  inactive: 'silent',
  failed: 'failing',
};

/** @type {[label: string, hint: string, read: (scaling: ScalingView) => string][]} */
const FIGURES = [
  ['Ready', 'workers to which requests are sent', ({ workers }) => String(countOf(workers, ['ready']))],
  [
    'On the way',
    'workers that have not loaded yet',
    ({ workers }) => String(countOf(workers, ['creating', 'loading', 'updating'])),
  ],
  [
    'Wanted',
    'workers that the policy aims at',
    ({ wanted, settings }) => `${wanted.workers} of ${settings.max_workers}`,
  ],
  ['Load', 'units/s that are expected', ({ expectedPerSecond }) => `${formatNumber(expectedPerSecond)}/s`],
  ['Capacity', 'units/s that ready workers do together', ({ capacity }) => `${formatNumber(capacity)}/s`],
  ['Waiting', 'units that wait for a worker', ({ waiting }) => formatNumber(waiting)],
];

const LOAD = createTimeline('Units per second', [
  { name: 'capacity', label: 'capacity', read: ({ capacity }) => capacity },
  { name: 'wanted', label: 'wanted', read: ({ wantedCapacity }) => wantedCapacity },
  { name: 'load', label: 'load', read: ({ expectedPerSecond }) => expectedPerSecond },
]);
const WORKERS = createTimeline('Workers', [
  { name: 'capacity', label: 'ready', read: ({ ready }) => ready },
  { name: 'wanted', label: 'wanted', read: ({ wanted }) => wanted },
  { name: 'load', label: 'ready or on the way', read: ({ active }) => active },
]);

/** @returns {(scaling: ScalingView, decisions: readonly DecisionRecord[], samples: readonly ScalingSample[]) => void} */
export function createScaling() {
  byId('timelines').append(LOAD.node, WORKERS.node);
  const updates = FIGURES.map(([label, hint, read]) => {
    const value = element('dd');
    const box = element('div', '', element('dt', '', label), value);
    box.title = hint;
    byId('scaling-figures').append(box);
    return (/** @type {ScalingView} */ scaling) => setText(value, read(scaling));
  });
  const showDecisions = createDecisions(byId('decisions'));
  return (scaling, decisions, samples) => {
    byId('scaling').hidden = false;
    for (const update of updates) update(scaling);
    LOAD.update(samples);
    WORKERS.update(samples);
    showWorkers(scaling.workers);
    const notice = noticeOf(scaling);
    byId('scaling-notice').hidden = notice === '';
    setText(byId('scaling-notice'), notice);
    showDecisions(decisions);
  };
}

/**
 * @param {readonly ScaledWorkerView[]} workers
 * @param {readonly ScaledWorkerView['phase'][]} phases
 */
function countOf(workers, phases) {
  return workers.filter(({ phase }) => phases.includes(phase)).length;
}

/** @param {readonly ScaledWorkerView[]} workers */
function showWorkers(workers) {
  const list = byId('scaled-workers');
  const text = workers.map(({ id, status }) => `${id} ${status}`).join(', ');
  if (list.dataset.text === text) return;
  list.dataset.text = text;
  list.replaceChildren(
    ...workers.map(({ id, phase, status }) => {
      const item = element('li', '', `Worker ${id}: ${status}`);
      item.dataset.state = TONE_OF[phase];
      return item;
    }),
  );
}

/** @param {ScalingView} scaling */
function noticeOf({ starts, toUpdate, workers }) {
  /** @type {string[]} */
  const parts = [];
  if (starts.heldForMs !== null) {
    const next =
      starts.heldForMs === 0
        ? 'One alone is tried.'
        : `The next is tried in ${Math.ceil(starts.heldForMs / 1_000)} s, alone.`;
    parts.push(`The last ${starts.failed} starts of workers have failed. ${next}`);
  }
  if (toUpdate.length > 0) parts.push(`Still to be started anew, with new code: ${toUpdate.join(', ')}.`);
  if (workers.length === 0) parts.push('There is no worker now: the next request has one started.');
  return parts.join(' ');
}

/**
 * @param {HTMLElement} list
 * @returns {(decisions: readonly DecisionRecord[]) => void}
 */
function createDecisions(list) {
  /** @type {Map<string, HTMLElement>} */
  const lines = new Map();
  return (decisions) => {
    const keys = decisions.map(({ sequence, at }) => `${sequence} ${at}`);
    for (const [key, line] of lines) {
      if (keys.includes(key)) continue;
      line.remove();
      lines.delete(key);
    }
    decisions.forEach((decision, index) => {
      const key = keys[index] ?? '';
      const line = lines.get(key) ?? createDecision(decision);
      lines.set(key, line);
      if (list.children[index] !== line) list.insertBefore(line, list.children[index] ?? null);
    });
  };
}

/** @param {DecisionRecord} decision */
function createDecision({ at, do: what, worker, reason }) {
  const time = element('time', '', formatTime(at));
  time.dateTime = at;
  const head = element('div', 'line-head', element('b', '', what), ' ', `worker ${worker}`, ' ', time);
  const node = element('li', '', head, ' ', element('p', 'reason', reason));
  node.dataset.do = what;
  return node;
}
