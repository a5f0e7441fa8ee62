import type { ReadinessEvent } from '../machines/readiness-facts.js';
import { type Lifecycle, tellReporter } from './children.js';
import type { WatcherReports } from './http/watcher-routes.js';
import type { Observations } from './observations.js';

export interface WatcherReportsOptions {
  readonly lifecycle: () => Lifecycle;
  /** Tells those who wait for the model. */
  readonly tell: (event: ReadinessEvent) => void;
  readonly observations: Observations;
}

/** What becomes of what a program tells that watches the model server's log from outside. */
export function watcherReports({ lifecycle, tell, observations }: WatcherReportsOptions): WatcherReports {
  return {
    loading: () => tell({ type: 'log.progress' }),
    loaded: (maxPerf) => {
      tell({ type: 'model.loaded', ...(maxPerf && { maxPerf }) });
      lifecycle().send({ type: 'backend.recovered' });
    },
    // A load that is said to have failed may be tried again, as any other.
    failed: (message) => {
      if (lifecycle().getSnapshot().matches({ work: 'loading' })) tell({ type: 'model.failed', message });
      else lifecycle().send({ type: 'backend.failed', message });
    },
    observed: (what) => {
      if (observations.take(what)) tellReporter(lifecycle(), { type: 'capacity.due' });
    },
  };
}
