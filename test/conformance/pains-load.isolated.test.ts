import type * as files from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { memberOf, ROUTES, startRig } from './rig.js';
import { type Misdeed, sumsOf } from './scribe.js';

/** The disk of this machine is everybody's; this one grows when the test says so. */
const disk = vi.hoisted(() => ({ usedGib: 100 }));
vi.mock('node:fs/promises', async (original) => {
  const blocks = 2 ** 20;
  const statfs = async () => ({ blocks, bfree: blocks - disk.usedGib, bsize: 2 ** 30 });
  return { ...(await original<typeof files>()), statfs };
});

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

describe('the cost of a session, for which no signature vouches, does not poison the sums', () => {
  it.each([1e308, 1e13, 1_000_000_000_001])(
    'one of %d is refused with 422, and counts nowhere',
    async (cost) => {
      const rig = await startRig();
      await expect(rig.hold({}, { cost })).rejects.toThrow('422 {"auth_data.cost":');
      expect(rig.requests).toEqual([]);
    },
  );

  it('the largest that is taken leaves a unit what it is', async () => {
    const rig = await startRig();
    await rig.hold({}, { cost: 1e12 });
    await rig.ask('/v1/completions', { max_tokens: 1 });
    await rig.autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === 2);
    await rig.autoscaler.nextStatus();
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 1e12 + 1, rej_load: 0, cur_perf: 1 });
  });
});

describe('the growth of the disk is not lost when the report that tells it fails', () => {
  it.each<Misdeed>([500, 'reset', 'cut'])(
    'with %j, twice: the next one tells it, and what was told sums up to what there was',
    async (failure) => {
      disk.usedGib = 100;
      const rig = await startRig({ env: { TSWORKER_REPORT_MAX_BACKOFF: '20ms' } });
      const { autoscaler } = rig;
      await autoscaler.nextStatus();
      const failed: number[] = [];
      autoscaler.misdeed = (message) => {
        const grownGib = isStatus(message) ? grownOf(message.body) : undefined;
        const isFirst = failed.length === 0 && grownGib !== 0;
        if (grownGib === undefined || (!isFirst && failed.length !== 1)) return undefined;
        failed.push(grownGib);
        return failure;
      };
      disk.usedGib = 103;
      await autoscaler.until(() => failed.length === 2);
      await autoscaler.nextStatus();
      disk.usedGib = 105;
      await autoscaler.nextStatus();
      await autoscaler.nextStatus();
      expect(failed).toEqual([3, 3]);
      expect(autoscaler.statuses.map(grownOf).filter((gib) => gib !== 0)).toEqual([3, 2]);
    },
  );
});

/** GiB. */
function grownOf(status: unknown): number {
  return Number(memberOf(status, 'additional_disk_usage'));
}
