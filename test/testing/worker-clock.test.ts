import { describe, expect, it } from 'vitest';
import { defineBackend } from '../../src/index.js';
import {
  expectPath,
  leakCheck,
  SteppedClock,
  startTestAutoscaler,
  startTestWorker,
} from '../../src/testing/index.js';

const HOUR_MS = 3_600_000;

/** Its only route goes on until it is cut. */
const endless = defineBackend({
  name: 'endless',
  dialect: 'current',
  maxPerf: 10,
  routes: {
    '/run': {
      handle: ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    },
  },
});

/** A worker in time that stands still, with a request that does not end. */
async function startBusy(clock: SteppedClock) {
  const worker = await startTestWorker(endless, { clock, env: { TSWORKER_DRAIN_TIMEOUT: '1h' } });
  await worker.reaches('serving');
  const begun = new Promise<void>((resolve) => {
    worker.worker.bus.on('request', ({ type }) => {
      if (type === 'request.started') resolve();
    });
  });
  const answer = worker.call('/run').then(
    ({ status }) => status,
    () => 'no answer',
  );
  await begun;
  return { worker, answer };
}

describe('a worker with a clock of the test', () => {
  it('drains for as long as the clock says', async () => {
    await using _leaks = leakCheck();
    const clock = new SteppedClock();
    const { worker, answer } = await startBusy(clock);
    const stopped = worker.stop();
    await worker.reaches('draining');
    await clock.advance(HOUR_MS - 1);
    expect([worker.view().state, worker.view().reason]).toEqual(['draining', 'the test is over']);
    await clock.advance(1);
    expect(worker.view().reason).toBe('the time for draining is over');
    expect(await stopped).toBe('cut');
    await answer;
    expectPath(worker).toEqual(['loading', 'loaded', 'serving', 'draining', 'stopped']);
  });

  it('is let go of at once, though its time stands still', async () => {
    await using _leaks = leakCheck();
    const clock = new SteppedClock();
    const { worker, answer } = await startBusy(clock);
    await worker[Symbol.asyncDispose]();
    await answer;
    expect(clock.now()).toBeGreaterThanOrEqual(HOUR_MS);
  });

  it('serves unreported when it could not tell that it has loaded, for as long as the clock says', async () => {
    await using _leaks = leakCheck();
    await using autoscaler = await startTestAutoscaler();
    autoscaler.faults.always('hang', { of: 'statuses' });
    const clock = new SteppedClock();
    await using worker = await startTestWorker(endless, { autoscaler, clock });
    await worker.reaches('loaded');
    await autoscaler.waitForMessage(({ kind }) => kind === 'status');
    expectPath(worker).toEqual(['loading', 'loaded']);
    await clock.advance(HOUR_MS);
    await worker.reaches('serving');
  });
});
