import { join } from 'node:path';
import { openAt } from '../conformance/rig.js';
import { Scribe } from '../conformance/scribe.js';
import { startWorker } from './process.js';
import { modelToRun } from './supervisor/model.js';
import { temporaryFolder } from './worker-program.js';

/** A worker process that runs its model server, and an autoscaler that writes everything down. LOAD_MS: how long it loads. */
export async function startSupervised(env: Readonly<Record<string, string>> = {}) {
  const scratch = temporaryFolder();
  const log = join(scratch, 'model.log');
  const model = await modelToRun(log);
  const autoscaler = await Scribe.start();
  const worker = await startWorker({
    backend: 'test/fault/backends/supervised.ts',
    reportTo: autoscaler.url,
    env: {
      MODEL_SERVER_URL: model.url,
      MODEL_LOG: log,
      TSWORKER_READINESS: 'health',
      TSWORKER_MODEL_COMMAND: `exec ${model.command.join(' ')} "\${LOAD_MS:-0}"`,
      TSWORKER_MODEL_MAX_BACKOFF: '1ms',
      TSWORKER_STATE_DIR: join(scratch, 'state'),
      TSWORKER_BENCHMARK_FILE: join(scratch, 'benchmarks.json'),
      PUBLIC_IPADDR: '127.0.0.1',
      ...env,
    },
  });
  let requests = 0;
  const ask = () => {
    const auth_data = autoscaler.authFor(worker.url, { request_idx: ++requests });
    return openAt(worker.port, '/run', JSON.stringify({ auth_data, payload: {} })).response;
  };
  return { autoscaler, model, worker, ask };
}
