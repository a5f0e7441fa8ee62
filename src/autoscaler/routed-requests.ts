import type { Dialect } from './decode.js';
import { type CompletionCounts, type CompletionStatus, countFinished, NONE_FINISHED } from './finished.js';

/** Where a request was routed to. */
export interface Assignment {
  readonly workerId: number;
  readonly dialect: Dialect;
  readonly url: string;
  /** 1 for the first request that was routed, then one more each. */
  readonly reqnum: number;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

/** What a client asks for. */
export interface Ask {
  readonly cost: number;
  /** A waiting request that is not asked for again within this time is forgotten. */
  readonly replayTimeoutMs: number;
}

/**
 * One request of a client.
 * - `waiting`: no worker was ready; the client asks again and again.
 * - `assigned`: the client knows its worker.
 * - `finished`: the worker told how it ended.
 */
export type RequestState = 'waiting' | 'assigned' | 'finished';

export interface RoutedRequest extends Ask {
  readonly requestIdx: number;
  readonly state: RequestState;
  /** Monotonic milliseconds, as all times here. */
  readonly askedAtMs: number;
  readonly polledAtMs: number;
  readonly assignment: Assignment | null;
  readonly finish: { readonly atMs: number; readonly status: CompletionStatus } | null;
}

export type AssignedRequest = RoutedRequest & { readonly assignment: Assignment };

export interface RequestCounts {
  /** Ever assigned to a worker. */
  readonly routed: number;
  /** Now. */
  readonly waiting: number;
  /** Now, and not finished. */
  readonly assigned: number;
  /** Ever, of those that were routed here. */
  readonly finished: CompletionCounts;
  /** Forgotten to make room. */
  readonly dropped: number;
  /** Forgotten because the client stopped asking, or its worker does not have it and tells nothing of it. */
  readonly expired: number;
}

export const MAX_REQUESTS = 10_000;

/**
 * A client that waits asks every five seconds at least. One that has missed three times has left, as far as anybody can
 * tell: no worker is started for it, though it finds its place again until its own time-out is over.
 */
const ASKS_WITHIN_MS = 15_000;

/** Whoever was given a worker has come by then, and a worker has told that a request has ended. */
const MISSING_FOR_MS = 60_000;

/** The requests that clients asked a route for, by `request_idx`, oldest first, bounded. */
export class RoutedRequests {
  readonly #maxCount: number;
  readonly #requests = new Map<number, RoutedRequest>();
  readonly #waiting = new Set<number>();
  /** Each with the time since which it is missing at its worker; null: it is there, as far as is known. */
  readonly #assigned = new Map<number, number | null>();
  #lastIdx = 0;
  #routed = 0;
  #finished: CompletionCounts = NONE_FINISHED;
  #dropped = 0;
  #expired = 0;

  constructor(maxCount = MAX_REQUESTS) {
    this.#maxCount = maxCount;
  }

  get counts(): RequestCounts {
    return {
      routed: this.#routed,
      waiting: this.#waiting.size,
      assigned: this.#assigned.size,
      finished: this.#finished,
      dropped: this.#dropped,
      expired: this.#expired,
    };
  }

  /** As many wait as are remembered: one more would make another lose its place. */
  get isFull(): boolean {
    return this.#waiting.size >= this.#maxCount;
  }

  /** The work of those that wait, as far as their clients still ask, and how long its units have waited on average. */
  queue(nowMs: number): { readonly cost: number; readonly waitedMs: number } {
    let [cost, sum] = [0, 0];
    for (const requestIdx of this.#waiting) {
      const request = this.#requests.get(requestIdx);
      if (request === undefined || nowMs - request.polledAtMs >= ASKS_WITHIN_MS) continue;
      cost += request.cost;
      sum += request.cost * (nowMs - request.askedAtMs);
    }
    return { cost, waitedMs: cost === 0 ? 0 : sum / cost };
  }

  find(requestIdx: number): RoutedRequest | undefined {
    return this.#requests.get(requestIdx);
  }

  /** A `request_idx` that no request has. */
  newIdx(): number {
    do this.#lastIdx += 1;
    while (this.#requests.has(this.#lastIdx));
    return this.#lastIdx;
  }

  /** The client has to ask again. One that waits already keeps its place and its time. */
  wait(requestIdx: number, ask: Ask, atMs: number): void {
    const before = this.#requests.get(requestIdx);
    const askedAtMs = before?.state === 'waiting' ? before.askedAtMs : atMs;
    this.#put({
      ...ask,
      requestIdx,
      state: 'waiting',
      askedAtMs,
      polledAtMs: atMs,
      assignment: null,
      finish: null,
    });
  }

