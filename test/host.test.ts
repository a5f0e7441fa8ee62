import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { defineBackend } from '../src/backend/index.js';
import { BackendHost } from '../src/host.js';
import { silentLog } from '../src/index.js';

/** A host whose backend keeps the signals that its `init` was given. */
function hosted() {
  const signals: AbortSignal[] = [];
  const backend = defineBackend({
    name: 'x',
    maxPerf: 1,
    init: ({ signal }) => void signals.push(signal),
    routes: { '/run': { handle: () => 'ok' } },
  });
  const host = new BackendHost(backend, { log: silentLog, fail: () => {}, recovered: () => {} });
  return { host, signals, load: (givenUp = new AbortController().signal) => host.init(givenUp) };
}

it('what a load began goes on until the backend is loaded anew, and then until the worker stops', async () => {
  const { host, signals, load } = hosted();
  await load();
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  await load();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  expect(signals[0]?.reason).toEqual(new Error('the backend is loaded anew'));
  host.release();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  expect(signals[1]?.reason).toEqual(new Error('the worker has stopped'));
});

it('a load that is over is not given up any more, and leaves nothing on the signal', async () => {
  const { signals, load } = hosted();
  const givingUp = new AbortController();
  await load(givingUp.signal);
  expect(getEventListeners(givingUp.signal, 'abort')).toEqual([]);
  givingUp.abort();
  expect(signals[0]?.aborted).toBe(false);
});
