import { describe, expect, it } from 'vitest';
import { ROUTES, startRig } from './rig.js';
import { sumsOf } from './scribe.js';

const isStatus = ({ path }: { path: string }) => path === '/worker_status/';

describe('counters are not zeroed when the answer of a report arrives', () => {
  it('work that came in while the autoscaler thought is told, and told once', async () => {
    const rig = await startRig();
    // Each answer takes as long as twenty requests.
    rig.autoscaler.misdeed = (message) => (isStatus(message) ? 'late' : undefined);
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 20 }, () => rig.ask('/v1/completions', { max_tokens: 1 })));
      rig.autoscaler.releaseHeldBack();
    }
    rig.autoscaler.misdeed = () => undefined;
    rig.autoscaler.releaseHeldBack();
    await rig.autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === 100);
    await rig.autoscaler.nextStatus();
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 100, rej_load: 0, cur_perf: 100 });
  });
});

describe('a workload function that throws, or gives no usable number, does not poison the sums', () => {
  it.each<[string, () => number]>([
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
    ],
    ['gives NaN', () => Number.NaN],
    ['gives infinity', () => Number.POSITIVE_INFINITY],
    ['gives a negative number', () => -1],
  ])('one that %s counts as 100, and it is said once', async (_name, workload) => {
    const rig = await startRig({
      backend: { routes: { ...ROUTES, '/v1/completions': { parallel: true, workload } } },
    });
    for (let count = 0; count < 2; count++) {
      expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
    }
    await rig.autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === 2);
    await rig.autoscaler.nextStatus();
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 200, rej_load: 0, cur_perf: 200 });
    expect(rig.log.about('workload.unusable')).toHaveLength(1);
  });
});

it('the growth of the disk is in the same window as the work: what was told sums up to what there was', async () => {
  const rig = await startRig({
    env: { TSWORKER_REPORT_MAX_BACKOFF: '20ms', TSWORKER_DRAIN_TIMEOUT: '5s' },
  });
  let count = 0;
  rig.autoscaler.misdeed = (message) => (isStatus(message) && ++count % 2 === 0 ? 500 : undefined);
  await rig.autoscaler.until(() => rig.autoscaler.statuses.length >= 6);
  rig.autoscaler.misdeed = () => undefined;
  const { statuses } = rig.autoscaler;
  await rig.worker.stop('the books are closed');
  const { totals, reported } = rig.worker.view().ledger;
  const grown = rig.autoscaler.statuses.reduce((sum, status) => sum + status.additional_disk_usage, 0);
  expect(statuses.length).toBeGreaterThanOrEqual(6);
  expect(Math.abs(totals.diskGib - reported.diskGib)).toBeLessThan(0.1);
  expect(Number.isFinite(grown)).toBe(true);
});
