import { setTimeout as delay } from 'node:timers/promises';
import { type BackendContext, defineBackend } from 'tsworker';

/** Where the strings of the puppet end: the test holds each question for as long as it likes. */
async function ask(path: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${process.env.UPSTREAM}${path}`, { signal });
  return response.text();
}

let stopping: AbortSignal;

/** A backend that loads, answers, fails, recovers and throws when the test tells it to. */
export default defineBackend({
  name: 'puppet',
  maxPerf: 2,
  init: async ({ signal }) => {
    stopping = signal;
    await ask('/init', signal);
  },
  routes: {
    '/ask': { workload: 1, handle: ({ signal }) => ask('/answer', signal) },
    '/fail': {
      workload: 1,
      handle: (context) => {
        breakDown(context);
        return 'failed';
      },
    },
    '/throw': {
      workload: 1,
      handle: () => {
        setTimeout(() => {
          throw new Error('thrown where nobody catches');
        });
        return delay(10, 'thrown');
      },
    },
    '/reject': {
      workload: 1,
      handle: () => {
        void Promise.reject(new Error('rejected where nobody catches'));
        return delay(10, 'rejected');
      },
    },
  },
});

/** Says so again and again, as a watchdog would, until it is told that all is well. */
function breakDown({ fail, recovered }: BackendContext): void {
  const timer = setInterval(() => fail('the strings are tangled'), 10);
  fail('the strings are tangled');
  ask('/recovery', stopping)
    .then(recovered, () => {})
    .finally(() => clearInterval(timer));
}
