// @ts-check
/** The latest messages, newest first. */
import { element, setText } from './dom.js';
import { formatTime, formatValue } from './format.js';

/** @typedef {import('../messages.js').MessageRecord} MessageRecord */

/** Fields that say who sent it and in which form: the line says that already. */
const NOT_SHOWN = new Set(['id', 'worker_id', 'mtoken', 'message', 'url', 'version', 'working_request_idxs']);
const MAX_FIELDS = 4;

/**
 * @param {HTMLElement} list
 * @returns {(messages: readonly MessageRecord[]) => void}
 */
export function createFeed(list) {
  /** @type {Map<number, { node: HTMLElement, update: (message: MessageRecord) => void }>} */
  const lines = new Map();
  return (messages) => {
    const kept = new Set(messages.map((message) => message.sequence));
    for (const [sequence, line] of lines) {
      if (kept.has(sequence)) continue;
      line.node.remove();
      lines.delete(sequence);
    }
    for (const message of messages) {
      const line = lines.get(message.sequence) ?? createLine(message);
      if (!lines.has(message.sequence)) list.prepend(line.node);
      lines.set(message.sequence, line);
      line.update(message);
    }
  };
}

/** @param {MessageRecord} message */
function createLine(message) {
  const time = element('time', '', formatTime(message.receivedAt));
  time.dateTime = message.receivedAt;
  const outcome = element('span', 'outcome');
  const head = element(
    'div',
    'line-head',
    element('b', '', message.kind),
    `worker ${message.workerId}`,
    outcome,
    time,
  );
  const node = element('li', '', head, element('p', 'line-body', summaryOf(message.body)));
  node.dataset.kind = message.kind;
  return {
    node,
    /** @param {MessageRecord} next */
    update(next) {
      node.dataset.acknowledged = String(next.acknowledged);
      setText(outcome, next.acknowledged ? '' : 'not acknowledged');
    },
  };
}

/** @param {unknown} body */
function summaryOf(body) {
  if (typeof body !== 'object' || body === null) return '';
  const entries = Object.entries(body);
  const error = entries.find(([name, value]) => name === 'error_msg' && value !== '');
  if (error !== undefined) return formatValue(error[1]);
  const requests = entries.find(([name]) => name === 'requests')?.[1];
  if (Array.isArray(requests)) return endsOf(requests);
  return entries
    .filter(([name, value]) => !NOT_SHOWN.has(name) && value !== '')
    .slice(0, MAX_FIELDS)
    .map(([name, value]) => `${name} ${formatValue(value)}`)
    .join(' · ');
}

/**
 * Finished requests by how they ended.
 * @param {readonly { status: string }[]} requests
 */
function endsOf(requests) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { status } of requests) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(' · ');
}
