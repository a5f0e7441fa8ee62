import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseReader } from '../../../src/client/sse.js';
import type { Happening, History, Now, Sample } from '../../../src/inspect/contract.js';
import {
  began,
  happened,
  isNow,
  listed,
  logged,
  NOTHING_YET,
  type PageState,
  sampled,
} from '../../../src/inspect/page/page-state.js';
import { actorsAt, isStep, lookAt, pastOf, stepFrom } from '../../../src/inspect/page/travel.js';
import { counted, figure, inRow, nameOf, spanOf, timeOf, units } from '../../../src/inspect/page/words.js';

function happening(seq: number, given: Partial<Happening> = {}): Happening {
  return {
    seq,
    atMs: seq * 1_000,
    actor: 'lifecycle',
    machine: 'lifecycle',
    nth: seq,
    kind: 'transition',
    event: `e${seq}`,
    ...given,
  };
}

const NOTHING_IN_LISTS = { actors: [], sessions: [], requestsUnderWay: [], timeline: [] };

const moved = (seq: number, from: string, to: string, given: Partial<Happening> = {}) =>
  happening(seq, { from: [from], to: [to], ...given });
const stateWith = (...happenings: Happening[]): PageState => ({ ...NOTHING_YET, happenings });

describe('server-sent events', () => {
  it('are the same, wherever their stream is cut', () => {
    const text = ': beat\n\nid: 3\nevent: now\ndata: {"a":1}\n\nevent: log\ndata: ["x",\ndata: "y"]\n\n';
    const cuts = fc.array(fc.nat({ max: text.length }), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, (at) => {
        const places = [0, ...at.toSorted((one, other) => one - other), text.length];
        const reader = new SseReader();
        const events = places.slice(1).flatMap((end, index) => reader.push(text.slice(places[index], end)));
        expect(events).toEqual([
          { event: 'now', id: '3', data: '{"a":1}' },
          { event: 'log', id: '3', data: '["x",\n"y"]' },
        ]);
      }),
    );
  });
});

