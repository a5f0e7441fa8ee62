import type { ServerResponse } from 'node:http';
import { Cancellation } from '../cancellation.js';
import { WorkerError } from '../errors.js';
import { answerError } from '../net/write.js';
import type { Admission } from './admission.js';
import { Stuck } from './stuck.js';
import { Waiters } from './waiters.js';
import { isWhole } from './whole.js';

/** Aborts a request whose client has gone, or is cut because it takes nothing. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** Aborts a request that was still under way when the time for draining was over. */
export class CutByDeadline extends Error {
  override readonly name = 'CutByDeadline';
}

/** One request inside. It has left when its response is closed and its end was told. */
export interface Visit {
  /** Aborted when the client goes, or when the request is cut. */
  readonly signal: Cancellation;
  /** Whether the worker accepted requests when it came, and has not turned it away since. */
  readonly wasAccepted: () => boolean;
  /** Aborts it for another reason. */
  readonly abort: (reason: Error) => void;
  /** To be called once, when it is here in full and known to be genuine: from then on draining waits for it. */
  readonly letIn: () => void;
  /** To be called once, when the end of the request was told. */
  readonly ended: () => void;
}

/**
 * Who is inside. A request that has left is taken out of here too: V8 keeps old versions of a `Set` for a while, with
 * all that they held, and without this each request would outlive its answer by as long and cost as much again.
 */
interface Inside {
  response: ServerResponse | null;
  signal: Cancellation | null;
  wasAccepted: boolean;
  isLetIn: boolean;
}

const RETRY_AFTER_SECONDS = 5;

/** How long a request may take to arrive in full that was on its way when draining began, if nothing else is waited for. */
const ARRIVAL_MS = 2_000;

/** How long a client that was turned away may take to read why, before its connection is cut. */
const LINGER_MS = 1_000;

/** Knows whether the worker accepts requests, and which are under way. */
export class Gate {
  readonly #admission: () => Admission;
  readonly #underWay = new Set<Inside>();
  readonly #waiting = new Waiters();
  readonly #stuck = new Stuck<Inside>();
  #letIn = 0;
  /** While strangers, whose requests are still arriving, are waited for after draining has begun. */
  #arrival: NodeJS.Timeout | undefined;

  constructor(admission: () => Admission) {
    this.#admission = admission;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Why nobody is accepted now, as the error that a client is told; undefined while the worker accepts. */
  get refusal(): WorkerError | undefined {
    const { accepting, reason } = this.#admission();
    if (accepting) return undefined;
    return new WorkerError('not_accepting', reason(), {
      headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
    });
  }

  /** Whether the worker drains: sessions that it holds may still finish their work. */
  get draining(): boolean {
    return this.#admission().draining;
  }

  /** Knows a request until its response is closed and its end was told. */
  enter(response: ServerResponse): Visit {
    const signal = new Cancellation();
    const wasAccepted = this.#admission().accepting;
    const inside: Inside = { response, signal, wasAccepted, isLetIn: false };
    this.#underWay.add(inside);
    let waitsFor = 2;
    const leave = () => {
      waitsFor -= 1;
      if (waitsFor === 0) this.#leave(inside);
    };
    response.once('close', () => {
      if (!isWhole(response)) signal.abort(new ClientGone('the client went away'));
      leave();
    });
    // No getter: V8 keeps a shape for each literal that has one, and with it all of the request, until it collects
    // everything. Requests cost a half more then.
    return {
      signal,
      wasAccepted: () => inside.wasAccepted,
      abort: (reason) => signal.abort(reason),
      letIn: () => {
        inside.isLetIn = true;
        this.#letIn += 1;
      },
      ended: leave,
    };
  }

  /** While draining, asks the client to come back on another connection, to another worker. */
  greet(response: ServerResponse): void {
    if (this.#admission().draining) askToClose(response);
  }

  /**
   * From now on every answer that has not begun closes its connection, and whoever is not let in is waited for but
   * a moment: its signature comes with its body, so until that is here it may be anybody.
   */
  drain(): void {
    for (const { response } of this.#underWay) if (response !== null) askToClose(response);
    this.#arrival ??= setTimeout(() => {
      this.#arrival = undefined;
      this.#look();
    }, ARRIVAL_MS).unref();
  }

  /** Takes back what `drain` has begun. */
  goOn(): void {
    this.#waitNoMore();
  }

  /**
   * Resolves when no request is under way that was let in, or rejects when the signal is aborted first. Requests
   * that are still arriving are turned away then.
   */
  async idle(signal: AbortSignal): Promise<void> {
    while (!this.#isAtRest) await this.#waiting.wait(signal);
    this.#turnAway();
  }

  /**
   * Cuts what is under way: each request is aborted and its connection closed. Answers how many were let in; their
   * ends are told when the gate is idle.
   */
  cut(): number {
    const cut = this.#letIn;
    this.#waitNoMore();
    for (const { signal, response } of [...this.#underWay]) {
      signal?.abort(new CutByDeadline('the time for draining is over'));
      // Who does not read the end of an answer would keep it under way.
      response?.destroy();
    }
    return cut;
  }

  /** Cuts those whose clients take nothing of their answers, and answers how many. To be called at even intervals. */
  cutStuck(): number {
    const stuck = this.#stuck.look(this.#underWay);
    for (const { signal, response } of stuck) {
      signal?.abort(new ClientGone('the client took nothing of its answer'));
      response?.destroy();
    }
    return stuck.length;
  }

  get #isAtRest(): boolean {
    return this.#underWay.size === 0 || (this.#letIn === 0 && this.#arrival === undefined);
  }

  /** Tells those whose requests are not here yet to go elsewhere. One that comes after all is rejected. */
  #turnAway(): void {
    this.#waitNoMore();
    const { refusal } = this;
    if (refusal === undefined) return;
    for (const inside of this.#underWay) {
      const { response, isLetIn } = inside;
      if (response === null || isLetIn) continue;
      inside.wasAccepted = false;
      answerError(response, refusal);
      const linger = setTimeout(() => response.destroy(), LINGER_MS).unref();
      response.once('close', () => clearTimeout(linger));
    }
  }

  #waitNoMore(): void {
    clearTimeout(this.#arrival);
    this.#arrival = undefined;
  }

  #leave(inside: Inside): void {
    this.#underWay.delete(inside);
    if (inside.isLetIn) this.#letIn -= 1;
    inside.response = inside.signal = null;
    this.#look();
  }

  #look(): void {
    if (this.#isAtRest) this.#waiting.release();
  }
}

function askToClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
