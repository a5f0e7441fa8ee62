import { defineBackend } from 'tsworker';

/** In front of the small model server of the tests, which the worker is told to run. */
export default defineBackend({
  name: 'supervised',
  dialect: 'current',
  model: { url: 'http://127.0.0.1:9', health: '/health' },
  routes: {
    '/run': {
      parallel: true,
      benchmark: { dataset: [{}], runs: 1, concurrency: 1, warmup: 0 },
    },
  },
});
