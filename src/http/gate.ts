import type { ServerResponse } from 'node:http';
import { WorkerError } from '../errors.js';
import type { Admission } from './admission.js';
import { isWhole } from './whole.js';

/** Aborts a request whose client has gone. */
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
  readonly signal: AbortSignal;
  /** Whether the worker accepted requests when it came. */
  readonly wasAccepted: boolean;
  /** Aborts it for another reason. */
  readonly abort: (reason: Error) => void;
  /** To be called once, when the end of the request was told. */
  readonly ended: () => void;
}

/**
 * Who is inside. A request that has left is taken out of here too: V8 keeps old versions of a `Set` for a while, with
 * all that they held, and without this each request would outlive its answer by as long and cost as much again.
 */
interface Inside {
  response: ServerResponse | null;
  controller: AbortController | null;
}

const RETRY_AFTER_SECONDS = 5;

/** Knows whether the worker accepts requests, and which are under way. */
export class Gate {
  readonly #admission: () => Admission;
  readonly #underWay = new Set<Inside>();
  readonly #waiting = new Set<() => void>();

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
    return new WorkerError('not_accepting', reason, {
      headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
    });
  }

  /** Whether the worker drains: sessions that it holds may still finish their work. */
  get draining(): boolean {
    return this.#admission().draining;
  }

  /** Knows a request until its response is closed and its end was told. */
  enter(response: ServerResponse): Visit {
    const controller = new AbortController();
    const inside: Inside = { response, controller };
    this.#underWay.add(inside);
    let waitsFor = 2;
    const leave = () => {
      waitsFor -= 1;
      if (waitsFor === 0) this.#leave(inside);
    };
    response.once('close', () => {
      if (!isWhole(response)) controller.abort(new ClientGone('the client went away'));
      leave();
    });
    const wasAccepted = this.#admission().accepting;
    return {
      signal: controller.signal,
      wasAccepted,
      abort: (reason) => controller.abort(reason),
      ended: leave,
    };
  }

  /** While draining, asks the client to come back on another connection, to another worker. */
  greet(response: ServerResponse): void {
    if (this.#admission().draining) askToClose(response);
  }

  /** From now on every answer that has not begun closes its connection. */
  drain(): void {
    for (const { response } of this.#underWay) if (response !== null) askToClose(response);
  }

  /** Resolves when no request is under way, or rejects when the signal is aborted first. */
  idle(signal: AbortSignal): Promise<void> {
    if (this.#underWay.size === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.delete(done);
        reject(signal.reason);
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Aborts what is under way. */
  cut(): void {
    for (const { controller } of this.#underWay) {
      controller?.abort(new CutByDeadline('the time for draining is over'));
    }
  }

  #leave(inside: Inside): void {
    this.#underWay.delete(inside);
    inside.response = inside.controller = null;
    if (this.#underWay.size > 0) return;
    for (const done of [...this.#waiting]) done();
  }
}

function askToClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