describe('what the page knows', () => {
  it('takes nothing twice that is told again', () => {
    const state = happened(stateWith(happening(1), happening(2)), [happening(2), happening(3)]);
    expect(state.happenings.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(happened(state, [happening(3)])).toBe(state);
  });

  it('is bounded, and counts what it does not hold, with what it was not told', () => {
    const many = Array.from({ length: 6_000 }, (_, index) => happening(index + 1));
    const whole = happened(NOTHING_YET, many);
    expect([whole.happenings.length, whole.happenings[0]?.seq, whole.leftOut]).toEqual([5_000, 1_001, 1_000]);
    const later = happened(whole, [happening(6_001), happening(6_005)]);
    expect([later.happenings.length, later.leftOut]).toEqual([5_002, 1_003]);
    const history = { happened: 7_000, happenings: many } as unknown as History;
    const again = began(later, {}, history, []);
    expect([again.happenings.length, again.leftOut]).toEqual([6_000, 1_000]);
    expect(
      logged(
        NOTHING_YET,
        Array.from({ length: 300 }, (_, n) => String(n)),
      ).modelLog.at(-200),
    ).toBe('100');
  });

  it('has the figures of an hour, though those of its beginning were made fewer', () => {
    const sample = (second: number) => ({ atMs: second * 1_000 }) as Sample;
    const began = Array.from({ length: 300 }, (_, n) => sample(10 * (n + 1)));
    const hour = Array.from({ length: 2_000 }, (_, n) => sample(3_000 + n + 1));
    const { samples } = hour.reduce(sampled, { ...NOTHING_YET, samples: began });
    expect(samples[0]?.atMs).toBe(1_410_000);
    expect(samples.at(-1)?.atMs).toBe(5_000_000);
    expect(samples).toHaveLength(160 + 2_000);
    const state = { ...NOTHING_YET, samples };
    expect(sampled(state, sample(5_000))).toBe(state);
  });

  it("has the log of the worker that answers: what was said meanwhile, and nothing of another's", () => {
    const now = { ...NOTHING_IN_LISTS, modelLog: ['new'] } as unknown as Now;
    const lost: PageState = { ...NOTHING_YET, connection: 'lost', modelLog: ['old'] };
    expect(isNow(lost, now).modelLog).toEqual(['new']);
    expect(isNow(lost, { ...NOTHING_IN_LISTS } as unknown as Now).modelLog).toEqual(['old']);
  });

  it('does without what was too long to be told', () => {
    const stay = { nth: 0, state: 'loading', fromMs: 1, toMs: null, reason: 'it has started' };
    const cut = { ...stay, reason: { $cut: true } };
    const told = {
      ...{ actors: [], sessions: [], requestsUnderWay: [{ $cut: 7 }] },
      timeline: [stay, cut, { $cut: 3 }],
      modelLog: { $cut: true },
    } as unknown as Now;
    const { now, modelLog } = isNow(NOTHING_YET, told);
    expect(now).toEqual({ actors: [], sessions: [], requestsUnderWay: [], timeline: [stay], modelLog: [] });
    expect(modelLog).toEqual([]);
  });

  it('goes on in time while nothing changes', () => {
    const now = { atMs: 1_000, worker: { inStateMs: 5 } } as unknown as Now;
    const sample = { atMs: 3_000 } as Parameters<typeof sampled>[1];
    expect(sampled({ ...NOTHING_YET, now }, sample).now).toMatchObject({
      atMs: 3_000,
      worker: { inStateMs: 2_005 },
    });
  });

  it('is listed newest first, by the filter, up to where it is paused', () => {
    const state = stateWith(
      happening(1, { event: 'load done' }),
      happening(2, { kind: 'request', event: 'request.started', actor: 'worker' }),
      happening(3, { event: 'report.settled', actor: 'lifecycle/reporter' }),
      happening(4),
    );
    const seqs = (given: Partial<PageState>, most = 10) =>
      listed({ ...state, ...given }, most)[0].map(({ seq }) => seq);
    expect(seqs({})).toEqual([4, 3, 2, 1]);
    expect(seqs({}, 2)).toEqual([4, 3]);
    expect([listed(state, 3)[1], listed(state, 4)[1], listed(state, 5)[1]]).toEqual([1, 0, 0]);
    expect(seqs({ showsRequests: false })).toEqual([4, 3, 1]);
    expect(seqs({ filter: ' Reporter ' })).toEqual([3]);
    expect(seqs({ filter: 'load' })).toEqual([1]);
    expect(seqs({ filter: 'load  done' })).toEqual([1]);
    expect(seqs({ filter: '-Reporter -load' })).toEqual([4, 2]);
    expect(seqs({ filter: 'lifecycle -reporter done' })).toEqual([]);
    expect(seqs({ filter: 're -reporter' })).toEqual([2]);
    expect(seqs({ filter: '-' })).toEqual([4, 3, 2, 1]);
    expect(seqs({ paused: state.happenings.slice(0, 2) })).toEqual([2, 1]);
  });
});

describe('a journey through time', () => {
  const state = stateWith(
    moved(10, 'work.loading', 'work.loaded'),
    happening(11, { actor: 'lifecycle/load', machine: 'readiness', kind: 'actor.stopped' }),
    happening(12, { actor: 'lifecycle/health', machine: 'health', kind: 'actor.started', to: ['well'] }),
    happening(13, { kind: 'request', actor: 'worker' }),
    moved(14, 'work.loaded', 'work.serving'),
  );
  const at = (seq: number | null) =>
    Object.fromEntries([...actorsAt(state, seq)].map(([actor, { states }]) => [actor, states.join()]));

  it('shows each actor where it was', () => {
    expect(at(9)).toEqual({ lifecycle: 'work.loading' });
    expect(at(10)).toEqual({ lifecycle: 'work.loaded' });
    expect(at(13)).toEqual({ lifecycle: 'work.loaded', 'lifecycle/health': 'well' });
    expect(at(14)).toEqual({ lifecycle: 'work.serving', 'lifecycle/health': 'well' });
  });

  it('shows one that was there before anything that is known of it, though it stopped and was started again', () => {
    const health = { actor: 'lifecycle/health', machine: 'health' };
    const again = stateWith(
      moved(1, 'work.loaded', 'work.serving'),
      moved(2, 'well', 'ill', health),
      happening(3, { ...health, kind: 'actor.stopped', from: ['ill'] }),
      happening(4, { ...health, kind: 'actor.started', to: ['well'] }),
      happening(5, { actor: 'lifecycle/load', machine: 'readiness', kind: 'actor.started', to: ['probing'] }),
      moved(6, 'probing', 'ready', { actor: 'lifecycle/load', machine: 'readiness' }),
    );
    const states = (seq: number) =>
      [...actorsAt(again, seq)].map(
        ([
          actor,
          {
            states: [state],
          },
        ]) => `${actor} ${state}`,
      );
    expect(states(1)).toEqual(['lifecycle work.serving', 'lifecycle/health well']);
    expect(states(3)).toEqual(['lifecycle work.serving']);
  });

  it('says of an actor whose next event is not kept that it may be elsewhere', () => {
    const health = { actor: 'lifecycle/health', machine: 'health' };
    const gapped = stateWith(
      moved(1, 'a', 'b', { nth: 0 }),
      moved(2, 'well', 'ill', { ...health, nth: 4 }),
      moved(3, 'b', 'c', { nth: 1 }),
      moved(9, 'ill', 'well', { ...health, nth: 7 }),
      moved(10, 'd', 'e', { nth: 5 }),
    );
    const unsure = (seq: number | null) =>
      [...actorsAt(gapped, seq).values()]
        .filter(({ mayHaveMoved }) => mayHaveMoved)
        .map(({ actor }) => actor);
    expect([1, 2, 3, 9, 10].map(unsure)).toEqual([
      ['lifecycle/health'],
      [],
      ['lifecycle/health'],
      ['lifecycle'],
      [],
    ]);
  });

  it('looks at each happening of a long past a few times, not once for each of the others', () => {
    let looks = 0;
    const many = Array.from({ length: 2_000 }, (_, seq) => ({
      ...moved(seq, 'a', 'b', { actor: `lifecycle/${seq}` }),
      get seq() {
        looks += 1;
        return seq;
      },
    }));
    expect(actorsAt({ ...NOTHING_YET, happenings: many }, 0).size).toBe(2_000);
    expect(looks).toBeLessThanOrEqual(4 * many.length);
  });

  it('ends with those that live now', () => {
    const actors = [
      { actor: 'lifecycle', machine: 'lifecycle', states: ['work.serving'], sinceMs: 0 },
      { actor: 'lifecycle/reporter', machine: 'reporter', states: ['quiet'], sinceMs: 0 },
    ];
    const now = { actors } as unknown as Now;
    const living = actorsAt({ ...state, now }, null);
    expect([...living.values()].map(({ actor, states, last }) => [actor, states, last?.seq])).toEqual([
      ['lifecycle', ['work.serving'], 14],
      ['lifecycle/reporter', ['quiet'], undefined],
    ]);
  });

  it('ends with what the worker itself ended in, when none lives any more', () => {
    const now = { actors: [] } as unknown as Now;
    const ended = stateWith(
      moved(1, 'work.draining', 'work.stopped'),
      happening(2, { actor: 'lifecycle/reporter', kind: 'actor.stopped' }),
      happening(3, { kind: 'actor.stopped', from: ['work.stopped'] }),
    );
    for (const seq of [null, 3]) {
      expect([...actorsAt({ ...ended, now }, seq).values()]).toMatchObject([
        { actor: 'lifecycle', states: ['work.stopped'], last: { seq: 1 } },
      ]);
    }
  });

  it('has what came at once together: a failure is not hidden by its report', () => {
    const { recent } = actorsAt(
      stateWith(
        moved(1, 'work.loaded', 'work.serving'),
        moved(5, 'work.serving', 'work.failing'),
        moved(6, 'report.quiet', 'report.reporting', { atMs: 5_007 }),
      ),
      6,
    ).get('lifecycle') ?? { recent: [] };
    expect(recent.map(({ seq }) => seq)).toEqual([5, 6]);
  });

  it('goes step by step, requests left out, and follows again at the end', () => {
    const step = (from: number | null, by: -1 | 1) => stepFrom(lookAt(state, from), by);
    expect([step(null, -1), step(12, -1), step(10, -1)]).toEqual([12, 11, 10]);
    expect([step(10, 1), step(12, 1), step(14, 1), step(null, 1)]).toEqual([11, 14, null, null]);
  });
});

describe('after 20 000 events of a worker under load', () => {
  const lifecycle = [
    happening(1, { kind: 'actor.started', event: 'started', to: ['work.loading'], nth: 0 }),
    moved(2, 'work.loading', 'work.serving', { event: 'load done', nth: 1 }),
    moved(3, 'work.serving', 'work.failing', { event: 'health.failed', nth: 2 }),
  ];
  const request = (seq: number, event: string) =>
    happening(seq, { kind: 'request', actor: 'worker', machine: '', event });
  /** What comes in 50 ms. */
  const batch = (from: number) =>
    Array.from({ length: 10 }, (_, index) => {
      const seq = from + index;
      if (index === 9) return moved(seq, 'work.serving', 'work.serving', { event: 'report.settled' });
      return request(seq, index % 2 === 0 ? 'request.started' : 'request.succeeded');
    });
  const underLoad = (state: PageState, from = 4) =>
    Array.from({ length: 2_000 }, (_, nth) => batch(from + nth * 10)).reduce(happened, state);
  const before = happened(happened(NOTHING_YET, lifecycle), batch(4));

  it('the steps of the lifecycle since the start are there, and what is not is counted', () => {
    const state = underLoad(before, 14);
    expect(state.happenings.slice(0, 3)).toEqual(lifecycle);
    expect(state.happenings.at(-1)?.seq).toBe(20_013);
    expect(state.happenings.length).toBeLessThanOrEqual(5_500);
    expect(state.happenings.length + state.leftOut).toBe(20_013);
  });

  it('a paused list is what it was', () => {
    const paused = { ...before, paused: before.happenings };
    expect(listed(underLoad(paused, 14), 150)).toEqual(listed(before, 150));
  });

  it('a moment that is looked at is what it was, with all that can be travelled to', () => {
    const looked = lookAt(before, 5);
    const later = underLoad(looked, 14);
    expect(later.happenings.some(({ seq }) => seq === 5)).toBe(false);
    expect(pastOf(later)).toBe(before.happenings);
    expect(later.looked).toBe(looked.looked);
    expect(actorsAt(later, 5)).toEqual(actorsAt(looked, 5));
    expect([stepFrom(later, -1), stepFrom(later, 1)]).toEqual([3, 13]);
    // Behind the past that is held, it goes on in what is kept now.
    const next = stepFrom(lookAt(later, 13), 1);
    expect(next).toBe(later.happenings.find((each) => isStep(each) && each.seq > 13)?.seq);
    expect(lookAt(later, next).looked).toMatchObject({ at: { seq: next }, past: later.happenings });
    // What a paused list shows can be looked at, though it is forgotten.
    const inList = lookAt({ ...later, looked: null, paused: before.happenings }, 6);
    expect(inList.looked).toMatchObject({ at: { seq: 6 }, past: before.happenings });
    expect(lookAt({ ...later, looked: null }, 6).looked).toBeNull();
  });
});

describe('in words', () => {
  it.each([
    [-5, '0 ms'],
    [420, '420 ms'],
    [3_240, '3.2 s'],
    [42_400, '42 s'],
    [250_000, '4 min 10 s'],
    [7_500_000, '2 h 5 min'],
  ])('%i ms is %s', (ms, words) => expect(spanOf(ms)).toBe(words));

  it.each<[number | null, string]>([
    [null, '–'],
    [0, '0'],
    [12.345, '12.3'],
    [45_600, '45.6 k'],
    [7_890_000, '7.89 M'],
  ])('%d is %s', (value, words) => expect(figure(value)).toBe(words));

  it.each([
    [7, '7'],
    [999, '999'],
    [5_000, '5\u00a0000'],
    [1_234_567, '1\u00a0234\u00a0567'],
  ])('%i things are %s', (count, words) => expect(counted(count)).toBe(words));

  it.each([
    [0, '0 units'],
    [1, '1 unit'],
    [0.5, '0.5 units'],
    [45_600, '45.6 k units'],
  ])('%d of work is %s', (workload, words) => expect(units(workload)).toBe(words));

  it('a time has its date where it is not of today', () => {
    const at = new Date(2026, 0, 5, 9, 7, 3, 450).getTime();
    expect(timeOf(at, new Date(2026, 0, 5, 23, 59).getTime())).toBe('09:07:03.45');
    expect(timeOf(at, new Date(2026, 0, 6, 0, 1).getTime())).toBe('2026-01-05 09:07:03.45');
    expect(timeOf(at, new Date(2027, 0, 5, 9, 7).getTime())).toBe('2026-01-05 09:07:03.45');
  });

  it('what came again is said once, with how often', () => {
    expect(inRow(['a', 'b', 'b', 'b', 'a'])).toBe('a ×2, b ×3');
    expect(inRow([])).toBe('');
  });

  it('an actor is called by the end of its path', () => {
    expect([nameOf('lifecycle'), nameOf('lifecycle/load/benchmark')]).toEqual(['lifecycle', 'benchmark']);
  });
});
