import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RequestEvent } from '../../machines/events.js';
import type { Session } from '../../machines/sessions.js';
import { WorkerError } from '../../src/errors.js';
import { Roster } from '../../src/http/roster.js';
import { type NewSession, Sessions } from '../../src/http/sessions.js';
import { deferred } from '../support/worker.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const OPENING: NewSession = {
  auth: { signature: 'signed' },
  lifetimeMs: 10_000,
  onCloseRoute: null,
  onClosePayload: null,
  workload: 5,
  requestIdx: 7,
};

const GONE = expect.objectContaining({ code: 'session_gone', status: 410 });

function makeSessions({
  max = 0,
  callBack = async () => {},
}: {
  max?: number;
  callBack?: () => Promise<void>;
} = {}) {
  const roster = new Roster();
  const clock = { ms: 1_000 };
  const events: RequestEvent[] = [];
  const told: Session[] = [];
  let ids = 0;
  const sessions = new Sessions({
    max,
    roster,
    now: () => clock.ms,
    nextId: () => ++ids,
    emit: (event) => events.push(event),
    callBack: (session) => {
      told.push(session);
      return callBack();
    },
  });
  return { sessions, roster, clock, events, told };
}

/** The signal of somebody who waits to the end. */
const NEVER = new AbortController().signal;

/** Lets the callbacks that have answered be heard of. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** Whether a promise has resolved by now. */
async function hasResolved(promise: Promise<unknown>): Promise<boolean> {
  let resolved = false;
  void promise.then(() => {
    resolved = true;
  });
  await settled();
  return resolved;
}

describe('a session', () => {
  it('counts as one request from its start to its end', async () => {
    const { sessions, roster, clock, events, told } = makeSessions();
    const session = sessions.create(OPENING);
    expect(session.id).toMatch(/^[\w-]{32}$/);
    expect(session).toMatchObject({ ...OPENING, requestId: 1, createdAtMs: 1_000, expiresAtMs: 11_000 });
    expect(roster.presence()).toEqual({ load: 5, requests: 1, requestIdxs: [7] });
    clock.ms = 3_000;
    expect(sessions.end(session.id)).toBe(true);
    const facts = { id: 1, kind: 'session', route: '/session/create', workload: 5, requestIdx: 7 };
    const untouched = { firstByteAtMs: null, receivedBytes: 0, sentBytes: 0 };
    expect(events).toEqual([
      { type: 'request.started', ...facts, atMs: 1_000 },
      {
        type: 'request.succeeded',
        ...facts,
        ...untouched,
        atMs: 3_000,
        enteredAtMs: 1_000,
        workStartedAtMs: 1_000,
      },
    ]);
    expect(roster.presence()).toEqual({ load: 0, requests: 0, requestIdxs: [] });
    expect(told).toEqual([{ ...session, state: 'closing' }]);
    await settled();
    expect([sessions.count, sessions.wasClosed(session.id), sessions.find(session.id)]).toEqual([
      0,
      true,
      undefined,
    ]);
  });

  it('has an id that no other has', () => {
    const { sessions } = makeSessions();
    expect(new Set(Array.from({ length: 100 }, () => sessions.create(OPENING).id)).size).toBe(100);
  });

  it('is not made where there are as many as there may be', async () => {
    const { sessions, events, roster } = makeSessions({ max: 1 });
    expect(sessions.isFull).toBe(false);
    const { id } = sessions.create(OPENING);
    expect(sessions.isFull).toBe(true);
    expect(() => sessions.create(OPENING)).toThrow(expect.objectContaining({ code: 'too_many_sessions' }));
    expect([events.length, roster.presence().requests]).toEqual([1, 1]);
    sessions.end(id);
    await settled();
    expect([sessions.isFull, sessions.create(OPENING).id === id]).toEqual([false, false]);
  });

  it('0 is no limit', () => {
    const { sessions } = makeSessions({ max: 0 });
    for (let index = 0; index < 50; index++) sessions.create(OPENING);
    expect([sessions.count, sessions.isFull]).toEqual([50, false]);
  });
});

