import { randomBytes } from 'node:crypto';
import type { EndFacts, RequestEvent, RequestFacts } from '../../machines/events.js';
import {
  beginClosing,
  beginRequest,
  closeSession,
  createSession,
  endRequest,
  expired,
  findSession,
  idle,
  openSessions,
  type Session,
  type SessionOpening,
  wasClosed,
} from '../../machines/sessions.js';
import { WorkerError } from '../errors.js';
import type { Roster } from './roster.js';
import { Waiters } from './waiters.js';

export interface SessionsOptions {
  /** 0: no limit. */
  readonly max: number;
  readonly roster: Roster;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly nextId: () => number;
  readonly emit: (event: RequestEvent) => void;
  /** Tells the model server that a session has ended. Never rejects. */
  readonly callBack: (session: Session) => Promise<void>;
}

/** A session, as its operator sees it. Times are monotonic. */
export type SessionRow = Pick<
  Session,
  'id' | 'state' | 'workload' | 'inFlight' | 'createdAtMs' | 'expiresAtMs'
>;

export type NewSession = Omit<SessionOpening, 'id' | 'requestId'>;

/** How often it is looked for sessions that have expired. */
const SWEEP_MS = 1_000;

/** The same while the worker drains, which waits for them. */
const DRAIN_SWEEP_MS = 50;

const ID_BYTES = 24;

/** Where sessions are made: the route of the request that a session counts as. */
export const SESSION_ROUTE = '/session/create';

/** The sessions that clients hold: the table of {@link openSessions}, and what happens when a row comes or goes. */
export class Sessions {
  readonly #options: SessionsOptions;
  /** How to abort each request in flight, by session. */
  readonly #inFlight = new Map<string, Set<(reason: Error) => void>>();
  readonly #closings = new Set<Promise<void>>();
  readonly #waiting = new Waiters();
  #table;
  #sweep: NodeJS.Timeout | undefined;
  /** How long a session is held in which nothing happens, in ms; undefined: for its lifetime. */
  #graceMs: number | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#table = openSessions({ max: options.max });
  }

  get count(): number {
    return this.#table.rows.size;
  }

  /** Those that came first first, as many as are asked for. */
  rows(most: number): SessionRow[] {
    const sessions = [...this.#table.rows.values()].slice(0, most);
    return sessions.map(({ id, state, workload, inFlight, createdAtMs, expiresAtMs }) => ({
      id,
      state,
      workload,
      inFlight,
      createdAtMs,
      expiresAtMs,
    }));
  }

  get isFull(): boolean {
    return this.#table.max > 0 && this.count >= this.#table.max;
  }

  /** Makes a session, which counts as one request until it ends. */
  create(opening: NewSession): Session {
    const { now, nextId, roster, emit } = this.#options;
    const [id, requestId] = [randomBytes(ID_BYTES).toString('base64url'), nextId()];
    const change = createSession(this.#table, { ...opening, id, requestId }, now());
    if (!change.ok) throw new WorkerError('too_many_sessions');
    this.#table = change.sessions;
    const facts = factsOf(change.session);
    roster.add(facts);
    emit({ type: 'request.started', ...facts });
    this.#sweep ??= this.#sweepEvery(SWEEP_MS);
    return change.session;
  }

  /** @throws {WorkerError} `session_gone` unless requests of it are taken */
  expect(id: string): void {
    if (findSession(this.#table, id)?.state !== 'active') throw new WorkerError('session_gone');
  }

  find(id: string): Session | undefined {
    return findSession(this.#table, id);
  }

  wasClosed(id: string): boolean {
    return wasClosed(this.#table, id);
  }

  /**
   * A request of the session begins. Answers the function that says that it has ended.
   *
   * @param abort ends the request when the session ends
   * @throws {WorkerError} `session_gone`
   */
  enter(id: string, abort: (reason: Error) => void): () => void {
    const { now } = this.#options;
    const change = beginRequest(this.#table, id, now());
    if (!change.ok) throw new WorkerError('session_gone');
    this.#table = change.sessions;
    const aborts = this.#inFlight.get(id) ?? new Set();
    this.#inFlight.set(id, aborts.add(abort));
    return () => {
      aborts.delete(abort);
      if (aborts.size === 0) this.#inFlight.delete(id);
      this.#table = endRequest(this.#table, id, now());
    };
  }

  /** Ends a session: aborts what is in flight, and tells the model server. False when it is ending already. */
  end(id: string): boolean {
    const change = beginClosing(this.#table, id);
    if (!change.ok) return false;
    this.#table = change.sessions;
    for (const abort of [...(this.#inFlight.get(id) ?? [])]) {
      abort(new WorkerError('session_gone', 'The session has ended.'));
    }
    this.#tellEnd(change.session);
    const closing = this.#options.callBack(change.session).then(() => {
      this.#table = closeSession(this.#table, id);
      this.#closings.delete(closing);
      this.#lookWhetherEmpty();
    });
    this.#closings.add(closing);
    return true;
  }

  /**
   * From now on a session is ended, and the model server told of it, when nothing has happened in it for a while:
   * its client may be between two requests, or may have forgotten it.
   *
   * @param graceMs how long
   */
  drain(graceMs: number): void {
    this.#graceMs = graceMs;
    if (this.count === 0) return;
    clearInterval(this.#sweep);
    this.#sweep = this.#sweepEvery(DRAIN_SWEEP_MS);
    this.#endExpired();
  }

  /** Takes back what `drain` has begun. */
  goOn(): void {
    if (this.#graceMs === undefined) return;
    this.#graceMs = undefined;
    if (this.#sweep === undefined) return;
    clearInterval(this.#sweep);
    this.#sweep = this.#sweepEvery(SWEEP_MS);
  }

  /** Ends every session, and resolves when the model server was told of each. */
  async endAll(): Promise<void> {
    for (const id of this.#table.rows.keys()) this.end(id);
    await Promise.all(this.#closings);
  }

  /** Resolves when there is no session, or rejects when the signal is aborted first. */
  async empty(signal: AbortSignal): Promise<void> {
    if (this.count > 0) await this.#waiting.wait(signal);
  }

  #tellEnd(session: Session): void {
    const facts = factsOf(session);
    this.#options.roster.remove(facts.id);
    const ended: EndFacts = {
      ...facts,
      atMs: this.#options.now(),
      enteredAtMs: facts.atMs,
      workStartedAtMs: facts.atMs,
      firstByteAtMs: null,
      receivedBytes: 0,
      sentBytes: 0,
    };
    this.#options.emit({ type: 'request.succeeded', ...ended });
  }

  #endExpired(): void {
    const nowMs = this.#options.now();
    for (const id of expired(this.#table, nowMs)) this.end(id);
    if (this.#graceMs === undefined) return;
    for (const id of idle(this.#table, nowMs, this.#graceMs)) this.end(id);
  }

  #sweepEvery(ms: number): NodeJS.Timeout {
    return setInterval(() => this.#endExpired(), ms).unref();
  }

  #lookWhetherEmpty(): void {
    if (this.count > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#waiting.release();
  }
}

/** The request that a session counts as. */
function factsOf({ requestId, workload, requestIdx, createdAtMs }: Session): RequestFacts {
  return { id: requestId, kind: 'session', route: SESSION_ROUTE, workload, requestIdx, atMs: createdAtMs };
}
