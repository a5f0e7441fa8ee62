import type { Backend } from '../backend/index.js';
import type { Bus } from '../bus.js';
import type { ErrorCode } from '../errors.js';
import { Metrics } from '../metrics/metrics.js';
import { packageVersion } from '../version.js';
import type { WorkerView } from '../view.js';
import { type Load, loadOf, type Readiness, readinessOf } from './pages.js';

export interface OperationsOptions {
  readonly bus: Bus;
  readonly backend: Backend;
  readonly view: () => WorkerView;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** When the worker began, in ms of `now`. */
  readonly startedAtMs: number;
}

/** What a worker shows those who look after it. */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #metrics: Metrics;

  constructor(options: OperationsOptions) {
    const { backend } = options;
    this.#options = options;
    this.#metrics = new Metrics({
      ...options,
      routes: routesOf(backend),
      names: { backend: backend.name, version: packageVersion(), node: process.version },
    });
  }

  status(): WorkerView {
    return this.#options.view();
  }

  readiness(): Readiness {
    return readinessOf(this.#options.view(), Date.now());
  }

  load(): Load {
    const { view, now } = this.#options;
    const { requests } = this.#metrics;
    return loadOf(view(), {
      inFlight: requests.inFlight,
      rejectedLastMinute: requests.rejectedLately(now()),
    });
  }

  /** The metrics, and the content type of their text. */
  async metrics(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#metrics.contentType, text: await this.#metrics.scrape() };
  }

  /** A client was told an error. */
  told(code: ErrorCode): void {
    this.#metrics.told(code);
  }

  stop(): void {
    this.#metrics.stop();
  }
}

/** Those whose requests count: what needs no signature is no work. */
function routesOf({ routes }: Backend): string[] {
  return [...routes.values()].filter((route) => !route.public).map(({ path }) => path);
}
