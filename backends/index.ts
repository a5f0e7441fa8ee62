import type { Backend } from '../src/backend/index.js';

export interface BackendEntry {
  /** One line that says what the backend is for, known without loading it. */
  readonly description: string;
  readonly load: () => Promise<{ readonly default: Backend }>;
}

/** Every backend that comes with the package, by name. One is loaded only when it is run. */
export const backends: Readonly<Record<string, BackendEntry>> = {
  helloautoscaler: {
    description: 'counts, and reports each request as one unit of work',
    load: () => import('./helloautoscaler.js'),
  },
  helloworld: {
    description: 'counts, and reports nothing',
    load: () => import('./helloworld.js'),
  },
};
