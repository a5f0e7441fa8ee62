import { describe, expect, it } from 'vitest';
import type { RequestEvent } from '../../machines/events.js';
import type { Sample } from '../../src/inspect/contract.js';
import { Quantiles } from '../../src/inspect/quantiles.js';
import { Sampler } from '../../src/inspect/sampler.js';
import { joined, Samples } from '../../src/inspect/samples.js';

function sample(given: Partial<Sample> = {}): Sample {
  return {
    atMs: 0,
    load: 0,
    served: 0,
    queued: 0,
    inFlight: 0,
    latencyP50Ms: null,
    latencyP99Ms: null,
    firstByteP50Ms: null,
    reportLagMs: null,
    rssMib: 100,
    heapMib: 50,
    eventLoopLagMs: 0,
    ...given,
  };
}

function ended(given: Partial<RequestEvent & { enteredAtMs: number; firstByteAtMs: number | null }>) {
  return {
    type: 'request.succeeded',
    id: 1,
    kind: 'request',
    route: '/run',
    workload: 10,
    requestIdx: null,
    atMs: 300,
    enteredAtMs: 100,
    workStartedAtMs: 100,
    firstByteAtMs: 150,
    receivedBytes: 0,
    sentBytes: 0,
    ...given,
  } as RequestEvent;
}

describe('quantiles', () => {
  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
  ])('%d of 1 to 100 ms is %d ms within 6 %%', (part, ms) => {
    const quantiles = new Quantiles();
    for (let each = 1; each <= 100; each++) quantiles.add(each);
    expect(Math.abs((quantiles.of(part) ?? 0) / ms - 1)).toBeLessThan(0.06);
  });

  it('know nothing of nothing, nor of what was cleared', () => {
    const quantiles = new Quantiles();
    expect(quantiles.of(0.5)).toBeNull();
    quantiles.add(5);
    quantiles.clear();
    expect(quantiles.of(0.5)).toBeNull();
  });

  it('take what is too short and too long, and what a clock made negative', () => {
    const quantiles = new Quantiles();
    for (const ms of [0, -5, 1e12]) quantiles.add(ms);
    expect([quantiles.of(0.5), quantiles.of(1)]).toEqual([0.1, expect.any(Number)]);
  });
});

describe('a sample', () => {
  it('tells of what was since the one before', () => {
    const sampler = new Sampler({
      present: () => ({ load: 30, queued: 1, inFlight: 2 }),
      now: () => 5000,
      onSample: () => {},
    });
    sampler.hear(ended({}));
    sampler.hear(ended({ type: 'request.errored', firstByteAtMs: null, workload: 7 } as never));
    sampler.hear(ended({ kind: 'session', enteredAtMs: -60_000, workload: 3 }));
    sampler.hear(ended({ type: 'request.started' }));
    sampler.hear(ended({ type: 'request.rejected' }));
    sampler.reported();
    const [first, second] = [sampler.take(), sampler.take()];
    expect(first).toMatchObject({ atMs: 5000, load: 30, queued: 1, inFlight: 2, served: 13, reportLagMs: 0 });
    expect(first.latencyP50Ms).toBeCloseTo(200, -1.4);
    expect(first.firstByteP50Ms).toBeCloseTo(50, -0.7);
    expect(first.rssMib).toBeGreaterThan(10);
    expect(second).toMatchObject({ served: 0, latencyP50Ms: null, latencyP99Ms: null, firstByteP50Ms: null });
  });
});

describe('the samples of an hour', () => {
  it('are one a second for ten minutes and one in ten seconds before, and no more', () => {
    const samples = new Samples();
    for (let second = 1; second <= 10_000; second++)
      samples.add(sample({ atMs: second * 1000, load: second }));
    const { all } = samples;
    expect(all.length).toBeLessThanOrEqual(910);
    expect(all.map(({ atMs }) => atMs)).toEqual(
      all.map(({ atMs }) => atMs).toSorted((one, other) => one - other),
    );
    expect(all.at(-1)).toEqual(sample({ atMs: 10_000_000, load: 10_000 }));
    expect((all.at(-1)?.atMs ?? 0) - (all.at(0)?.atMs ?? 0)).toBeGreaterThanOrEqual(3_580_000);
  });

  it('are of an hour, though they came late', () => {
    const samples = new Samples();
    for (let n = 1; n <= 2_000; n++) samples.add(sample({ atMs: n * 5_000 }));
    const { all } = samples;
    expect(all.at(-1)?.atMs).toBe(10_000_000);
    expect(all[0]?.atMs).toBeGreaterThan(6_400_000);
    expect(all[0]?.atMs).toBeLessThanOrEqual(6_450_000);
  });

  it('are joined to the mean of what was, and to the worst of what was waited', () => {
    const one = sample({ atMs: 1000, load: 10, latencyP99Ms: 5, reportLagMs: 900, eventLoopLagMs: 7 });
    const other = sample({ atMs: 2000, load: 20, latencyP99Ms: null, reportLagMs: 100, eventLoopLagMs: 1 });
    expect(joined([one, other])).toEqual(
      sample({ atMs: 2000, load: 15, latencyP99Ms: 5, reportLagMs: 900, eventLoopLagMs: 7 }),
    );
  });
});
