import { withoutLastLines } from '../../machines/endings.js';
import type { Redact } from '../redact.js';
import type { Now, RequestNow, SessionNow, Stay } from './contract.js';
import { copyOf } from './copy.js';

/** Sessions and requests that are in the worker, with monotonic times. */
export interface Rows {
  readonly sessions: readonly SessionNow[];
  readonly requests: readonly RequestNow[];
}

export interface NowFacts {
  readonly seq: number;
  readonly version: string;
  readonly startedAtMs: number;
  readonly view: Now['worker'];
  readonly rows: Rows;
  readonly actors: Now['actors'];
  readonly timeline: readonly Stay[];
  readonly modelLog: readonly string[];
  readonly redact: Redact;
  /** Monotonic. */
  readonly nowMs: number;
}

/** How many requests, sessions and lines are shown. */
export const ROWS = 100;

const SESSION_CHARACTERS = 6;
const CHARACTERS = 2 ** 20;
const REASON_CHARACTERS = 500;

/** The worker as it is, without secrets. */
export function nowOf(facts: NowFacts): Now {
  const { seq, version, startedAtMs, view, rows, actors, timeline, modelLog, redact, nowMs } = facts;
  const atMs = Date.now();
  const unix = (ms: number) => Math.round(atMs + ms - nowMs);
  const now: Now = {
    seq,
    atMs,
    live: true,
    version,
    startedAtMs,
    ready: view.state === 'serving',
    whyNotReady:
      view.state === 'serving' ? '' : sentenceOf('is', view.state, redact(withoutLastLines(view.reason))),
    worker: view,
    actors,
    sessions: rows.sessions.map((row) => ({
      ...row,
      id: `${row.id.slice(0, SESSION_CHARACTERS)}…`,
      createdAtMs: unix(row.createdAtMs),
      expiresAtMs: unix(row.expiresAtMs),
    })),
    requestsUnderWay: rows.requests.map((row) => ({ ...row, sinceMs: unix(row.sinceMs) })),
    timeline,
    modelLog: modelLog.slice(-ROWS),
  };
  return copyOf(now, { redact, characters: CHARACTERS }) as unknown as Now;
}

/** Why a worker does not take requests: `The worker is loading: it has started.` */
export function sentenceOf(is: 'is' | 'was', state: string, reason: string): string {
  const told = reason.length > REASON_CHARACTERS ? `${reason.slice(0, REASON_CHARACTERS)}…` : reason;
  const end = /[.!?…]$/.test(told) ? '' : '.';
  return told === '' ? `The worker ${is} ${state}.` : `The worker ${is} ${state}: ${told}${end}`;
}
