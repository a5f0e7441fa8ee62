import { describe, expect, it } from 'vitest';
import { decodeStatus } from '../../src/autoscaler/decode.js';
import { EMPTY_FLEET, type Fleet, hear } from '../../src/autoscaler/fleet.js';
import { stateOf } from '../../src/autoscaler/worker-state.js';
import { data, failed, loaded, loading, status, update } from './bodies.js';

const INTERVAL_MS = 10_000;

/** A fleet that heard these bodies, each at its time. */
function heard(...told: [atMs: number, body: unknown][]): Fleet {
  return told.reduce<Fleet>((fleet, [atMs, body]) => hear(fleet, messageOf(body), atMs), EMPTY_FLEET);
}

function messageOf(body: unknown) {
  const decoded = decodeStatus(body);
  if (!decoded.ok) throw new Error(`${decoded.field}: ${decoded.problem}`);
  return decoded.message;
}

function worker(fleet: Fleet, id = 1) {
  const found = fleet.workers.get(id);
  if (found === undefined) throw new Error(`There is no worker ${id}.`);
  return found;
}

const stateAfter = (atMs: number, ...told: [number, unknown][]) =>
  stateOf(worker(heard(...told)), atMs, INTERVAL_MS);

describe('the state of a worker', () => {
  const clear = status(1);
  const error = status(1, { error_msg: 'broken' });
  const notLoaded = status(1, { loadtime: 0 });

  it.each<[string, string, ...unknown[]]>([
    ['serving', 'legacy: loaded', loaded()],
    ['serving', 'legacy: loaded, then updates', loaded(), update()],
    ['serving', 'legacy: a data update tells the load too', data()],
    ['loading', 'legacy: updates alone do not say that it is loaded', update()],
    ['loading', 'legacy: a loading update', loading()],
    ['loading', 'legacy: it loads again', loaded(), loading()],
    ['failing', 'legacy: an error', loaded(), failed()],
    ['failing', 'legacy: an error while loading', failed()],
    ['failing', 'legacy: an update does not clear an error', loaded(), failed(), update()],
    ['loading', 'legacy: it loads anew after an error', loaded(), failed(), loading()],
    ['serving', 'legacy: loadtime clears an error', loaded(), failed(), loaded()],
    ['serving', 'legacy: loadtime in a data update clears an error', failed(), data()],
    ['serving', 'legacy: an empty error is none', loaded(), failed(1, '')],
    ['loading', 'current: loadtime 0', notLoaded],
    ['serving', 'current: loadtime', notLoaded, clear],
    ['loading', 'current: loadtime 0 again', clear, notLoaded],
    ['failing', 'current: error', clear, error],
    ['serving', 'current: the next status says that it recovered', error, clear],
    ['failing', 'current: failed before it was loaded', status(1, { loadtime: 0, error_msg: 'no model' })],
  ])('is %s (%s)', (state, _name, ...bodies) => {
    expect(stateAfter(100, ...bodies.map((body): [number, unknown] => [100, body]))).toBe(state);
  });

  it('is silent from three intervals without a message on, whatever it said', () => {
    expect(stateAfter(100 + 3 * INTERVAL_MS - 1, [100, loaded()])).toBe('serving');
    expect(stateAfter(100 + 3 * INTERVAL_MS, [100, loaded()])).toBe('silent');
    expect(stateAfter(100 + 3 * INTERVAL_MS, [100, failed()])).toBe('silent');
    expect(stateAfter(90_000, [100, loaded()], [90_000, update()])).toBe('serving');
  });
});

describe('what a worker adds up to', () => {
  it('in legacy: the last counts, and an estimate of the work from rate and time', () => {
    const fleet = heard(
      [0, loaded()],
      [1_000, update(1, 5, 3)],
      [11_000, update(1, 2, 30)],
      [16_000, update(1, 4, 31)],
    );
    expect(worker(fleet)).toEqual({
      id: 1,
      dialect: 'legacy',
      diskGib: 0,
      firstSeenAtMs: 0,
      lastSeenAtMs: 16_000,
      loaded: true,
      loadAnswered: false,
      error: '',
      lastLoaded: { atMs: 0, message: messageOf(loaded()) },
      lastUpdate: { atMs: 16_000, message: messageOf(update(1, 4, 31)) },
      // It was 5 for ten seconds, and then 2 for five.
      loadAverage: 2 + (5 - 2) * Math.exp(-5_000 / 60_000),
      lastError: null,
      sums: {
        reports: 4,
        num_requests_recieved: 31,
        cur_load: 4,
        estimatedWork: 2 * 10 + 4 * 5,
        new_load: 0,
        rej_load: 0,
        cur_perf: 0,
      },
    });
  });

  it('in current: the last counts, and sums of what each status adds', () => {
    const first = status(1, { error_msg: 'slow disk' });
    const second = status(1, {
      new_load: 8,
      cur_load: 4,
      rej_load: 0,
      cur_perf: 1,
      num_requests_recieved: 1205,
    });
    expect(worker(heard([5, first], [1_005, second]))).toEqual({
      id: 1,
      dialect: 'current',
      diskGib: 0,
      firstSeenAtMs: 5,
      lastSeenAtMs: 1_005,
      loaded: true,
      loadAnswered: false,
      error: '',
      // The second told the same load again: when the load became known is not lost.
      lastLoaded: { atMs: 5, message: messageOf(first) },
      lastUpdate: { atMs: 1_005, message: messageOf(second) },
      loadAverage: 768,
      lastError: { atMs: 5, error_msg: 'slow disk' },
      sums: {
        reports: 2,
        num_requests_recieved: 1205,
        cur_load: 4,
        estimatedWork: 0,
        new_load: 520,
        rej_load: 16,
        cur_perf: 257,
      },
    });
  });

  it('a data update tells counts, and adds no work: its load is a sum in some backends, a rate in others', () => {
    const { sums, lastUpdate } = worker(heard([0, data()], [10_000, data(1, { cur_load: 7 })]));
    expect(sums).toEqual({
      reports: 2,
      num_requests_recieved: 9,
      cur_load: 7,
      estimatedWork: 0,
      new_load: 0,
      rej_load: 0,
      cur_perf: 0,
    });
    expect(lastUpdate?.atMs).toBe(10_000);
  });

  it.each([
    ['loaded again', loaded(), loaded()],
    ['another load time', status(1), status(1, { loadtime: 12 })],
    ['another measured performance', status(1), status(1, { max_perf: 12 })],
  ])('the last load is told anew: %s', (_name, first, second) => {
    expect(worker(heard([0, first], [1, second])).lastLoaded).toEqual({
      atMs: 1,
      message: messageOf(second),
    });
  });
});

describe('the fleet', () => {
  it('leaves the value it was given alone', () => {
    const before = heard([0, loaded(1)]);
    hear(before, messageOf(update(2)), 1);
    expect([...before.workers.keys()]).toEqual([1]);
  });

  it('is bounded: the worker that was silent longest makes room, and is counted', () => {
    let fleet = EMPTY_FLEET;
    for (const [atMs, id] of [1, 2, 3, 1, 4, 5].entries())
      fleet = hear(fleet, messageOf(loaded(id)), atMs, 3);
    expect([...fleet.workers.keys()].sort()).toEqual([1, 4, 5]);
    expect(fleet.dropped).toBe(2);
  });
});
