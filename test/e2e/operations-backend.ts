import { z } from 'zod';
import { defineBackend } from '../../src/backend/index.js';

const body = z.object({ units: z.number() });
const workload = ({ units }: z.infer<typeof body>) => units;

/** Routes that each come to one end, or to none until the worker ends. */
export default defineBackend({
  name: 'operations',
  dialect: 'legacy',
  maxPerf: 100,
  routes: {
    '/work': { parseRequest: body, workload, parallel: true, handle: () => 'done' },
    '/fail': {
      parseRequest: body,
      workload,
      parallel: true,
      handle: () => {
        throw new Error('as the test wants it');
      },
    },
    '/hold': {
      parseRequest: body,
      workload,
      parallel: false,
      maxQueueTime: '1h',
      handle: () => new Promise<string>(() => {}),
    },
  },
});
