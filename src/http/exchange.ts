import type { Request, Response } from 'express';
import type { RequestEvent, RequestFacts, RequestOutcome } from '../../machines/events.js';
import { type CompiledRoute, workloadOf } from '../backend/index.js';
import type { Abortable } from '../cancellation.js';
import { asWorkerError, WorkerError } from '../errors.js';
import { allowOnly, READING } from './allow-only.js';
import type { Door } from './door.js';
import { ClientGone, CutByDeadline, type Gate, type Visit } from './gate.js';
import type { Lanes } from './lanes.js';
import { byField, isMalformed } from './malformed.js';
import { waitIsTooLong } from './queue-time.js';
import type { Roster } from './roster.js';
import { Sent } from './sent.js';
import type { Sessions } from './sessions.js';
import { unlessAborted } from './unless-aborted.js';
import { createWork, textFor, type WorkOptions } from './work.js';

export interface ExchangeOptions extends WorkOptions {
  readonly gate: Gate;
  readonly door: Door;
  readonly roster: Roster;
  readonly lanes: Lanes;
  readonly sessions: Sessions;
  /**
   * Whether the autoscaler is told of requests that were refused. Where it is not, nobody is read whom the worker
   * does not accept, and what has the wrong form counts as work all the same.
   */
  readonly tellsRefusals: boolean;
  /** Units of work per second; 0: not known. */
  readonly maxPerf: () => number;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly nextId: () => number;
  readonly emit: (event: RequestEvent) => void;
  readonly onWorkloadProblem: (route: CompiledRoute, problem: string) => void;
}

/** A request that counts, and what is known of it when it ends. */
interface Counted {
  readonly route: CompiledRoute;
  readonly response: Response;
  readonly signal: Abortable;
  readonly sent: Sent;
  /** How long its body was. */
  readonly bytes: number;
}

/** Of a request that was refused for its form: its turn never came, and nothing was answered by its route. */
const UNTOUCHED = { workStartedAtMs: null, firstByteAtMs: null, receivedBytes: 0, sentBytes: 0 } as const;

