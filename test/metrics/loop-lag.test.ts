import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LoopLag } from '../../src/metrics/loop-lag.js';

it('sees how long the event loop stood still, and nothing once it is stopped', async () => {
  const lag = new LoopLag();
  expect(lag.last).toEqual({ p99Seconds: 0, maxSeconds: 0 });
  lag.start();
  while (lag.last.maxSeconds < 0.1) {
    for (const began = performance.now(); performance.now() - began < 200; );
    // Timers come after a turn or two.
    for (let turn = 0; turn < 100; turn++) await setImmediate();
  }
  expect(lag.last.maxSeconds).toBeGreaterThanOrEqual(0.1);
  lag.stop();
  expect(lag.last).toEqual({ p99Seconds: 0, maxSeconds: 0 });
});
