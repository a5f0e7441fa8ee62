import { describe, expect, it } from 'vitest';
import { RoutedRequests } from '../../src/autoscaler/routed-requests.js';

const ASK = { cost: 1, replayTimeoutMs: 60_000 };
const to = (workerId: number, atMs = 0) => ({
  workerId,
  dialect: 'current' as const,
  url: 'http://127.0.0.1:1',
  atMs,
});

const NOTHING = {
  routed: 0,
  waiting: 0,
  assigned: 0,
  finished: { Success: 0, Error: 0, Cancelled: 0, Rejected: 0 },
  dropped: 0,
  expired: 0,
};

const idxs = (requests: RoutedRequests) => requests.latest(100).map(({ requestIdx }) => requestIdx);

describe('routed requests', () => {
  it('are waiting, then assigned, then finished, and counted so', () => {
    const requests = new RoutedRequests();
    const idx = requests.newIdx();
    requests.wait(idx, ASK, 5);
    expect(requests.counts).toEqual({ ...NOTHING, waiting: 1 });
    requests.wait(idx, ASK, 7);
    expect(requests.find(idx)).toEqual({
      ...ASK,
      requestIdx: 1,
      state: 'waiting',
      askedAtMs: 5,
      polledAtMs: 7,
      assignment: null,
      finish: null,
    });
    expect(requests.assign(idx, ASK, to(3, 9))).toEqual({ ...to(3, 9), reqnum: 1 });
    expect(requests.counts).toEqual({ ...NOTHING, routed: 1, assigned: 1 });
    requests.finish(idx, 3, 'Cancelled', 11);
    expect(requests.find(idx)).toEqual({
      ...ASK,
      requestIdx: 1,
      state: 'finished',
      askedAtMs: 5,
      polledAtMs: 9,
      assignment: { ...to(3, 9), reqnum: 1 },
      finish: { atMs: 11, status: 'Cancelled' },
    });
    const finished = { ...NOTHING.finished, Cancelled: 1 };
    expect(requests.counts).toEqual({ ...NOTHING, routed: 1, finished });
  });

  it('end once, and only by the word of their worker', () => {
    const requests = new RoutedRequests();
    requests.wait(1, ASK, 0);
    requests.finish(1, 3, 'Success', 1);
    requests.assign(1, ASK, to(3));
    requests.finish(1, 4, 'Error', 1);
    requests.finish(2, 3, 'Error', 1);
    expect([requests.isOpen(1, 3), requests.isOpen(1, 4), requests.isOpen(2, 3)]).toEqual([
      true,
      false,
      false,
    ]);
    requests.finish(1, 3, 'Success', 2);
    requests.finish(1, 3, 'Error', 3);
    expect(requests.counts.finished).toEqual({ ...NOTHING.finished, Success: 1 });
  });

  it('are bounded: the oldest makes room, and is counted', () => {
    const requests = new RoutedRequests(3);
    requests.wait(1, ASK, 0);
    requests.assign(2, ASK, to(3, 1));
    requests.wait(3, ASK, 2);
    // A poll is no new request: it does not make an old one young.
    requests.wait(1, ASK, 3);
    requests.wait(4, ASK, 4);
    expect(idxs(requests)).toEqual([4, 3, 2]);
    requests.wait(5, ASK, 5);
    expect(idxs(requests)).toEqual([5, 4, 3]);
    expect(requests.counts).toEqual({ ...NOTHING, routed: 1, waiting: 3, dropped: 2 });
  });

  it('hold 10 000 by default', () => {
    const requests = new RoutedRequests();
    for (let count = 0; count < 10_005; count++) requests.assign(requests.newIdx(), ASK, to(1, count));
    expect(requests.latest(20_000)).toHaveLength(10_000);
    expect(requests.counts).toEqual({ ...NOTHING, routed: 10_005, assigned: 10_000, dropped: 5 });
  });

  it('vanish while they wait when nobody asks for them', () => {
    const requests = new RoutedRequests();
    requests.wait(1, ASK, 0);
    requests.wait(2, { ...ASK, replayTimeoutMs: 500 }, 0);
    requests.assign(3, ASK, to(1));
    requests.forgetUnpolled(499);
    expect(idxs(requests)).toEqual([3, 2, 1]);
    requests.forgetUnpolled(500);
    expect(idxs(requests)).toEqual([3, 1]);
    requests.wait(1, ASK, 59_999);
    requests.forgetUnpolled(60_000);
    expect(idxs(requests)).toEqual([3, 1]);
    requests.forgetUnpolled(1e9);
    expect(idxs(requests)).toEqual([3]);
    expect(requests.counts).toEqual({ ...NOTHING, routed: 1, assigned: 1, expired: 2 });
  });

  it('vanish at once when their clients leave while they wait, and not when they have a worker', () => {
    const requests = new RoutedRequests();
    requests.wait(1, ASK, 0);
    requests.assign(2, ASK, to(1));
    for (const idx of [1, 2, 3]) requests.leave(idx);
    expect(idxs(requests)).toEqual([2]);
    expect(requests.counts).toEqual({ ...NOTHING, routed: 1, assigned: 1, expired: 1 });
  });

  it('wait again when their worker does not take them, and are still those that they were', () => {
    const requests = new RoutedRequests();
    requests.wait(1, ASK, 0);
    requests.assign(1, ASK, to(3, 4));
    requests.giveBack(1, 6);
    expect(requests.find(1)).toMatchObject({
      state: 'waiting',
      askedAtMs: 0,
      polledAtMs: 6,
      assignment: null,
    });
    requests.finish(1, 3, 'Rejected', 7);
    expect(requests.assign(1, ASK, to(5, 8)).reqnum).toBe(2);
    requests.finish(1, 5, 'Success', 9);
    requests.giveBack(1, 10);
    requests.giveBack(2, 10);
    const finished = { ...NOTHING.finished, Success: 1 };
    expect(requests.counts).toEqual({ ...NOTHING, routed: 2, finished });
  });

  it('wait again when the process of their worker has ended, are no demand until asked for, and vanish otherwise', () => {
    const requests = new RoutedRequests();
    requests.assign(1, ASK, to(3));
    requests.assign(2, ASK, to(3, 1));
    requests.finish(2, 3, 'Success', 2);
    requests.assign(3, ASK, to(4));
    requests.assign(4, ASK, to(3, 20_000));
    requests.loseWorker(3, 20_000);
    const finished = { ...NOTHING.finished, Success: 1 };
    expect(requests.counts).toEqual({ ...NOTHING, routed: 4, waiting: 2, assigned: 1, finished });
    expect(requests.queue(20_000)).toEqual({ cost: 0, waitedMs: 0 });
    requests.wait(4, ASK, 21_000);
    expect(requests.find(4)).toMatchObject({ state: 'waiting', askedAtMs: 20_000, polledAtMs: 21_000 });
    expect(requests.queue(21_000)).toEqual({ cost: 1, waitedMs: 1_000 });
    requests.forgetUnpolled(60_000);
    expect(idxs(requests)).toEqual([4, 3, 2]);
    expect(requests.counts).toEqual({ ...NOTHING, routed: 4, waiting: 1, assigned: 1, finished, expired: 1 });
  });

  it('vanish when they have been missing at their worker for a minute, or for their own time if that is longer', () => {
    const requests = new RoutedRequests();
    requests.assign(1, ASK, to(3));
    requests.assign(2, { ...ASK, replayTimeoutMs: 90_000 }, to(3));
    requests.assign(3, ASK, to(4));
    requests.wait(4, ASK, 0);
    const missing = ({ assignment }: { assignment: { workerId: number } }) => assignment.workerId === 3;
    requests.forgetMissing(10_000, missing);
    requests.forgetMissing(69_999, missing);
    expect(idxs(requests)).toEqual([4, 3, 2, 1]);
    requests.forgetMissing(70_000, missing);
    expect(idxs(requests)).toEqual([4, 3, 2]);
    // One that was there meanwhile is missed anew.
    requests.forgetMissing(99_999, () => false);
    requests.forgetMissing(100_000, missing);
    requests.forgetMissing(189_999, missing);
    expect(idxs(requests)).toEqual([4, 3, 2]);
    requests.forgetMissing(190_000, missing);
    expect(idxs(requests)).toEqual([4, 3]);
    expect(requests.counts).toEqual({ ...NOTHING, routed: 3, waiting: 1, assigned: 1, expired: 2 });
  });

  it('are work that waits for as long as their clients ask', () => {
    const requests = new RoutedRequests();
    requests.wait(1, { ...ASK, cost: 5 }, 0);
    requests.wait(2, { ...ASK, cost: 7 }, 10_000);
    requests.assign(3, ASK, to(1));
    const times = [12_000, 14_999, 15_000, 24_999, 25_000];
    expect(times.map((atMs) => requests.queue(atMs).cost)).toEqual([12, 12, 7, 7, 0]);
    // Five units for 12 s, and seven for 2 s.
    expect(times.map((atMs) => requests.queue(atMs).waitedMs)).toEqual([
      74_000 / 12,
      109_988 / 12,
      5_000,
      14_999,
      0,
    ]);
    requests.wait(1, { ...ASK, cost: 5 }, 30_000);
    expect(requests.queue(30_000)).toEqual({ cost: 5, waitedMs: 30_000 });
  });

  it('a new number is one that nobody has', () => {
    const requests = new RoutedRequests();
    requests.wait(1, ASK, 0);
    requests.wait(2, ASK, 0);
    expect([requests.newIdx(), requests.newIdx()]).toEqual([3, 4]);
  });
});
