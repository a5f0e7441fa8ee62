import { setTimeout as delay } from 'node:timers/promises';
import { defineBackend } from 'tsworker';

/** Each request is one unit of work, and is in the worker for a moment. */
export default defineBackend({
  name: 'counted',
  dialect: 'current',
  maxPerf: 1_000,
  routes: {
    '/run': { parallel: true, workload: 1, handle: ({ signal }) => delay(30, 'done', { signal }) },
  },
});
