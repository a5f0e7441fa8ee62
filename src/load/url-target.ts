import { Agent, type Dispatcher } from 'undici';
import type { Outcome, Sample } from './sample.js';
import type { Clock, Payload, Target } from './target.js';

export interface UrlTargetOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long one request may take. */
  readonly timeoutMs: number;
  readonly now: Clock;
}

/** A server by its address: each request goes over a connection on which no other one is under way. */
export function urlTarget({ url, headers, timeoutMs, now }: UrlTargetOptions): Target {
  const { origin, pathname, search } = new URL(url);
  // The one limit is the time-out of a request.
  const limits = { connect: { timeout: timeoutMs }, headersTimeout: 0, bodyTimeout: 0 };
  const agent = new Agent({ connections: null, pipelining: 1, ...limits });
  const path = pathname + search;
  const withBody = { 'content-type': 'application/json', ...headers };
  const underWay = new Set<Answer>();
  return {
    send: ({ text, cost }: Payload, sample: Sample) => {
      sample.cost = cost;
      const options: Dispatcher.DispatchOptions =
        text === null
          ? { origin, path, method: 'GET', headers }
          : { origin, path, method: 'POST', headers: withBody, body: text };
      return new Promise((resolve) => {
        const answer = new Answer(sample, { timeoutMs, now }, (outcome) => {
          underWay.delete(answer);
          resolve(outcome);
        });
        underWay.add(answer);
        agent.dispatch(options, answer);
      });
    },
    cut: () => {
      for (const answer of underWay) answer.giveUp({ kind: 'cut' });
    },
    close: () => agent.destroy(),
  };
}

/** Hears of one answer. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #sample: Sample;
  readonly #now: Clock;
  readonly #onEnd: (outcome: Outcome) => void;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #given: Outcome | undefined;

  constructor(
    sample: Sample,
    { timeoutMs, now }: Pick<UrlTargetOptions, 'timeoutMs' | 'now'>,
    onEnd: (outcome: Outcome) => void,
  ) {
    this.#sample = sample;
    this.#now = now;
    this.#onEnd = onEnd;
    this.#timer = setTimeout(() => this.giveUp({ kind: 'failed', name: 'timeout' }), timeoutMs);
  }

  /** Ends it with this outcome, also while it waits for a connection. */
  giveUp(outcome: Outcome): void {
    this.#given ??= outcome;
    if (this.#controller === undefined) this.#end(this.#given);
    else this.#controller.abort(GIVEN_UP);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It was given up while it waited for a connection.
    if (this.#given !== undefined) controller.abort(GIVEN_UP);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    this.#status = statusCode;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#sample.firstByteMs ??= this.#now();
    this.#sample.bytes += chunk.length;
  }

  onResponseEnd(): void {
    this.#sample.firstByteMs ??= this.#now();
    const isGood = this.#status >= 200 && this.#status <= 299;
    this.#end(isGood ? { kind: 'succeeded' } : { kind: 'failed', name: String(this.#status) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(this.#given ?? { kind: 'failed', name: `connection lost ${codeOf(error)}` });
  }

  #end(outcome: Outcome): void {
    clearTimeout(this.#timer);
    this.#onEnd(outcome);
  }
}

const GIVEN_UP = new Error('it was given up');

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
