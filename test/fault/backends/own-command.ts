import { fileURLToPath } from 'node:url';
import { defineBackend } from 'tsworker';

const MODEL = fileURLToPath(new URL('../../support/supervisor/model.mjs', import.meta.url));

/** In front of the small model server of the tests, which it says itself how to run. */
export default defineBackend({
  name: 'own-command',
  model: {
    url: 'http://127.0.0.1:9',
    command: `exec ${process.execPath} ${MODEL} $MODEL_PORT`,
    health: '/health',
    readiness: 'health',
  },
  maxPerf: 10,
  routes: { '/run': { parallel: true } },
});
