// @ts-check
/** The cards of the workers. Each card is made once and then kept up to date in place. */
import { createChart } from './chart.js';
import { element, setText } from './dom.js';
import { formatAgo, formatNumber, formatValue } from './format.js';

/** @typedef {import('../view.js').WorkerView} WorkerView */
/** @typedef {(worker: WorkerView) => void} Update */

/** What a card counts: a label, what it means, and how to read it from a worker. */
const COUNTERS = {
  requests: {
    label: 'Requests',
    hint: 'received in the life of the worker, as it last told',
    /** @param {WorkerView} worker */
    read: (worker) => formatNumber(worker.sums.num_requests_recieved),
  },
  load: {
    label: 'Load now',
    hint: 'cur_load as last told',
    /** @param {WorkerView} worker */
    read: (worker) => formatNumber(worker.sums.cur_load) + (worker.dialect === 'legacy' ? '/s' : ''),
  },
  estimatedWork: {
    label: 'Work told',
    hint: 'an estimate: cur_load × seconds since the update before, summed',
    /** @param {WorkerView} worker */
    read: (worker) => `≈ ${formatNumber(worker.sums.estimatedWork)}`,
  },
  served: {
    label: 'Served',
    hint: 'the sum of cur_perf',
    /** @param {WorkerView} worker */
    read: (worker) => formatNumber(worker.sums.cur_perf),
  },
  accepted: {
    label: 'New load',
    hint: 'the sum of new_load',
    /** @param {WorkerView} worker */
    read: (worker) => formatNumber(worker.sums.new_load),
  },
  rejected: {
    label: 'Rejected',
    hint: 'the sum of rej_load',
    /** @param {WorkerView} worker */
    read: (worker) => formatNumber(worker.sums.rej_load),
  },
  reports: {
    label: 'Reports',
    hint: 'messages of this worker that were counted here',
    /** @param {WorkerView} worker */
    read: (worker) => formatNumber(worker.sums.reports),
  },
};

/** @type {Record<WorkerView['dialect'], (keyof typeof COUNTERS)[]>} */
const COUNTERS_OF = {
  legacy: ['requests', 'load', 'estimatedWork', 'reports'],
  current: ['requests', 'load', 'accepted', 'served', 'rejected', 'reports'],
};

/** Who sent it and in which form is on the card already. */
const ENVELOPE = ['id', 'dialect', 'kind', 'message'];
/** Of messages that tell everything at once, what belongs to the load; the rest is the update's. */
const OF_THE_LOAD = ['version', 'loadtime', 'max_perf', 'url'];

/** @param {string} name */
const belongsToLoad = (name) => OF_THE_LOAD.includes(name);
/** @param {string} name */
const belongsToUpdate = (name) => !ENVELOPE.includes(name) && !OF_THE_LOAD.includes(name);

/**
 * @param {HTMLElement} list
 * @returns {(workers: readonly WorkerView[]) => void}
 */
export function createCards(list) {
  /** @type {Map<string, { node: HTMLElement, update: Update }>} */
  const cards = new Map();
  return (workers) => {
    // A worker that changes its dialect counts other things: it gets a new card.
    const keys = workers.map((worker) => `${worker.id} ${worker.dialect}`);
    for (const [key, card] of cards) {
      if (keys.includes(key)) continue;
      card.node.remove();
      cards.delete(key);
    }
    workers.forEach((worker, index) => {
      const key = keys[index] ?? '';
      const card = cards.get(key) ?? createCard(worker);
      cards.set(key, card);
      if (list.children[index] !== card.node) list.insertBefore(card.node, list.children[index] ?? null);
      card.update(worker);
    });
  };
}

/** @param {WorkerView} worker */
function createCard(worker) {
  const node = element('li', 'card');
  const title = element('h3', '', `Worker ${worker.id}`);
  title.id = `worker-${worker.id}`;
  node.setAttribute('aria-labelledby', title.id);
  const state = element('span', 'state');
  const seen = element('span', 'seen');
  const error = element('p', 'error');
  const counters = createCounters(worker);
  const finished = element('p', 'finished');
  const chart = createChart();
  const loaded = createMessage('Last loaded', 'It has not said yet that its model is loaded.', belongsToLoad);
  const update = createMessage('Last update', 'No update yet.', belongsToUpdate);

  node.append(
    element('div', 'card-head', title, state, element('span', 'dialect', worker.dialect), seen),
    error,
    counters.node,
    finished,
    chart.node,
    element('div', 'told', loaded.node, update.node),
  );

  /** @type {Update} */
  const show = (next) => {
    node.dataset.state = next.state;
    setText(state, next.state);
    setText(seen, formatAgo(next.lastSeenAgoMs));
    error.hidden = next.error === '';
    setText(error, next.error);
    counters.update(next);
    const ends = endsOf(next.completions);
    finished.hidden = ends === '';
    setText(finished, ends);
    chart.update(next);
    loaded.update(next.lastLoaded);
    update.update(next.lastUpdate);
  };
  return { node, update: show };
}

/**
 * How its requests ended; empty while none has.
 * @param {WorkerView['completions']} completions
 */
function endsOf({ duplicates, ...counts }) {
  const ends = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${formatNumber(count)} ${status}`);
  if (duplicates > 0) ends.push(`${formatNumber(duplicates)} told again`);
  return ends.length === 0 ? '' : `Finished: ${ends.join(', ')}`;
}

/** @param {WorkerView} worker */
function createCounters(worker) {
  const node = element('dl', 'counters');
  const updates = COUNTERS_OF[worker.dialect].map((name) => {
    const { label, hint, read } = COUNTERS[name];
    const value = element('dd');
    const box = element('div', '', element('dt', '', label), value);
    box.title = hint;
    node.append(box);
    return (/** @type {WorkerView} */ next) => setText(value, read(next));
  });
  /** @type {Update} */
  const update = (next) => {
    for (const updateOne of updates) updateOne(next);
  };
  return { node, update };
}

/**
 * One message of a worker, field by field, under its names on the wire.
 * @param {string} title
 * @param {string} nothing  what is said while there is none
 * @param {(name: string) => boolean} isShown  whether a field is shown here
 */
function createMessage(title, nothing, isShown) {
  const ago = element('span', 'ago');
  const none = element('p', 'none', nothing);
  const fields = element('dl', 'fields');
  const node = element('section', 'message', element('h4', '', title, ' ', ago), none, fields);
  let shownAt = '';
  return {
    node,
    /** @param {WorkerView['lastLoaded'] | WorkerView['lastUpdate']} told */
    update(told) {
      none.hidden = told !== null;
      fields.hidden = told === null;
      setText(ago, told === null ? '' : formatAgo(told.agoMs));
      if (told === null || told.at === shownAt) return;
      shownAt = told.at;
      fields.replaceChildren(
        ...Object.entries(told.message)
          .filter(([name]) => isShown(name))
          .map(([name, value]) =>
            element('div', '', element('dt', '', name), element('dd', '', formatValue(value))),
          ),
      );
    },
  };
}
