// @ts-check
/** The page of the local autoscaler: it follows its workers, their messages, and how they are scaled. */
import { byId, element, setText } from './dom.js';
import { createEndpoint } from './endpoint.js';
import { createFeed } from './feed.js';
import { createFleet } from './fleet.js';
import { fetchJson, startPolling } from './poll.js';
import { createScaling } from './scaling.js';
import { createCards } from './workers.js';

/** @typedef {import('../view.js').WorkersView} WorkersView */
/** @typedef {import('../worker-state.js').WorkerState} WorkerState */

/** @type {readonly WorkerState[]} */
const STATES = ['serving', 'loading', 'failing', 'silent'];
const FEED_LENGTH = 12;
const MAX_DECISIONS = 6;
const MAX_SAMPLES = 600;

const showCards = createCards(byId('cards'));
const showFleet = createFleet(byId('tiles'));
const showEndpoint = createEndpoint();
const showFeed = createFeed(byId('feed'));
const showScaling = createScaling();

/** @type {import('./lifecycle.js').Outline | undefined} */
let outline;

/** @type {import('../scaling-history.js').ScalingSample[]} */
let samples = [];

async function load() {
  /** @type {[WorkersView, { messages: import('../messages.js').MessageRecord[] }, import('./lifecycle.js').Outline]} */
  const [view, feed, lifecycle] = await Promise.all([
    fetchJson('api/workers'),
    fetchJson(`api/messages?limit=${FEED_LENGTH}`),
    outline ?? fetchJson('lifecycle.json'),
  ]);
  outline = lifecycle;
  const isScaled = await loadScaling();
  // An autoscaler that starts workers itself has its own to say of there being none.
  byId('workers').hidden = isScaled && view.workers.length === 0;
  byId('empty').hidden = view.workers.length > 0;
  byId('fleet').hidden = view.workers.length === 0;
  showFleet(view.workers, lifecycle);
  showCards(view.workers);
  showEndpoint(view.endpoint);
  byId('main').dataset.feed = feed.messages.length > 0 ? 'shown' : 'empty';
  byId('feed-section').hidden = feed.messages.length === 0;
  showFeed(feed.messages);
  showTally(view);
  showNotice(view);
  announceChanges(view);
}

/** Whether this autoscaler starts and stops the workers. */
async function loadScaling() {
  /** @type {import('../scaling-view.js').DecisionsView} */
  const { scaling, decisions } = await fetchJson(`api/decisions?limit=${MAX_DECISIONS}`);
  if (scaling === null) return false;
  const known = samples.at(-1)?.sequence ?? 0;
  /** @type {{ samples: import('../scaling-history.js').ScalingSample[] }} */
  const { samples: later } = await fetchJson(`api/scaling?after=${known}`);
  // One that was started anew counts from the beginning.
  const isOther = later.some(({ sequence }) => sequence <= known);
  samples = [...(isOther ? [] : samples), ...later].slice(-MAX_SAMPLES);
  showScaling(scaling, decisions, samples);
  return true;
}

/** @param {WorkersView} view */
function showTally({ workers }) {
  const counts = STATES.map((state) => ({
    state,
    count: workers.filter((worker) => worker.state === state).length,
  }));
  const told = counts.filter(({ count }) => count > 0);
  const text = told.map(({ state, count }) => `${count} ${state}`).join(', ');
  const tally = byId('tally');
  if (tally.dataset.text === text) return;
  tally.dataset.text = text;
  tally.replaceChildren(
    ...told.map(({ state, count }) => {
      const item = element('li', '', `${count} ${state}`);
      item.dataset.state = state;
      return item;
    }),
  );
  document.title = text === '' ? 'Local autoscaler' : `${text} · Local autoscaler`;
}

/**
 * What was refused or forgotten is said: a page that is silent about it would be wrong.
 * @param {WorkersView} view
 */
function showNotice({ refused, dropped, endpoint }) {
  /** @type {string[]} */
  const parts = [];
  if (refused.last !== null) {
    const { field, problem } = refused.last;
    parts.push(`${refused.count} refused with 400; the last: ${field}: ${problem.replace(/\.$/, '')}.`);
  }
  if (dropped.workers > 0) parts.push(`${dropped.workers} silent workers were forgotten to make room.`);
  if (endpoint.requests.dropped > 0) {
    parts.push(`${endpoint.requests.dropped} requests were forgotten to make room.`);
  }
  byId('notice').hidden = parts.length === 0;
  setText(byId('notice'), parts.join(' '));
}

/** @type {Map<number, WorkerState>} */
let knownStates = new Map();

/** @param {WorkersView} view */
function announceChanges({ workers }) {
  const changes = workers.filter((worker) => knownStates.get(worker.id) !== worker.state);
  knownStates = new Map(workers.map((worker) => [worker.id, worker.state]));
  if (changes.length > 0) {
    setText(byId('announce'), changes.map(({ id, state }) => `Worker ${id} is ${state}.`).join(' '));
  }
}

/**
 * @param {'live' | 'away'} link
 * @param {string} text
 */
function showLink(link, text) {
  document.body.dataset.link = link;
  byId('live').dataset.link = link;
  byId('away').hidden = link === 'live';
  setText(byId('live-text'), text);
}

const polling = startPolling({
  load,
  onAnswer: () => showLink('live', 'Live'),
  onAway: ({ failures, retryInMs }) => {
    if (document.body.dataset.link !== 'away') {
      setText(byId('announce'), 'The autoscaler does not answer. This page keeps trying.');
    }
    showLink('away', 'Away');
    const tries = failures === 1 ? '' : ` (${failures} tries)`;
    const seconds = Math.ceil(retryInMs / 1000);
    setText(
      byId('away-text'),
      `The autoscaler does not answer${tries}. Below is what it said last. Trying again in ${seconds} s.`,
    );
  },
});
byId('retry').addEventListener('click', () => void polling.askNow());

setText(byId('command'), `CONTAINER_ID=1 REPORT_ADDR=${location.origin} npx tsworker start helloautoscaler`);
copies('copy', 'command');
copies('copy-route', 'route-command');

/**
 * @param {string} button
 * @param {string} text
 */
function copies(button, text) {
  byId(button).addEventListener('click', async () => {
    await navigator.clipboard.writeText(byId(text).textContent);
    setText(byId(button), 'Copied');
  });
}
