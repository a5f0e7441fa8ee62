import { z } from 'zod';
import { defineBackend } from '../src/backend/index.js';

/** The smallest worker: it counts, and reports to nobody. */
export default defineBackend({
  name: 'helloworld',
  description: 'Counts, and reports nothing.',
  dialect: 'none',
  init: () => ({ value: 0 }),
  routes: {
    '/increment': {
      parseRequest: z.object({ amount: z.number() }),
      example: { amount: 2 },
      handle: ({ state, body }) => {
        state.value += body.amount;
        return 'Incremented';
      },
    },
    '/value': { method: 'GET', handle: ({ state }) => state },
  },
});
