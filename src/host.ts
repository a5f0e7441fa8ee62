import type { LoadOutput } from '../machines/lifecycle.js';
import type { Backend, BackendContext } from './backend/index.js';

/** Holds one backend while it runs: loads it, keeps what it loaded, and tells it when to let go. */
export class BackendHost {
  readonly backend: Backend;
  readonly context: Omit<BackendContext, 'signal'>;
  readonly #now: () => number;
  readonly #life = new AbortController();
  #state: unknown;

  constructor(backend: Backend, context: Omit<BackendContext, 'signal'>, now: () => number) {
    this.backend = backend;
    this.context = context;
    this.#now = now;
  }

  /** What the backend's `init` returned last. */
  get state(): unknown {
    return this.#state;
  }

  /**
   * Runs the backend's `init`. Its signal is aborted when this load fails or is given up, or later when
   * the worker stops, so that what `init` began in the background can use it to end.
   */
  async load(givenUp: AbortSignal): Promise<LoadOutput> {
    const startedAtMs = this.#now();
    const life = this.#life.signal;
    const load = new AbortController();
    const end = (reason: unknown) => {
      life.removeEventListener('abort', release);
      load.abort(reason);
    };
    const release = () => end(life.reason);
    const giveUp = () => end(givenUp.reason);
    life.addEventListener('abort', release);
    givenUp.addEventListener('abort', giveUp);
    try {
      const state = await this.backend.init({ ...this.context, signal: load.signal });
      if (!givenUp.aborted) this.#state = state;
    } catch (error) {
      end(error);
      throw error;
    } finally {
      givenUp.removeEventListener('abort', giveUp);
    }
    return { loadTimeSeconds: (this.#now() - startedAtMs) / 1000, maxPerf: this.backend.maxPerf };
  }

  /** Aborts whatever `init` left running. */
  release(): void {
    this.#life.abort(new Error('the worker has stopped'));
  }
}
