import { env } from 'node:process';
import { defineBackend } from '../src/backend/index.js';
import { PATHS } from './support/work.js';

const route = { parallel: true, maxQueueTime: Number.POSITIVE_INFINITY } as const;

/** The worker's backend in the benchmark: two routes to the upstream, of which any number may be under way. */
export default defineBackend({
  name: 'bench',
  dialect: 'current',
  model: { url: env.MODEL_SERVER_URL ?? '' },
  maxPerf: 1e9,
  routes: { [PATHS.json]: route, [PATHS.stream]: route },
});
