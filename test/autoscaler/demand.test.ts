import { describe, expect, it } from 'vitest';
import { Demand } from '../../src/autoscaler/demand.js';

/** Seconds of work at a rate, from a second on. */
function each(seconds: number, from: number, tell: (atMs: number) => void): void {
  for (let second = from; second < from + seconds; second++) tell(second * 1_000);
}

describe('the work that is to be expected', () => {
  it('is none before anything came', () => {
    const demand = new Demand(5_000);
    expect(demand.expectedPerSecond(5_000)).toBe(0);
    expect(demand.expectedPerSecond(500_000)).toBe(0);
  });

  it('is what clients ask for, before any worker tells of it', () => {
    const demand = new Demand(0);
    each(10, 0, (atMs) => demand.ask(7, atMs));
    expect(demand.expectedPerSecond(9_000)).toBe(7);
  });

  it('is what workers tell of, where nobody asked for a route', () => {
    const demand = new Demand(0);
    each(10, 0, (atMs) => demand.tell(7, atMs));
    expect(demand.expectedPerSecond(9_000)).toBe(7);
  });

  it('is the busier of both sides, and not their sum', () => {
    const demand = new Demand(0);
    each(10, 0, (atMs) => {
      demand.ask(7, atMs);
      demand.tell(5, atMs);
    });
    expect(demand.expectedPerSecond(9_000)).toBe(7);
    each(10, 10, (atMs) => demand.tell(50, atMs));
    expect(demand.expectedPerSecond(19_000)).toBe(50);
  });

  it('is not moved by a worker that tells of nothing', () => {
    const demand = new Demand(0);
    for (const units of [0, -5]) demand.tell(units, 30_000);
    expect(demand.expectedPerSecond(30_000)).toBe(0);
    expect(demand.quietMs(40_000)).toBe(40_000);
  });
});

describe('how long it has been quiet', () => {
  it('counts from the start where nothing has come', () => {
    const demand = new Demand(5_000);
    expect([5_000, 65_000].map((atMs) => demand.quietMs(atMs))).toEqual([0, 60_000]);
  });

  it('counts from the last work, whoever told of it', () => {
    const demand = new Demand(1_000);
    demand.ask(1, 10_000);
    expect(demand.quietMs(12_000)).toBe(2_000);
    demand.tell(1, 20_000);
    expect(demand.quietMs(25_000)).toBe(5_000);
    demand.ask(1, 30_000);
    expect(demand.quietMs(30_000)).toBe(0);
  });

  it('counts work that costs nothing: somebody asked for it', () => {
    const demand = new Demand(0);
    demand.ask(0, 50_000);
    expect(demand.quietMs(60_000)).toBe(10_000);
    expect(demand.expectedPerSecond(60_000)).toBe(0);
  });

  it('is never less than nothing', () => {
    expect(new Demand(5_000).quietMs(4_000)).toBe(0);
  });
});
