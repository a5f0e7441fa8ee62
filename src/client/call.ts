import {
  type AttemptDecision,
  type AttemptOutcome,
  beginAttempts,
  decide,
  type Party,
} from '../../machines/attempts.js';
import { aborted, asFailure, type Peer } from './answers.js';
import type { Autoscaler } from './autoscaler.js';
import { failureIn, reasonOf, ServerlessError } from './errors.js';
import type { CallFacts, ClientEvents, EventBus } from './events.js';
import { Leash } from './leash.js';
import type { ClientSettings } from './options.js';
import { pause } from './pause.js';
import { retryAfterMs } from './retry-after.js';
import type { NoRoute, Route } from './shapes.js';

export interface CallParts {
  readonly facts: CallFacts;
  readonly settings: ClientSettings;
  readonly autoscaler: Autoscaler;
  readonly bus: EventBus;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly cost: number;
  readonly maxRetries: number;
  /** The worker of a session: it is asked without a new route. */
  readonly fixed?: Route;
}

/** Timers may be as early as this. */
const TIMER_SLACK_MS = 2;

/**
 * A session is gone with its worker, so one that nobody answers for is not waited for: with the usual pauses these are
 * from two to four seconds, in which a network may falter.
 */
const MAX_UNANSWERED_IN_SESSION = 5;

type GivenUp = Extract<AttemptDecision, { type: 'give up' }>;

/** What is done with a worker. Whoever succeeds lets go of the leash, or keeps it for a stream. */
export type Visit<T> = (route: Route, leash: Leash) => Promise<T>;

/** One call of the user: its attempts, and the time that is left for them. What to do next is decided by the reducer. */
export class Call {
  readonly #parts: CallParts;
  readonly #startedAt = performance.now();
  #attempts = beginAttempts(Math.floor(Math.random() * 2 ** 32));
  /** What the autoscaler said last where it had no worker. */
  #status: string | undefined;
  #worker: string | null = null;
  #visits = 0;
  /** Attempts that came to nothing, with whomever. */
  #failed = 0;
  #last: ServerlessError | undefined;
  /** Whether an answer had begun when the last attempt failed. */
  #wasAnswered = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** How often a worker was asked. */
  get visits(): number {
    return this.#visits;
  }

