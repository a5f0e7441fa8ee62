import { describe, expect, it } from 'vitest';
import {
  beginClosing,
  beginRequest,
  CLOSED_REMEMBERED,
  closeSession,
  createSession,
  endRequest,
  expired,
  findSession,
  idle,
  openSessions,
  type SessionChange,
  type SessionOpening,
  type Sessions,
  wasClosed,
} from '../../machines/sessions.js';

const opening = (id: string, lifetimeMs = 60_000): SessionOpening => ({
  id,
  auth: { cost: 256, endpoint: 'my-endpoint', reqnum: 7, request_idx: 1001 },
  lifetimeMs,
  onCloseRoute: '/release',
  onClosePayload: { keep: false },
  workload: 256,
  requestId: 4,
  requestIdx: 1001,
});

function changed(change: SessionChange): Sessions {
  if (!change.ok) throw new Error(`It was refused: ${change.refusal}.`);
  return change.sessions;
}

/** A table with these sessions, all created at 0. */
const tableOf = (...ids: string[]) =>
  ids.reduce((sessions, id) => changed(createSession(sessions, opening(id), 0)), openSessions({ max: 0 }));

const closed = (sessions: Sessions, id: string) => closeSession(changed(beginClosing(sessions, id)), id);
const refusedAs = (refusal: string) => ({ ok: false, refusal });

describe('a session', () => {
  it('is created active, with nothing in flight, for its lifetime', () => {
    const empty = openSessions({ max: 10 });
    const change = createSession(empty, opening('a'), 500);
    const session = {
      ...opening('a'),
      createdAtMs: 500,
      expiresAtMs: 60_500,
      inFlight: 0,
      state: 'active',
    };
    expect(change).toEqual({
      ok: true,
      session,
      sessions: { ...empty, rows: new Map([['a', session]]) },
    });
    expect(findSession(changed(change), 'a')).toEqual(session);
    expect(empty).toEqual(openSessions({ max: 10 }));
  });

  it('lives for its lifetime from the start and from the end of its last request, and never longer', () => {
    let sessions = tableOf('a');
    for (let request = 1; request <= 50; request++) {
      sessions = changed(beginRequest(sessions, 'a', request));
      sessions = endRequest(sessions, 'a', request);
    }
    expect(findSession(sessions, 'a')).toMatchObject({ inFlight: 0, expiresAtMs: 60_050 });
    expect([expired(sessions, 60_049), expired(sessions, 60_050)]).toEqual([[], ['a']]);
  });

  it('does not expire while a request of it is in flight', () => {
    let sessions = changed(beginRequest(tableOf('a', 'b'), 'a', 0));
    sessions = changed(beginRequest(sessions, 'a', 10));
    sessions = endRequest(sessions, 'a', 20);
    expect(expired(sessions, 1e9)).toEqual(['b']);
    sessions = endRequest(sessions, 'a', 100_000);
    expect([expired(sessions, 159_999), expired(sessions, 160_000)]).toEqual([['b'], ['a', 'b']]);
  });

  it('is idle a while after its creation and after its last request, while none is in flight', () => {
    const made = tableOf('a');
    expect([idle(made, 49, 50), idle(made, 50, 50)]).toEqual([[], ['a']]);
    const busy = changed(beginRequest(made, 'a', 60));
    expect(idle(busy, 1e9, 50)).toEqual([]);
    const ended = endRequest(busy, 'a', 70);
    expect([idle(ended, 119, 50), idle(ended, 120, 50)]).toEqual([[], ['a']]);
  });

  it('that is closing is due no more, takes no requests, and is not closed a second time', () => {
    const sessions = changed(beginClosing(changed(beginRequest(tableOf('a'), 'a', 0)), 'a'));
    expect(findSession(sessions, 'a')).toMatchObject({ state: 'closing', inFlight: 1 });
    const done = endRequest(sessions, 'a', 5);
    expect(findSession(done, 'a')).toMatchObject({ state: 'closing', inFlight: 0 });
    expect(expired(done, 1e9)).toEqual([]);
    expect(beginRequest(done, 'a', 5)).toEqual(refusedAs('closing'));
    expect(beginClosing(done, 'a')).toEqual(refusedAs('closing'));
  });

  it('that is closed has left, and is remembered', () => {
    const sessions = closed(tableOf('a', 'b'), 'a');
    expect([findSession(sessions, 'a'), [...sessions.rows.keys()], wasClosed(sessions, 'a')]).toEqual([
      undefined,
      ['b'],
      true,
    ]);
    expect(beginClosing(sessions, 'a')).toEqual(refusedAs('closed'));
    expect(beginRequest(sessions, 'a', 5)).toEqual(refusedAs('closed'));
    expect(closeSession(sessions, 'a')).toBe(sessions);
    expect(endRequest(sessions, 'a', 5)).toBe(sessions);
  });

  it('that never was is unknown', () => {
    const sessions = tableOf('a');
    expect(beginRequest(sessions, 'x', 5)).toEqual(refusedAs('unknown'));
    expect(beginClosing(sessions, 'x')).toEqual(refusedAs('unknown'));
    expect([wasClosed(sessions, 'x'), wasClosed(sessions, 'a')]).toEqual([false, false]);
    expect(closeSession(sessions, 'x')).toBe(sessions);
    expect(endRequest(sessions, 'x', 5)).toBe(sessions);
  });

  it('is not changed by the end of a request that never began', () => {
    const sessions = tableOf('a');
    expect(endRequest(sessions, 'a', 5)).toBe(sessions);
  });
});

describe('a table of sessions', () => {
  it('refuses what is over its limit, those that are closing included, until one has left', () => {
    const two = changed(
      createSession(changed(createSession(openSessions({ max: 2 }), opening('a'), 0)), opening('b'), 0),
    );
    const closing = changed(beginClosing(two, 'a'));
    expect(createSession(two, opening('c'), 0)).toEqual(refusedAs('full'));
    expect(createSession(closing, opening('c'), 0)).toEqual(refusedAs('full'));
    expect(createSession(closeSession(closing, 'a'), opening('c'), 0)).toMatchObject({ ok: true });
  });

  it('has no limit where it is 0', () => {
    const ids = Array.from({ length: 500 }, (_, index) => String(index));
    expect([...tableOf(...ids).rows.keys()]).toEqual(ids);
  });

  it('refuses an id that there is, or was', () => {
    const sessions = closed(tableOf('a', 'b'), 'a');
    expect(createSession(sessions, opening('a'), 0)).toEqual(refusedAs('taken'));
    expect(createSession(sessions, opening('b'), 0)).toEqual(refusedAs('taken'));
  });

  it('remembers the last thousand that were closed, and no more', () => {
    const ids = Array.from({ length: CLOSED_REMEMBERED + 70 }, (_, index) => String(index));
    const sessions = ids.reduce(
      (table, id) => closed(changed(createSession(table, opening(id), 0)), id),
      openSessions({ max: 1 }),
    );
    expect(ids.filter((id) => wasClosed(sessions, id))).toEqual(ids.slice(70));
    expect(beginClosing(sessions, '69')).toEqual(refusedAs('unknown'));
    expect(beginClosing(sessions, '70')).toEqual(refusedAs('closed'));
  });

  it('leaves the table that was as it was', () => {
    const before = tableOf('a', 'b');
    const seen = structuredClone(before);
    const busy = changed(beginRequest(before, 'a', 5));
    endRequest(busy, 'a', 6);
    closed(busy, 'b');
    expect(before).toEqual(seen);
  });
});
