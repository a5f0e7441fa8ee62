import { defineBackend } from 'tsworker';
import { z } from 'zod';

export default defineBackend({
  name: 'echo',
  maxPerf: 100, // units of work per second
  init: async ({ log }) => {
    log.info('loading the model'); // the time that this takes is the load time
    return { greeting: 'You said' };
  },
  routes: {
    '/echo': {
      parseRequest: z.object({ text: z.string() }),
      workload: ({ text }) => text.length, // units of work of this request
      example: { text: 'hello' },
      handle: ({ state, body, signal }) => {
        signal.throwIfAborted(); // aborted when the client leaves: pass it on to your model
        return { text: `${state.greeting}: ${body.text}` };
      },
    },
  },
});
