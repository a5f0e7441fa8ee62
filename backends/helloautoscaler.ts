import { z } from 'zod';
import { defineBackend } from '../src/backend/index.js';

/** The worker of the hello-autoscaler guide: it counts, and tells the autoscaler how much it counted. */
export default defineBackend({
  name: 'helloautoscaler',
  description: 'Counts, and reports each request as one unit of work.',
  dialect: 'legacy',
  maxPerf: 0.5,
  init: () => ({ value: 0 }),
  routes: {
    '/increment': {
      parseRequest: z.object({ amount: z.number() }),
      example: { amount: 2 },
      workload: 1,
      handle: ({ state, body }) => {
        state.value += body.amount;
        return 'Incremented';
      },
    },
    '/value': { method: 'GET', workload: 1, handle: ({ state }) => state },
  },
});