  get durationMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Does something with a worker, another one where need be, until it succeeds or must be given up. */
  withWorker<T>(visit: Visit<T>): Promise<T> {
    return this.#persist(async () => {
      const route = this.#parts.fixed ?? (await this.#route());
      this.#worker = route.url;
      this.#visits += 1;
      return this.#onLeash(this.#peer(route), this.#leftMs, (leash) => visit(route, leash));
    });
  }

  /** Asks the autoscaler until it answers, or must be given up. */
  withAutoscaler<T>(ask: (leash: Leash) => Promise<T>): Promise<T> {
    return this.#persist(() => this.#ask(ask));
  }

  /** Tells how the call has ended. */
  end(outcome: ClientEvents['ended']['outcome'], error: ServerlessError | null = null): void {
    const { facts, bus } = this.#parts;
    const { durationMs, visits: attempts } = this;
    const failure = error === null ? null : failureIn(error);
    bus.emit('ended', { ...facts, outcome, error: failure, worker: this.#worker, attempts, durationMs });
  }

  /** Tells the end of what it is made of. */
  async telling<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.end('succeeded');
      return result;
    } catch (thrown) {
      const error = asServerlessError(thrown);
      this.end('failed', error);
      throw error;
    }
  }

  get #leftMs(): number {
    return this.#parts.timeoutMs - this.durationMs;
  }

  async #persist<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (thrown) {
        await this.#recover(asServerlessError(thrown));
      }
    }
  }

  /** Waits for the next attempt, or throws what is to be told. */
  async #recover(error: ServerlessError): Promise<void> {
    const { signal, bus, facts } = this.#parts;
    const outcome = outcomeOf(error, this.#wasAnswered);
    if (outcome === undefined) throw this.#withBefore(error);
    if (error.code === 'autoscaler_lost' && this.#leftMs < TIMER_SLACK_MS) throw this.#outOfTime(error);
    this.#failed += 1;
    this.#last = error;
    // What came of it is the news; that the caller has gone meanwhile is the reason to stop.
    if (signal?.aborted) throw aborted(signal);
    const decision = this.#decide(outcome);
    if (decision.type === 'go on') return;
    if (decision.type === 'give up') throw this.#inTheEnd(error, decision);
    bus.emit('retry', { ...facts, error: failureIn(error), pauseMs: decision.afterMs });
    await pause(decision.afterMs, signal);
  }

  /** Polls until a worker is named. */
  async #route(): Promise<Route> {
    const { facts, bus, signal, cost, autoscaler } = this.#parts;
    for (;;) {
      const { requestIdx } = this.#attempts;
      const asked = { endpoint: facts.endpoint, cost, requestIdx };
      const answer = await this.#ask((leash) => autoscaler.route(asked, leash));
      const request_idx = answer.request_idx;
      const type = isRoute(answer) ? 'routed' : 'waits';
      const decision = this.#decide({ type, requestIdx: request_idx });
      if (isRoute(answer)) {
        this.#status = undefined;
        bus.emit('routed', { ...facts, requestIdx: request_idx, worker: answer.url });
        return answer;
      }
      this.#status = answer.status;
      if (decision.type !== 'again') throw this.#noWorker(answer.status);
      const { afterMs: pauseMs } = decision;
      bus.emit('waiting', { ...facts, requestIdx: request_idx, status: answer.status, pauseMs });
      await pause(pauseMs, signal);
    }
  }

  #ask<T>(ask: (leash: Leash) => Promise<T>): Promise<T> {
    const ms = Math.min(this.#leftMs, this.#parts.settings.routeTimeoutMs);
    return this.#onLeash({ party: 'autoscaler' }, ms, async (leash) => {
      const answer = await ask(leash);
      leash.letGo();
      return answer;
    });
  }

  async #onLeash<T>(peer: Peer, ms: number, work: (leash: Leash) => Promise<T>): Promise<T> {
    const leash = new Leash(this.#parts.signal, Math.max(0, ms));
    try {
      return await work(leash);
    } catch (thrown) {
      const error = asFailure(thrown, leash, peer);
      this.#wasAnswered = leash.isAnswered;
      leash.letGo();
      throw error;
    }
  }

  #peer({ url }: Route): Peer {
    return { party: 'worker', url, inSession: this.#parts.fixed !== undefined };
  }

  #decide(outcome: AttemptOutcome): AttemptDecision {
    const { settings, maxRetries, fixed } = this.#parts;
    const maxUnanswered = fixed === undefined ? Number.POSITIVE_INFINITY : MAX_UNANSWERED_IN_SESSION;
    const policy = { backOff: settings.backOff, maxRetries, maxUnanswered };
    const { attempts, decision } = decide(this.#attempts, outcome, this.#leftMs, policy);
    this.#attempts = attempts;
    return decision;
  }

  /** The error of the last attempt, with what led to its being the last. */
  #inTheEnd(error: ServerlessError, decision: GivenUp): ServerlessError {
    if (decision.because === 'final') return error;
    if (decision.because === 'gone') return sessionGone(error);
    const last = this.#failed > 1 ? `It was the last of ${this.#failed} attempts` : 'It was the only attempt';
    if (decision.because === 'retries') return error.adding(`${last}: maxRetries allows no more.`);
    const timeout = seconds(this.#parts.timeoutMs);
    return error.adding(
      `${last}: the next one needs ${seconds(decision.neededMs)}, and less is left of the timeout of ${timeout}.`,
    );
  }

  /** A worker that takes too long may be the last of many that failed. */
  #withBefore(error: ServerlessError): ServerlessError {
    if (error.code !== 'timeout' || this.#last === undefined) return error;
    return error.adding(`The attempt before failed: ${this.#last.what}`);
  }

  /** The end of the time cut a question to the autoscaler short: what came before it is what kept the call from its end. */
  #outOfTime(cut: ServerlessError): ServerlessError {
    if (this.#status !== undefined) return this.#noWorker(this.#status, cut);
    const tried = `It was the last of ${this.#failed} attempts in the ${seconds(this.#parts.timeoutMs)} of timeout.`;
    return this.#last === undefined ? cut : this.#last.adding(tried);
  }

  #noWorker(status: string, cause?: unknown): ServerlessError {
    const what = `No worker was ready within ${seconds(this.#parts.timeoutMs)}: ${status}.`;
    return new ServerlessError('no_worker', what, { cause });
  }
}

/** What is left to be decided about; undefined: nothing, it is the end. */
function outcomeOf(
  { code, status, headers }: ServerlessError,
  wasAnswered: boolean,
): AttemptOutcome | undefined {
  if (code === 'worker_lost') return wasAnswered ? { type: 'cut' } : { type: 'lost', by: 'worker' };
  if (code === 'autoscaler_lost') return { type: 'lost', by: 'autoscaler' };
  const by: Party | undefined =
    code === 'worker_failed' ? 'worker' : code === 'autoscaler_failed' ? 'autoscaler' : undefined;
  if (by === undefined || status === undefined) return undefined;
  return { type: 'answered', by, status, retryAfterMs: retryAfterMs(headers, Date.now()) };
}

function sessionGone({ what, cause, worker }: ServerlessError): ServerlessError {
  const why = `Nobody has answered there ${MAX_UNANSWERED_IN_SESSION} times in a row, and a session is gone with its worker.`;
  return new ServerlessError('session_ended', `${what} ${why}`, { cause, worker });
}

function isRoute(answer: Route | NoRoute): answer is Route {
  return 'url' in answer;
}

/** Whatever was thrown that is none of ours is a mistake of this client's, and keeps its cause. */
function asServerlessError(thrown: unknown): ServerlessError {
  if (thrown instanceof ServerlessError) return thrown;
  return new ServerlessError('unexpected_answer', `The call failed (${reasonOf(thrown)}).`, {
    cause: thrown,
  });
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
