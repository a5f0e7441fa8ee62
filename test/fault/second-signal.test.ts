import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startServingPuppet } from '../support/faults-puppet.js';

/** A little longer than a key press that arrives twice. */
const ANOTHER_PRESS_MS = 600;

it.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('a second %s stops at once, whatever is in flight', async (signal, code) => {
  const { worker, begin } = await startServingPuppet();
  const [answer] = await begin(1);
  worker.kill(signal);
  await worker.reaches('draining');
  await delay(ANOTHER_PRESS_MS);
  const atMs = performance.now();
  worker.kill(signal);
  expect(await worker.exited).toEqual({ code, signal: null });
  expect(performance.now() - atMs).toBeLessThan(500);
  expect(await answer).toEqual({ lost: 'UND_ERR_SOCKET' });
});

it.each(['SIGTERM', 'SIGINT'] as const)('a repeat of %s within 500 ms is the same one', async (signal) => {
  const { worker, upstream, begin } = await startServingPuppet();
  const [answer] = await begin(1);
  worker.kill(signal);
  await worker.reaches('draining');
  worker.kill(signal);
  expect((await worker.status()).state).toBe('draining');
  upstream.release('/answer');
  expect(await answer).toMatchObject({ status: 200, body: 'after a while' });
  expect(await worker.exited).toEqual({ code: 0, signal: null });
});