/** Makes the function that takes one request of a route from its socket to the model and back. */
export function createExchange(options: ExchangeOptions) {
  const { gate, door, roster, lanes, sessions, tellsRefusals, maxPerf, now, nextId, emit } = options;
  const workOn = createWork(options);

  return async (route: CompiledRoute, request: Request, response: Response): Promise<void> => {
    allowOnly(methodsOf(route), route.path, request);
    if (!tellsRefusals || route.public) throwIf(gate.refusal);
    const visit = gate.enter(response);
    try {
      await take(route, request, response, visit);
    } finally {
      visit.ended();
    }
  };

  async function take(
    route: CompiledRoute,
    request: Request,
    response: Response,
    visit: Visit,
  ): Promise<void> {
    const { signal } = visit;
    const { opened, body, text, workload } = await read(route, request, visit);
    const sent = new Sent(now);
    const work = (onMade: () => void) =>
      workOn({ route, request, response, text, body, signal, sent, onMade });
    if (route.public) {
      await work(() => {});
      return;
    }
    const { sessionId, auth, bytes } = opened;
    const kind = sessionId === null ? 'request' : 'in-session';
    const requestIdx = auth?.requestIdx ?? null;
    const facts = { id: nextId(), kind, route: route.path, workload, requestIdx } as const;
    const refusal = refusalOf(route, kind, visit);
    if (refusal !== undefined) {
      if (tellsRefusals) emit({ type: 'request.rejected', ...facts, atMs: now() });
      throw refusal;
    }
    const leaveSession = sessionId === null ? () => {} : sessions.enter(sessionId, visit.abort);
    try {
      await count(facts, { route, response, signal, sent, bytes }, work);
    } finally {
      leaveSession();
    }
  }

  /** Reads a request, and lets it in or throws. Up to here it has changed nothing. */
  async function read(route: CompiledRoute, request: Request, { signal, letIn }: Visit) {
    try {
      const opened = await door.open(route, request);
      if (opened.sessionId !== null) sessions.expect(opened.sessionId);
      letIn();
      const body = route.parse === null ? opened.json : await unlessAborted(route.parse(opened.json), signal);
      const workload = workloadOf(route, body, (problem) => options.onWorkloadProblem(route, problem));
      return { opened, body, workload, text: textFor(route, opened, body) };
    } catch (error) {
      if (tellsRefusals) throw byField(error);
      const hasLeft = request.complete && signal.reason instanceof ClientGone;
      if (!route.public && (isMalformed(error) || hasLeft)) countMalformed(route, signal);
      throw error;
    }
  }

  /**
   * Why a request that is valid is not taken all the same. While the worker drains, what came before and what is
   * sent in a session are not new.
   */
  function refusalOf(
    route: CompiledRoute,
    kind: RequestFacts['kind'],
    { wasAccepted }: Visit,
  ): WorkerError | undefined {
    const isOld = kind === 'in-session' || wasAccepted();
    const refusal = isOld && gate.draining ? undefined : gate.refusal;
    if (kind === 'in-session') return refusal;
    return refusal ?? waitIsTooLong(roster.expectedWaitMs(maxPerf()), route, maxPerf());
  }

  /** Lets a request work when it is its turn, and tells its start and its end. */
  async function count(
    facts: Omit<RequestFacts, 'atMs'>,
    { route, response, signal, sent, bytes }: Counted,
    work: (onMade: () => void) => Promise<RequestOutcome>,
  ): Promise<void> {
    const started: RequestFacts = { ...facts, atMs: now() };
    let outcome: RequestOutcome = 'errored';
    roster.add(started, sent);
    emit({ type: 'request.started', ...started });
    try {
      const leaveLane = await lanes.of(route).enter(signal, route.maxQueueMs);
      try {
        sent.workStartedAtMs = now();
        outcome = await work(() => {
          leaveLane();
          roster.made(facts.id);
        });
      } finally {
        leaveLane();
      }
    } catch (error) {
      outcome = outcomeOf(error, signal);
      if (!signal.aborted) throw error;
      // A session that ended says so. Else nobody is left to be told: the client has gone, or is cut.
      if (signal.reason instanceof WorkerError) throw signal.reason;
      response.destroy();
    } finally {
      roster.remove(facts.id);
      emit({
        type: `request.${outcome}`,
        ...started,
        atMs: now(),
        enteredAtMs: started.atMs,
        workStartedAtMs: sent.workStartedAtMs,
        firstByteAtMs: sent.firstByteAtMs,
        receivedBytes: bytes,
        sentBytes: sent.bytes,
      });
    }
  }

  /** A request that is refused for its form is work where all of its route are alike. */
  function countMalformed(route: CompiledRoute, signal: Abortable): void {
    const workload = typeof route.workload === 'number' ? route.workload : 0;
    const atMs = now();
    const facts: RequestFacts = {
      id: nextId(),
      kind: 'request',
      route: route.path,
      workload,
      requestIdx: null,
      atMs,
    };
    emit({ type: 'request.started', ...facts });
    const type = signal.reason instanceof ClientGone ? 'request.cancelled' : 'request.errored';
    emit({ type, ...facts, ...UNTOUCHED, enteredAtMs: atMs });
  }
}

/** Of a route that counts the head alone can't be had: its work would be done all the same. */
function methodsOf({ method, public: isPublic }: CompiledRoute): string | readonly string[] {
  return isPublic && method === 'GET' ? READING : method;
}

function outcomeOf(error: unknown, signal: Abortable): RequestOutcome {
  if (signal.reason instanceof ClientGone) return 'cancelled';
  if (signal.reason instanceof CutByDeadline) return 'errored';
  const code = asWorkerError(error)?.code;
  if (code === 'client_closed_request') return 'cancelled';
  return code === 'queue_time_exceeded' ? 'expired' : 'errored';
}

function throwIf(error: WorkerError | undefined): void {
  if (error !== undefined) throw error;
}
