import { type Backend, type BackendContext, type CompiledRoute, isStream } from './backend/index.js';

/** Holds one backend while it runs: loads it, keeps what it loaded, and tells it when to let go. */
export class BackendHost {
  readonly backend: Backend;
  readonly context: Omit<BackendContext, 'signal'>;
  readonly #life = new AbortController();
  #state: unknown;
  /** Lets go of what the last load began. */
  #endLoad: (reason: unknown) => void = () => {};

  constructor(backend: Backend, context: Omit<BackendContext, 'signal'>) {
    this.backend = backend;
    this.context = context;
  }

  /** What the backend's `init` returned last. */
  get state(): unknown {
    return this.#state;
  }

  /**
   * Runs the backend's `init`. Its signal is aborted when this load fails or is given up, or later when it is
   * loaded anew or the worker stops, so that what `init` began in the background can use it to end.
   */
  async init(givenUp: AbortSignal): Promise<void> {
    this.#endLoad(new Error('the backend is loaded anew'));
    const life = this.#life.signal;
    const load = new AbortController();
    const end = (reason: unknown) => {
      life.removeEventListener('abort', release);
      load.abort(reason);
    };
    const release = () => end(life.reason);
    const giveUp = () => end(givenUp.reason);
    this.#endLoad = end;
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
  }

  /** Answers a body with a route that is handled here, to the end of what it yields. For the benchmark. */
  async answer(route: CompiledRoute, body: unknown, signal: AbortSignal): Promise<void> {
    const request = { ...this.context, signal, state: this.#state, body, query: new URLSearchParams() };
    const result = await route.handle?.(request);
    if (!isStream(result)) return;
    for await (const _ of result) signal.throwIfAborted();
  }

  /** Aborts whatever `init` left running. */
  release(): void {
    this.#life.abort(new Error('the worker has stopped'));
  }
}
