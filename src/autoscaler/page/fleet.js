// @ts-check
/** The fleet at a glance: each worker as a small lit statechart that leads to its card. */
import { element, setText } from './dom.js';
import { createLifecycle } from './lifecycle.js';

/** @typedef {import('../view.js').WorkerView} WorkerView */
/** @typedef {import('./lifecycle.js').Outline} Outline */

/**
 * @param {HTMLElement} list
 * @returns {(workers: readonly WorkerView[], outline: Outline) => void}
 */
export function createFleet(list) {
  /** @type {Map<number, ReturnType<typeof createTile>>} */
  const tiles = new Map();
  return (workers, outline) => {
    const present = new Set(workers.map(({ id }) => id));
    for (const [id, tile] of tiles) {
      if (present.has(id)) continue;
      tile.node.remove();
      tiles.delete(id);
    }
    workers.forEach((worker, index) => {
      const tile = tiles.get(worker.id) ?? createTile(worker.id, outline);
      tiles.set(worker.id, tile);
      if (list.children[index] !== tile.node) list.insertBefore(tile.node, list.children[index] ?? null);
      tile.update(worker);
    });
  };
}

/**
 * @param {number} id
 * @param {Outline} outline
 */
function createTile(id, outline) {
  const state = element('span', 'state');
  const place = element('span', 'place');
  const life = createLifecycle(outline);
  const head = element('span', 'tile-head', element('b', '', `Worker ${id}`), ' ', state);
  const link = element('a', 'tile', head, ' ', life.node, place);
  link.href = `#worker-${id}`;
  return {
    node: element('li', '', link),
    /** @param {WorkerView} worker */
    update(worker) {
      link.dataset.state = worker.state;
      setText(state, worker.state);
      setText(place, inWords(worker));
      life.light(worker.place);
    },
  };
}

/**
 * What its state alone does not say.
 * @param {WorkerView} worker
 */
function inWords({ state, place: { states, now } }) {
  const told = states.join(' or ');
  if (!now) return `Last told: ${told}.`;
  if (states.length > 1) return `In ${told}: its reports do not say which.`;
  return told === state ? '' : `In ${told}.`;
}
