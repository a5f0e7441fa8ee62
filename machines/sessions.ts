import { append, oldest, openQueue, type Queue, removeBefore } from './queue.js';

/**
 * The table of sessions: each client that holds the worker for a series of requests has a row. A row is
 * active until somebody begins to close it, closing until that is done, and then it leaves the table; it
 * takes no new requests from then on. A session does not expire while a request of it is in flight, and a
 * request, at its start and its end, puts its expiration off to its lifetime from then, never further.
 *
 * Times are monotonic ms. Every function returns a new table and leaves the one that was as it was.
 */

export interface SessionOpening {
  /** Hard to guess: whoever knows it and the auth can use the session. */
  readonly id: string;
  /** The parsed `auth_data` of its creation. */
  readonly auth: unknown;
  readonly lifetimeMs: number;
  /** What to post to the model server when it ends, if a route is given. */
  readonly onCloseRoute: string | null;
  readonly onClosePayload: unknown;
  /** In units of work: a session counts as one request of this workload until it ends. */
  readonly workload: number;
  /** The worker's own id of the request that the session counts as. */
  readonly requestId: number;
  /** The autoscaler's name for it; null when the request was not signed for one. */
  readonly requestIdx: number | null;
}

export interface Session extends SessionOpening {
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** How many requests of it are in flight. */
  readonly inFlight: number;
  readonly state: 'active' | 'closing';
}

export interface Sessions {
  /** How many sessions there are at most, those that are closing included; 0: no limit. */
  readonly max: number;
  readonly rows: ReadonlyMap<string, Session>;
  /** The ids of the sessions that were closed last, oldest first. */
  readonly closed: Queue<string>;
}

/**
 * full: there are as many sessions as there may be; taken: there is or was a session of this id; closing,
 * closed: the session takes nothing new any more; unknown: there is no such session, as far as is remembered.
 */
export type SessionRefusal = 'full' | 'taken' | 'closing' | 'closed' | 'unknown';

export type SessionChange =
  | { readonly ok: true; readonly sessions: Sessions; readonly session: Session }
  | { readonly ok: false; readonly refusal: SessionRefusal };

/** How many ids of closed sessions are remembered. */
export const CLOSED_REMEMBERED = 1000;

export function openSessions({ max }: Pick<Sessions, 'max'>): Sessions {
  return { max, rows: new Map(), closed: openQueue() };
}

/** Adds a session, or refuses it: `full`, or `taken`. */
export function createSession(sessions: Sessions, opening: SessionOpening, nowMs: number): SessionChange {
  if (sessions.rows.has(opening.id) || wasClosed(sessions, opening.id)) return refused('taken');
  if (sessions.max > 0 && sessions.rows.size >= sessions.max) return refused('full');
  return put(sessions, {
    ...opening,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + opening.lifetimeMs,
    inFlight: 0,
    state: 'active',
  });
}

/** A request of the session begins, or is refused: `closing`, `closed`, or `unknown`. */
export function beginRequest(sessions: Sessions, id: string, nowMs: number): SessionChange {
  return changeActive(sessions, id, (session) => ({
    ...session,
    inFlight: session.inFlight + 1,
    expiresAtMs: nowMs + session.lifetimeMs,
  }));
}

/** A request of the session has ended. The session may have left meanwhile: then nothing changes. */
export function endRequest(sessions: Sessions, id: string, nowMs: number): Sessions {
  const session = sessions.rows.get(id);
  if (session === undefined || session.inFlight === 0) return sessions;
  const rows = new Map(sessions.rows);
  rows.set(id, {
    ...session,
    inFlight: session.inFlight - 1,
    expiresAtMs: nowMs + session.lifetimeMs,
  });
  return { ...sessions, rows };
}

/** The ids of the sessions that are due to be closed. */
export function expired({ rows }: Sessions, nowMs: number): readonly string[] {
  return [...rows.values()].filter((session) => isDue(session, nowMs)).map(({ id }) => id);
}

/** The ids of the sessions in which nothing is under way, and nothing has happened for a while. */
export function idle({ rows }: Sessions, nowMs: number, forMs: number): readonly string[] {
  const isIdle = ({ state, inFlight, expiresAtMs, lifetimeMs }: Session) =>
    state === 'active' && inFlight === 0 && expiresAtMs - lifetimeMs + forMs <= nowMs;
  return [...rows.values()].filter(isIdle).map(({ id }) => id);
}

/**
 * The session is being closed: it takes no new requests. Of several that want to close a session one alone
 * is let through; the others are refused: `closing`, `closed`, or `unknown`.
 */
export function beginClosing(sessions: Sessions, id: string): SessionChange {
  return changeActive(sessions, id, (session) => ({ ...session, state: 'closing' }));
}

/** The session is closed: its row leaves, and its id is remembered for a while. */
export function closeSession(sessions: Sessions, id: string): Sessions {
  if (!sessions.rows.has(id)) return sessions;
  const rows = new Map(sessions.rows);
  rows.delete(id);
  const closed = append(sessions.closed, id);
  return { ...sessions, rows, closed: removeBefore(closed, closed.next - CLOSED_REMEMBERED) };
}

export function findSession({ rows }: Sessions, id: string): Session | undefined {
  return rows.get(id);
}

/** Whether a session of this id was among the last that were closed. */
export function wasClosed({ closed }: Sessions, id: string): boolean {
  return oldest(closed, CLOSED_REMEMBERED).includes(id);
}

function isDue({ state, inFlight, expiresAtMs }: Session, nowMs: number): boolean {
  return state === 'active' && inFlight === 0 && expiresAtMs <= nowMs;
}

function changeActive(sessions: Sessions, id: string, change: (session: Session) => Session): SessionChange {
  const session = sessions.rows.get(id);
  if (session === undefined) return refused(wasClosed(sessions, id) ? 'closed' : 'unknown');
  return session.state === 'active' ? put(sessions, change(session)) : refused('closing');
}

function put(sessions: Sessions, session: Session): SessionChange {
  const rows = new Map(sessions.rows).set(session.id, session);
  return { ok: true, sessions: { ...sessions, rows }, session };
}

function refused(refusal: SessionRefusal): SessionChange {
  return { ok: false, refusal };
}
