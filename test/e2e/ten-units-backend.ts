import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { defineBackend } from '../../src/backend/index.js';

/** How long one unit of work takes. */
const UNIT_MS = 100;

const body = z.object({ units: z.number() });

/** A fake model that does ten units of work a second, one request at a time. */
export default defineBackend({
  name: 'ten-units',
  description: 'Does ten units of work a second.',
  dialect: 'current',
  maxPerf: 1_000 / UNIT_MS,
  routes: {
    '/work': {
      parseRequest: body,
      workload: ({ units }) => units,
      example: { units: 1 },
      parallel: false,
      maxQueueTime: '60s',
      async handle({ body: { units }, signal }) {
        await pause(units * UNIT_MS, undefined, { signal });
        return { done: units, by: process.pid };
      },
    },
  },
});
