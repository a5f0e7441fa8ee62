import { z } from 'zod';
import { defineBackend } from '../../src/backend/index.js';

const body = z.looseObject({ units: z.number() });

/** A model server that is asked one thing at a time. How much work that is, the client says. */
export default defineBackend({
  name: 'serial',
  model: { url: process.env.MODEL_SERVER_URL ?? '', health: '/health' },
  maxPerf: 10,
  routes: {
    '/v1/completions': {
      parseRequest: body,
      workload: ({ units }) => units,
      parallel: false,
      maxQueueTime: '60s',
    },
  },
});