  /** The client gets a worker: the next `reqnum` is its own. */
  assign(requestIdx: number, ask: Ask, to: Omit<Assignment, 'reqnum'>): Assignment {
    const before = this.#requests.get(requestIdx);
    this.#routed += 1;
    const assignment = { ...to, reqnum: this.#routed };
    const askedAtMs = before?.state === 'waiting' ? before.askedAtMs : to.atMs;
    const times = { askedAtMs, polledAtMs: to.atMs };
    this.#put({ ...ask, requestIdx, state: 'assigned', ...times, assignment, finish: null });
    return assignment;
  }

  /** The worker that a request was given does not take it: it waits for another, and is still the same. */
  giveBack(requestIdx: number, atMs: number): void {
    const request = this.#requests.get(requestIdx);
    if (request?.state !== 'assigned') return;
    this.#put({ ...request, state: 'waiting', polledAtMs: atMs, assignment: null });
  }

  /**
   * The process of a worker has ended, and tells no more of what it had. That waits for another worker, is no demand
   * until its client asks, and is forgotten like all that nobody asks for.
   */
  loseWorker(workerId: number, atMs: number): void {
    for (const request of this.#requests.values()) {
      if (!this.isOpen(request.requestIdx, workerId)) continue;
      const polledAtMs = Math.min(request.polledAtMs, atMs - ASKS_WITHIN_MS);
      this.#put({ ...request, state: 'waiting', polledAtMs, assignment: null });
    }
  }

  /** Whether the request is with this worker and not finished. */
  isOpen(requestIdx: number, workerId: number): boolean {
    const request = this.#requests.get(requestIdx);
    return request?.state === 'assigned' && request.assignment?.workerId === workerId;
  }

  /** What the worker of a request said of its end; what others say of it changes nothing. */
  finish(requestIdx: number, workerId: number, status: CompletionStatus, atMs: number): void {
    const request = this.#requests.get(requestIdx);
    if (request === undefined || !this.isOpen(requestIdx, workerId)) return;
    this.#finished = countFinished(this.#finished, status);
    this.#put({ ...request, state: 'finished', finish: { atMs, status } });
  }

  /** Forgets the waiting requests whose clients have stopped asking. */
  forgetUnpolled(nowMs: number): void {
    for (const requestIdx of this.#waiting) {
      const request = this.#requests.get(requestIdx);
      if (request === undefined || nowMs - request.polledAtMs < request.replayTimeoutMs) continue;
      this.#expire(request);
    }
  }

  /** Forgets the requests that have been missing at their workers for so long that nothing will be told of them. */
  forgetMissing(nowMs: number, isMissing: (request: AssignedRequest) => boolean): void {
    for (const [requestIdx, missingSinceMs] of this.#assigned) {
      const request = this.#requests.get(requestIdx);
      if (request === undefined || !isAssigned(request)) continue;
      if (!isMissing(request)) this.#assigned.set(requestIdx, null);
      else if (missingSinceMs === null) this.#assigned.set(requestIdx, nowMs);
      else if (nowMs - missingSinceMs >= Math.max(request.replayTimeoutMs, MISSING_FOR_MS))
        this.#expire(request);
    }
  }

  /** Forgets a request whose client is known to ask no more, if it still waits. */
  leave(requestIdx: number): void {
    const request = this.#requests.get(requestIdx);
    if (request?.state === 'waiting') this.#expire(request);
  }

  /** The last `limit` requests, latest first. */
  latest(limit: number): RoutedRequest[] {
    return limit === 0 ? [] : [...this.#requests.values()].slice(-limit).reverse();
  }

  #put(request: RoutedRequest): void {
    const before = this.#requests.get(request.requestIdx);
    // A request that begins anew goes to the end of the line, one that goes on keeps its place.
    if (before !== undefined) this.#tally(before, -1);
    if (before !== undefined && request.askedAtMs !== before.askedAtMs) {
      this.#requests.delete(request.requestIdx);
    }
    this.#requests.set(request.requestIdx, request);
    this.#tally(request, 1);
    const [oldest] = this.#requests.values();
    if (this.#requests.size <= this.#maxCount || oldest === undefined) return;
    this.#remove(oldest);
    this.#dropped += 1;
  }

  #expire(request: RoutedRequest): void {
    this.#remove(request);
    this.#expired += 1;
  }

  #remove(request: RoutedRequest): void {
    this.#requests.delete(request.requestIdx);
    this.#tally(request, -1);
  }

  #tally({ requestIdx, state }: RoutedRequest, change: 1 | -1): void {
    if (state === 'waiting' && change === 1) this.#waiting.add(requestIdx);
    else if (state === 'assigned' && change === 1) this.#assigned.set(requestIdx, null);
    else if (state === 'waiting') this.#waiting.delete(requestIdx);
    else if (state === 'assigned') this.#assigned.delete(requestIdx);
  }
}

function isAssigned(request: RoutedRequest): request is AssignedRequest {
  return request.assignment !== null;
}