describe('the end of a session', () => {
  it('aborts what is in flight, and nothing of other sessions', () => {
    const { sessions } = makeSessions();
    const [ended, other] = [sessions.create(OPENING), sessions.create(OPENING)];
    const reasons: unknown[] = [];
    const leave = sessions.enter(ended.id, () => reasons.push('has left before'));
    sessions.enter(ended.id, (reason) => reasons.push(reason));
    sessions.enter(ended.id, (reason) => reasons.push(reason));
    sessions.enter(other.id, () => reasons.push('another session'));
    leave();
    sessions.end(ended.id);
    expect(reasons).toEqual([GONE, GONE]);
    expect(reasons.map((reason) => reason instanceof WorkerError && reason.message)).toEqual([
      'The session has ended.',
      'The session has ended.',
    ]);
  });

  it('bears requests that leave while they are aborted', () => {
    const { sessions } = makeSessions();
    const { id } = sessions.create(OPENING);
    const aborted: number[] = [];
    const leaves = [1, 2, 3].map((number) =>
      sessions.enter(id, () => {
        aborted.push(number);
        for (const leave of leaves) leave();
      }),
    );
    sessions.end(id);
    expect(aborted).toEqual([1, 2, 3]);
  });

  it('happens once, and takes nothing new while the model server is told', async () => {
    const answer = deferred();
    const { sessions, events, told } = makeSessions({ callBack: () => answer.promise });
    const { id } = sessions.create(OPENING);
    expect([sessions.end(id), sessions.end(id), sessions.end('unknown')]).toEqual([true, false, false]);
    expect([told.length, events.length, sessions.count]).toEqual([1, 2, 1]);
    expect(() => sessions.expect(id)).toThrow(GONE);
    expect(() => sessions.enter(id, () => {})).toThrow(GONE);
    answer.resolve();
    await settled();
    expect([sessions.count, sessions.end(id)]).toEqual([0, false]);
    expect(() => sessions.expect(id)).toThrow(GONE);
  });
});

