import { defineBackend } from 'tsworker';

interface Prompt {
  readonly prompt: string;
  readonly max_tokens?: number;
}

export default defineBackend<undefined, { '/generate': Prompt; '/models': unknown }>({
  name: 'measured',
  description: 'A model server that is watched, measured, and not asked too much.',
  model: {
    url: 'http://127.0.0.1:8000',
    log: '/var/log/model.log',
    logs: {
      loaded: [/INFO\S* +Application startup complete\.$/],
      failed: [{ prefix: 'RuntimeError: Engine' }],
      info: ['Loading weights'],
    },
    health: '/health',
    readiness: 'both', // its log and its health route
  },
  routes: {
    '/generate': {
      workload: ({ max_tokens = 100 }) => max_tokens, // units of work: tokens
      parallel: 8, // so many at once; the others wait
      maxQueueTime: '20s', // who would wait longer is refused with 429
      timeouts: { firstByte: '30s', betweenBytes: '10s', total: '5m' },
      example: { prompt: 'Once upon a time', max_tokens: 50 },
      benchmark: {
        generate: (index) => ({ prompt: `Story ${index}:`, max_tokens: 200 }),
        runs: 4,
        concurrency: 8,
      },
    },
    '/models': { method: 'GET', public: true, parallel: true, workload: 0, upstreamPath: '/v1/models' },
  },
});
