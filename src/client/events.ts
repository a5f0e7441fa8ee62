import { EventEmitter } from 'eventemitter3';
import type { Failure } from './errors.js';

/** Which call an event is about. */
export interface CallFacts {
  /** 1 for the first call of this client, then one more each. */
  readonly call: number;
  readonly endpoint: string;
  /** The route of the call, such as `/v1/completions`. */
  readonly path: string;
}

/** What the client tells, by name. No event has a payload, an answer's body or a key in it. */
export interface ClientEvents {
  /** No worker is ready. The autoscaler is asked again after a pause. */
  waiting: CallFacts & {
    readonly requestIdx: number;
    /** How many workers are in which state, in the autoscaler's words. */
    readonly status: string;
    readonly pauseMs: number;
  };
  /** The autoscaler has named a worker, which is asked now. Requests of a session have theirs: none is named. */
  routed: CallFacts & { readonly requestIdx: number; readonly worker: string };
  /** An attempt came to nothing, and there is another one after a pause. */
  retry: CallFacts & {
    readonly error: Failure;
    readonly pauseMs: number;
  };
  /** The call is over. `left`: who read the stream went before its end. */
  ended: CallFacts & {
    readonly outcome: 'succeeded' | 'failed' | 'left';
    readonly error: Failure | null;
    /** The worker that was asked last. */
    readonly worker: string | null;
    /** How often a worker was asked. */
    readonly attempts: number;
    readonly durationMs: number;
  };
  /**
   * A session was given back. `gone`: it had ended before. `unknown`: its worker could not be told, so that it holds a
   * place there until its lifetime is over.
   */
  sessionEnded: {
    readonly endpoint: string;
    readonly sessionId: string;
    readonly worker: string;
    readonly outcome: 'ended' | 'gone' | 'unknown';
    readonly error: Failure | null;
  };
}

export type ClientEventName = keyof ClientEvents;

/** Who speaks does not know who listens, and a listener that fails stops neither the call nor other listeners. */
export class EventBus {
  readonly #emitter = new EventEmitter<ClientEventName>();

  emit<N extends ClientEventName>(name: N, event: ClientEvents[N]): void {
    this.#emitter.emit(name, event);
  }

  on<N extends ClientEventName>(name: N, listener: (event: ClientEvents[N]) => void): () => void {
    const safely = async (event: ClientEvents[N]): Promise<void> => {
      try {
        // It may be an async function: nobody else would hear that it failed.
        await listener(event);
      } catch (error) {
        console.error(`A listener of "${name}" failed:`, error);
      }
    };
    this.#emitter.on(name, safely);
    return () => void this.#emitter.off(name, safely);
  }
}
