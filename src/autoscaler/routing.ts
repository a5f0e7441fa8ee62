import type { Belief } from '../../machines/belief.js';
import type { WorkerPhase } from '../../machines/scaling.js';
import { WorkerError } from '../errors.js';
import { candidatesOf, RoutedLoad, type RoutingCandidate } from './candidates.js';
import { breakdown, chooseWorker, isReady, type Ready } from './choose-worker.js';
import type { Clock } from './clock.js';
import type { Fleet } from './fleet.js';
import type { SigningKeys } from './keys.js';
import { isMissing } from './missing.js';
import { routeText } from './route-text.js';
import { type Ask, type Assignment, type RoutedRequest, RoutedRequests } from './routed-requests.js';
import type { WorkerRecord } from './worker-record.js';

/** A route to a worker: what a client sends on as `auth_data`. Names of the wire. */
export interface RoutedAnswer {
  readonly cost: number;
  readonly endpoint: string;
  readonly reqnum: number;
  readonly request_idx: number;
  /** Base64. */
  readonly signature: string;
  readonly url: string;
}

/** No worker is ready: the client asks again with the same `request_idx`. */
export interface WaitingAnswer {
  readonly endpoint: string;
  readonly request_idx: number;
  /** How many workers are in which state, and what keeps them from being ready, where it is known. */
  readonly status: string;
}

export type RouteAnswer = RoutedAnswer | WaitingAnswer;

/** Whether a worker may be given a request. */
export type Suits = (candidate: RoutingCandidate) => boolean;

const anyone: Suits = () => true;

/** What routing needs to know of everything else. */
export interface RoutingParts {
  readonly endpoint: string;
  readonly fleet: () => Fleet;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  readonly reportIntervalMs: number;
  /** A worker where a request would wait longer is full. Infinity: none ever is. */
  readonly maxQueueTimeMs: number;
  /** Whether nobody is to be sent to a worker, whatever it told. */
  readonly isWithdrawn: (worker: number) => boolean;
  /** What workers are believed to do, whatever they told. */
  readonly belief: () => Belief;
  /** Where those workers are that have told nothing. */
  readonly untold: () => readonly WorkerPhase[];
  /** Why there may be no worker for long, for those who wait; empty: nothing is known of it. */
  readonly trouble: () => string;
  /** A request has come: its work, before it is known who does it. */
  readonly onAsked: (cost: number) => void;
  /** A request has to wait, since nobody is ready for it. */
  readonly onWaiting: () => void;
}

const FORGET_EVERY_MS = 1_000;

const RETRY_AFTER_SECONDS = 5;

function tooManyWait(): WorkerError {
  return new WorkerError('no_worker', 'No worker is ready, and as many requests wait as may. Try again.', {
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}

/** Gives each request a worker, and remembers what it gave. */
export class Routing {
  readonly requests = new RoutedRequests();
  readonly #parts: RoutingParts;
  readonly #load = new RoutedLoad();
  #forgotAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: RoutingParts) {
    this.#parts = parts;
  }

  /**
   * A route for a request, signed, or the reason to wait. `requestIdx` 0 asks for a new request. One
   * that has its worker already is told the same again, since its answer may have been lost; unless
   * the worker is no longer ready, or the request has ended: then it is routed anew.
   *
   * @param suits which workers it may be given
   * @throws {WorkerError} `no_worker`: it would have to wait, and as many do as may
   */
  async route(requestIdx: number, ask: Ask, suits: Suits = anyone): Promise<RouteAnswer> {
    const nowMs = this.#parts.clock.now();
    // It goes through all that wait or have a worker: too much for every poll.
    if (nowMs - this.#forgotAtMs >= FORGET_EVERY_MS) this.forgetLeft(nowMs);
    const all = this.#candidates(nowMs);
    const candidates = all.filter(suits);
    const idx = requestIdx === 0 ? this.requests.newIdx() : requestIdx;
    const known = this.requests.find(idx);
    if (known?.assignment && isStillGood(known, known.assignment, candidates, nowMs)) {
      return this.#answer(idx, known.cost, known.assignment);
    }
    const chosen = chooseWorker(candidates, this.#parts.maxQueueTimeMs);
    const isNew = known === undefined || known.state === 'finished';
    if (chosen === undefined && isNew && this.requests.isFull) throw tooManyWait();
    // One that goes on to another worker brings no new work.
    if (isNew) this.#parts.onAsked(ask.cost);
    if (chosen === undefined) {
      this.requests.wait(idx, ask, nowMs);
      this.#parts.onWaiting();
      return { endpoint: this.#parts.endpoint, request_idx: idx, status: this.#whyNone(all) };
    }
    const { id: workerId, dialect, url } = chosen;
    const assignment = this.requests.assign(idx, ask, { workerId, dialect, url, atMs: nowMs });
    const worker = this.#parts.fleet().workers.get(workerId);
    if (worker !== undefined) this.#load.add(worker, ask.cost);
    return this.#answer(idx, ask.cost, assignment);
  }

  /** The work that was routed to a worker since it last told. */
  routedSince(worker: WorkerRecord): number {
    return this.#load.of(worker);
  }

  /** Where one could ask a worker now without being a request of its own; `undefined`: none is ready. */
  peek(suits: Suits = anyone): Ready<RoutingCandidate> | undefined {
    return chooseWorker(this.#candidates(this.#parts.clock.now()).filter(suits));
  }

  /** Forgets the requests whose clients have stopped asking, or did not go to their workers. */
  forgetLeft(nowMs: number): void {
    const { fleet, reportIntervalMs } = this.#parts;
    this.#forgotAtMs = nowMs;
    this.requests.forgetUnpolled(nowMs);
    this.requests.forgetMissing(nowMs, (request) => isMissing(request, fleet(), nowMs, reportIntervalMs));
  }

  #whyNone(candidates: readonly RoutingCandidate[]): string {
    const advice = candidates.some(isNowhere) ? TELL_ADDRESS : '';
    return [breakdown(candidates, this.#parts.untold()), advice, this.#parts.trouble()]
      .filter((part) => part !== '')
      .join('; ');
  }

  #candidates(nowMs: number): RoutingCandidate[] {
    const fleet = this.#parts.fleet();
    this.#load.keepOnly(fleet);
    const { reportIntervalMs, isWithdrawn, belief } = this.#parts;
    return candidatesOf(fleet, this.#load, nowMs, reportIntervalMs, isWithdrawn, belief());
  }

  async #answer(requestIdx: number, cost: number, assignment: Assignment): Promise<RoutedAnswer> {
    const { endpoint, keys } = this.#parts;
    const { dialect, reqnum, url } = assignment;
    const signature = await keys.sign(routeText(dialect, { cost, endpoint, reqnum, url }));
    return { cost, endpoint, reqnum, request_idx: requestIdx, signature, url };
  }
}

/** In `legacy` only workers with a model server tell where they are. */
const TELL_ADDRESS =
  'a worker whose backend has no model server tells its address in the current dialect only: start it with TSWORKER_DIALECT=current';

function isNowhere({ dialect, state, url }: RoutingCandidate): boolean {
  return dialect === 'legacy' && state === 'serving' && url === undefined;
}

/** Whether the worker that a request was given may be told again. */
function isStillGood(
  request: RoutedRequest,
  { workerId, url, atMs }: Assignment,
  candidates: readonly RoutingCandidate[],
  nowMs: number,
): boolean {
  if (request.state !== 'assigned' || nowMs - atMs >= request.replayTimeoutMs) return false;
  return candidates.some(
    (candidate) => candidate.id === workerId && candidate.url === url && isReady(candidate),
  );
}
