import { type BackOff, nextRandom } from './back-off.js';

/**
 * How a client tries again: what came of an attempt and the time that is left decide whether there is another one,
 * when, and as which request. A reducer, not a statechart: it hears a few outcomes a request and has no modes.
 */

export interface AttemptsPolicy {
  /** Between two polls for a worker, and between two attempts. Doubled each time, from half of it to all of it. */
  readonly backOff: BackOff;
  /** How often what was sent to a worker may be sent again. */
  readonly maxRetries: number;
  /** How many attempts in a row a worker may leave without an answer before it is taken for gone. */
  readonly maxUnanswered: number;
}

/** What has come of the attempts of one request so far. */
export interface Attempts {
  readonly seed: number;
  /** What the autoscaler knows the request by. 0: as one that it has not heard of. */
  readonly requestIdx: number;
  /** Polls in a row that found no worker ready. */
  readonly polls: number;
  /** Attempts in a row to reach the autoscaler that came to nothing. */
  readonly unheard: number;
  /** Attempts with a worker that came to nothing. */
  readonly failures: number;
  /** Attempts in a row with a worker that it did not begin to answer. */
  readonly unanswered: number;
}

export type Party = 'autoscaler' | 'worker';

export type AttemptOutcome =
  /** The autoscaler has no worker that is ready. */
  | { readonly type: 'waits'; readonly requestIdx: number }
  /** The autoscaler has named a worker. */
  | { readonly type: 'routed'; readonly requestIdx: number }
  /** There was an answer, and it was not a success. */
  | {
      readonly type: 'answered';
      readonly by: Party;
      readonly status: number;
      /** What the answer asks for. */
      readonly retryAfterMs: number | null;
    }
  /** The connection was lost, or there was none. */
  | { readonly type: 'lost'; readonly by: Party }
  /** The connection to a worker was lost after it had begun to answer: it is there. */
  | { readonly type: 'cut' };

/**
 * - `go on`: at once.
 * - `again`: after a pause.
 * - `give up`: it would be the same again (`final`), nobody is there (`gone`), it has been tried often enough
 *   (`retries`), or there is no time left for the pause that would be due (`time`).
 */
export type AttemptDecision =
  | { readonly type: 'go on' }
  | { readonly type: 'again'; readonly afterMs: number }
  | { readonly type: 'give up'; readonly because: 'final' }
  | { readonly type: 'give up'; readonly because: 'gone' }
  | { readonly type: 'give up'; readonly because: 'retries' }
  | { readonly type: 'give up'; readonly because: 'time'; readonly neededMs: number };

export interface Decided {
  readonly attempts: Attempts;
  readonly decision: AttemptDecision;
}

export function beginAttempts(seed: number): Attempts {
  return { seed, requestIdx: 0, polls: 0, unheard: 0, failures: 0, unanswered: 0 };
}

/** What another attempt may mend: 408, 429, and 5xx. */
export function isRetryable(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status <= 599);
}

/** What follows from an outcome, when so much time is left of all that the request may take. */
export function decide(
  attempts: Attempts,
  outcome: AttemptOutcome,
  leftMs: number,
  policy: AttemptsPolicy,
): Decided {
  const heard = hear(attempts, outcome);
  if (outcome.type === 'routed') return { attempts: heard, decision: { type: 'go on' } };
  if (outcome.type === 'answered' && !isRetryable(outcome.status)) return giveUp(heard, 'final');
  if (heard.unanswered >= policy.maxUnanswered) return giveUp(heard, 'gone');
  if (heard.failures > policy.maxRetries) return giveUp(heard, 'retries');
  return pause(heard, outcome, leftMs, policy);
}

function giveUp(attempts: Attempts, because: 'final' | 'gone' | 'retries'): Decided {
  return { attempts, decision: { type: 'give up', because } };
}

function hear(attempts: Attempts, outcome: AttemptOutcome): Attempts {
  switch (outcome.type) {
    case 'waits':
      return { ...attempts, requestIdx: outcome.requestIdx, polls: attempts.polls + 1, unheard: 0 };
    case 'routed':
      return { ...attempts, requestIdx: outcome.requestIdx, polls: 0, unheard: 0 };
    case 'answered':
      return outcome.by === 'worker' ? failed(attempts) : unheard(attempts);
    case 'lost':
      if (outcome.by === 'autoscaler') return unheard(attempts);
      return { ...lost(attempts), unanswered: attempts.unanswered + 1 };
    case 'cut':
      return lost(attempts);
  }
}

function unheard(attempts: Attempts): Attempts {
  return { ...attempts, unheard: attempts.unheard + 1 };
}

function failed(attempts: Attempts): Attempts {
  return { ...attempts, failures: attempts.failures + 1, unanswered: 0 };
}

/** To ask with the same number would be to be sent to the same worker, for as long as it is thought to be there. */
function lost(attempts: Attempts): Attempts {
  return { ...failed(attempts), requestIdx: 0 };
}

type Passing = Exclude<AttemptOutcome, { type: 'routed' }>;

function pause(attempts: Attempts, outcome: Passing, leftMs: number, { backOff }: AttemptsPolicy): Decided {
  const { seed, random } = nextRandom(attempts.seed);
  const next = { ...attempts, seed };
  const wantedMs = spread(ceilingMs(backOff, inARow(attempts, outcome)), random);
  const askedMs = outcome.type === 'answered' ? outcome.retryAfterMs : null;
  // Who was told when to come again comes no sooner, and not all at the same moment.
  const afterMs =
    askedMs === null
      ? withinHalf(wantedMs, leftMs, backOff)
      : Math.max(wantedMs, askedMs + random * backOff.baseMs);
  if (afterMs < leftMs) return { attempts: next, decision: { type: 'again', afterMs } };
  return { attempts: next, decision: { type: 'give up', because: 'time', neededMs: afterMs } };
}

function inARow({ polls, unheard, failures }: Attempts, outcome: Passing): number {
  if (outcome.type === 'waits') return polls;
  return outcome.type === 'cut' || outcome.by === 'worker' ? failures : unheard;
}

function ceilingMs({ baseMs, capMs }: BackOff, inARow: number): number {
  return Math.min(capMs, baseMs * 2 ** Math.max(0, inARow - 1));
}

/** From half of the ceiling, so that nobody is asked again at once, to all of it. */
function spread(ceiling: number, random: number): number {
  return (ceiling * (1 + random)) / 2;
}

/** A pause of its own choosing leaves time for another attempt, down to one that is hardly worth it. */
function withinHalf(wantedMs: number, leftMs: number, { baseMs }: BackOff): number {
  return Math.max(Math.min(wantedMs, leftMs / 2), baseMs / 2);
}
