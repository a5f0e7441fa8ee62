import { setTimeout as delay } from 'node:timers/promises';
import { defineBackend } from 'tsworker';

/** Answers each request after the time that it asks for, in ms. */
export default defineBackend({
  name: 'slow',
  maxPerf: 1,
  init: () => ({ waiting: 0 }),
  routes: {
    '/wait': {
      parseRequest: (json: unknown) => Number((json as { ms: number }).ms),
      workload: 1,
      handle: async ({ state, body, signal, log }) => {
        state.waiting += 1;
        log.info(`waiting for ${state.waiting}`);
        await delay(body, undefined, { signal });
        return 'ok';
      },
    },
  },
});
