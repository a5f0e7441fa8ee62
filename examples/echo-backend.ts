import { defineBackend } from 'tsworker';
import { z } from 'zod';

export default defineBackend({
  name: 'echo',
  maxPerf: 100, // units of work per second
  init: async () => ({ greeting: 'You said' }), // load your model here: its time is the load time
  routes: {
    '/echo': {
      parseRequest: z.object({ text: z.string() }),
      workload: ({ text }) => text.length, // units of work of this request
      example: { text: 'hello' },
      handle: ({ state, body, signal, fail }) => {
        if (signal.aborted) return; // the client has gone
        if (body.text === 'boom') fail('the model is broken'); // the autoscaler is told
        return { text: `${state.greeting}: ${body.text}` };
      },
    },
  },
});
