import type { ReadinessEvent } from '../machines/readiness-facts.js';
import type { Lifecycle } from './children.js';
import type { Observed } from './dialects/dialect.js';
import type { WatcherReports } from './http/watcher-routes.js';

export interface WatcherReportsOptions {
  readonly lifecycle: () => Lifecycle;
  /** Tells those who wait for the model. */
  readonly tell: (event: ReadinessEvent) => void;
  readonly observe: (what: Partial<Observed>) => void;
}

/** What becomes of what a program tells that watches the model server's log from outside. */
export function watcherReports({ lifecycle, tell, observe }: WatcherReportsOptions): WatcherReports {
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
    observed: observe,
  };
}
