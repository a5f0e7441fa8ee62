// @ts-check
/** Asks again and again while somebody looks; slower and slower while nobody answers. */

const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 5_000;
const MAX_BACK_OFF_MS = 15_000;

/**
 * @typedef {object} PollListener
 * @property {() => Promise<void>} load  asks and shows; it throws when there is no answer
 * @property {() => void} onAnswer
 * @property {(away: { failures: number, retryInMs: number }) => void} onAway  told every second until the next try
 */

/** @param {PollListener} listener */
export function startPolling(listener) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let failures = 0;
  let asking = false;

  async function ask() {
    if (asking) return;
    asking = true;
    clearTimeout(timer);
    try {
      await listener.load();
      failures = 0;
      listener.onAnswer();
      next(ask, INTERVAL_MS);
    } catch {
      failures += 1;
      countDown(Math.min(INTERVAL_MS * 2 ** failures, MAX_BACK_OFF_MS));
    } finally {
      asking = false;
    }
  }

  /** @param {number} retryInMs */
  function countDown(retryInMs) {
    if (retryInMs <= 0) {
      void ask();
      return;
    }
    listener.onAway({ failures, retryInMs });
    next(() => countDown(retryInMs - 1_000), 1_000);
  }

  /**
   * @param {() => void} step
   * @param {number} delayMs
   */
  function next(step, delayMs) {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(step, delayMs);
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else void ask();
  });
  void ask();
  return { askNow: ask };
}

/**
 * @param {string} path
 * @returns {Promise<any>} the parsed JSON
 */
export async function fetchJson(path) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}