describe('a session expires', () => {
  it('after its lifetime, and only where no request of it is in flight', async () => {
    const { sessions, clock, told } = makeSessions();
    const [idle, busy] = [sessions.create(OPENING), sessions.create(OPENING)];
    const leave = sessions.enter(busy.id, () => {});
    const pass = async (ms: number) => {
      clock.ms += ms;
      vi.advanceTimersByTime(ms);
      await settled();
    };
    await pass(9_000);
    expect(sessions.count).toBe(2);
    await pass(2_000);
    expect(told.map(({ id }) => id)).toEqual([idle.id]);
    leave();
    await pass(9_000);
    expect(sessions.count).toBe(1);
    await pass(2_000);
    expect(told.map(({ id }) => id)).toEqual([idle.id, busy.id]);
    expect([sessions.count, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('is looked for again when there are sessions again', async () => {
    const { sessions } = makeSessions();
    expect(vi.getTimerCount()).toBe(0);
    for (let time = 0; time < 2; time++) {
      const { id } = sessions.create(OPENING);
      sessions.create({ ...OPENING, lifetimeMs: 1 });
      expect(vi.getTimerCount()).toBe(1);
      sessions.end(id);
      await sessions.endAll();
      expect(vi.getTimerCount()).toBe(0);
    }
  });
});

describe('while the worker drains, a session', () => {
  const GRACE_MS = 3_000;
  function draining() {
    const made = makeSessions();
    const pass = async (ms: number) => {
      made.clock.ms += ms;
      await vi.advanceTimersByTimeAsync(ms);
    };
    return { ...made, pass };
  }

  it('in which nothing has happened for a while is ended at once', async () => {
    const { sessions, events, told, pass } = draining();
    const { id } = sessions.create(OPENING);
    await pass(GRACE_MS);
    sessions.drain(GRACE_MS);
    expect([told.map((session) => session.id), events.at(-1)?.type]).toEqual([[id], 'request.succeeded']);
    await sessions.empty(NEVER);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is held for a while after its last request, and that is taken', async () => {
    const { sessions, told, pass } = draining();
    const { id } = sessions.create(OPENING);
    await pass(GRACE_MS - 1_000);
    sessions.drain(GRACE_MS);
    await pass(900);
    const leave = sessions.enter(id, () => {});
    await pass(9_000);
    leave();
    await pass(GRACE_MS - 100);
    expect([told.length, sessions.count]).toEqual([0, 1]);
    await pass(200);
    expect([told.length, sessions.count]).toEqual([1, 0]);
    expect(() => sessions.enter(id, () => {})).toThrow(GONE);
  });

  it('still expires when its lifetime is shorter than that', async () => {
    const { sessions, told, pass } = draining();
    sessions.create({ ...OPENING, lifetimeMs: 500 });
    sessions.drain(GRACE_MS);
    await pass(600);
    expect(told).toHaveLength(1);
  });

  it('is held as long as before when the worker goes on after all', async () => {
    const { sessions, told, pass } = draining();
    const { id } = sessions.create({ ...OPENING, lifetimeMs: 60_000 });
    sessions.drain(GRACE_MS);
    await pass(GRACE_MS - 100);
    sessions.goOn();
    await pass(10 * GRACE_MS);
    expect([told.length, sessions.count]).toEqual([0, 1]);
    sessions.enter(id, () => {})();
    await pass(70_000);
    expect([told.length, sessions.count, vi.getTimerCount()]).toEqual([1, 0, 0]);
  });

  it('is waited for until somebody waits no more', async () => {
    const { sessions, pass } = draining();
    const { id } = sessions.create(OPENING);
    const patience = new AbortController();
    const [patient, waiting] = [sessions.empty(NEVER), sessions.empty(patience.signal)];
    patience.abort(new Error('the time is over'));
    await expect(waiting).rejects.toThrow('the time is over');
    await expect(sessions.empty(patience.signal)).rejects.toThrow('the time is over');
    sessions.end(id);
    await pass(1);
    await patient;
    expect(await hasResolved(sessions.empty(patience.signal))).toBe(true);
  });
});

describe('all sessions', () => {
  it('are ended, and the model server was told of each, those included that were ending', async () => {
    const answers = [0, 1, 2].map(() => deferred());
    let calls = 0;
    const { sessions, told } = makeSessions({
      callBack: () => answers[calls++]?.promise ?? Promise.resolve(),
    });
    const made = answers.map(() => sessions.create(OPENING));
    sessions.end(made[1]?.id ?? '');
    const all = sessions.endAll();
    expect(told.map(({ id }) => id)).toEqual([made[1]?.id, made[0]?.id, made[2]?.id]);
    answers[0]?.resolve();
    answers[1]?.resolve();
    expect(await hasResolved(all)).toBe(false);
    answers[2]?.resolve();
    await all;
    expect([sessions.count, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('that are none are ended at once', async () => {
    const { sessions } = makeSessions();
    expect(await hasResolved(sessions.endAll())).toBe(true);
    expect(await hasResolved(sessions.empty(NEVER))).toBe(true);
  });

  it('have gone when the model server was told of the last', async () => {
    const answer = deferred();
    const { sessions } = makeSessions({ callBack: () => answer.promise });
    const [one, other] = [sessions.create(OPENING), sessions.create(OPENING)];
    const waits = [sessions.empty(NEVER), sessions.empty(NEVER)];
    sessions.end(one.id);
    sessions.end(other.id);
    expect(await hasResolved(Promise.race(waits))).toBe(false);
    answer.resolve();
    expect(await hasResolved(Promise.all(waits))).toBe(true);
  });
});
