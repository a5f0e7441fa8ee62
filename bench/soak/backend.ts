import { env } from 'node:process';
import { defineBackend } from '../../src/backend/index.js';
import { unitsOf } from './wish.js';

/** The worker's backend in the soak. Nobody is refused for the work that is there: who is, has waited for too long. */
export default defineBackend({
  name: 'soak',
  dialect: 'current',
  model: {
    url: env.MODEL_SERVER_URL ?? '',
    health: '/health',
    command: env.SOAK_MODEL_COMMAND ?? '',
    readiness: 'health',
  },
  maxPerf: 1e9,
  maxSessions: 0,
  routes: {
    '/parallel': { parallel: true, workload: unitsOf, maxQueueTime: '1h' },
    '/in-turn': { parallel: false, workload: unitsOf, maxQueueTime: '300ms' },
  },
});
