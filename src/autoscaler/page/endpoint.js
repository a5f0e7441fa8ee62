// @ts-check
/** The endpoint: how to ask it for a route, and what came of the requests to it. */
import { byId, element, setText } from './dom.js';
import { formatNumber } from './format.js';

/** @typedef {import('../view.js').EndpointView} EndpointView */

/** @type {[label: string, hint: string, read: (endpoint: EndpointView) => number][]} */
const ROWS = [
  ['Routed', 'requests that were given a worker', ({ requests }) => requests.routed],
  ['Waiting', 'requests that no worker was ready for yet', ({ requests }) => requests.waiting],
  ['Assigned', 'requests whose worker has not said yet that they ended', ({ requests }) => requests.assigned],
  ['Success', 'ended so', ({ requests }) => requests.finished.Success],
  ['Error', 'ended so', ({ requests }) => requests.finished.Error],
  ['Cancelled', 'their clients went away', ({ requests }) => requests.finished.Cancelled],
  ['Rejected', 'refused by their workers', ({ requests }) => requests.finished.Rejected],
];

/** @returns {(endpoint: EndpointView) => void} */
export function createEndpoint() {
  const updates = ROWS.map(([label, hint, read]) => {
    const name = element('th', '', label);
    name.scope = 'row';
    const value = element('td');
    const row = element('tr', '', name, value);
    row.title = hint;
    byId('endpoint-rows').append(row);
    return (/** @type {EndpointView} */ endpoint) => setText(value, formatNumber(read(endpoint)));
  });
  return (endpoint) => {
    byId('endpoint').hidden = false;
    setText(byId('endpoint-name'), endpoint.name);
    setText(byId('route-command'), routeCommand(endpoint.name));
    for (const update of updates) update(endpoint);
  };
}

/**
 * The key is not in it: who may look at this page need not be who may use the endpoint.
 * @param {string} name
 */
function routeCommand(name) {
  const body = JSON.stringify({ endpoint: name, cost: 100 }).replaceAll("'", "'\\''");
  return [
    `curl ${location.origin}/route/`,
    `-H 'content-type: application/json'`,
    `-H "authorization: Bearer $API_KEY"`,
    `-d '${body}'`,
  ].join(' ');
}
