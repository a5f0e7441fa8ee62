import type { ServerResponse } from 'node:http';
import { WorkerError } from '../errors.js';
import type { Admission } from './admission.js';

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
  /** To be called once, when the end of the request was told. */
  readonly ended: () => void;
}

const RETRY_AFTER_SECONDS = 5;

/** Lets requests in while the worker accepts them, and knows which are under way. */
export class Gate {
  readonly #admission: () => Admission;
  readonly #underWay = new Map<ServerResponse, AbortController>();
  readonly #waiting = new Set<() => void>();

  constructor(admission: () => Admission) {
    this.#admission = admission;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /**
   * Lets a request in until its response is closed and its end was told.
   *
   * @throws {WorkerError} `not_accepting`
   */
  enter(response: ServerResponse): Visit {
    const { accepting, reason } = this.#admission();
    if (!accepting) {
      throw new WorkerError('not_accepting', reason, {
        headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
      });
    }
    const controller = new AbortController();
    this.#underWay.set(response, controller);
    let waitsFor = 2;
    const leave = () => {
      waitsFor -= 1;
      if (waitsFor === 0) this.#leave(response);
    };
    response.once('close', () => {
      if (!response.writableFinished) controller.abort(new ClientGone('the client went away'));
      leave();
    });
    return { signal: controller.signal, ended: leave };
  }

  /** While draining, asks the client to come back on another connection, to another worker. */
  greet(response: ServerResponse): void {
    if (this.#admission().draining) askToClose(response);
  }

  /** From now on every answer that has not begun closes its connection. */
  drain(): void {
    for (const response of this.#underWay.keys()) askToClose(response);
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
    for (const controller of this.#underWay.values()) {
      controller.abort(new CutByDeadline('the time for draining is over'));
    }
  }

  #leave(response: ServerResponse): void {
    this.#underWay.delete(response);
    if (this.#underWay.size > 0) return;
    for (const done of [...this.#waiting]) done();
  }
}

function askToClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
