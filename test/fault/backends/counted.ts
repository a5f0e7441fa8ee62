import { setTimeout as delay } from 'node:timers/promises';
import { defineBackend } from 'tsworker';

const MOMENT_MS = 30;
/** Longer than any test. */
const LONG_MS = 3_600_000;

/** Each request is one unit of work, and is in the worker for a moment, unless it says that it stays. */
export default defineBackend({
  name: 'counted',
  dialect: 'current',
  maxPerf: 1_000,
  routes: {
    '/run': {
      parallel: true,
      workload: 1,
      handle: ({ body, signal }) => delay(Object(body).stays ? LONG_MS : MOMENT_MS, 'done', { signal }),
    },
  },
});
