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
   * Runs the backend's `init`. Its signal is aborted when this load is given up, or later when the
   * worker stops, so that what `init` began in the background can use it to end.
   */
  async load(givenUp: AbortSignal): Promise<LoadOutput> {
    const startedAtMs = this.#now();
    const life = this.#life.signal;
    const controller = new AbortController();
    life.addEventListener('abort', () => controller.abort(life.reason), { once: true });
    const giveUp = () => controller.abort(givenUp.reason);
    givenUp.addEventListener('abort', giveUp, { once: true });
    try {
      const state = await this.backend.init({ ...this.context, signal: controller.signal });
      if (!givenUp.aborted) this.#state = state;
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
