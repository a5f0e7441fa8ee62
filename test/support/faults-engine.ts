import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { onTestFinished } from 'vitest';
import type { Behaviour } from '../../src/testing/models/index.js';
import { openAt } from '../conformance/rig.js';
import { Scribe } from '../conformance/scribe.js';
import { BUILT } from './faults-build.js';
import { freePorts } from './free-ports.js';
import { startWorker, type WorkerSetup } from './process.js';
import { readLog } from './supervisor/supervised.js';
import { temporaryFolder } from './worker-program.js';

const PROGRAM = join(BUILT, 'src/testing/models/main.js');

export interface EngineSetup extends Pick<WorkerSetup, 'env'> {
  /** Such as 500ms. It has loaded at once if left out. */
  readonly loadTime?: string;
  /** How each model behaves that is started. */
  readonly behaviour?: Behaviour;
  /** What the shell does before it becomes the model. Its working directory is that of the test alone. */
  readonly before?: string;
}

/**
 * A worker process that runs its model server, an engine that pretends, and an autoscaler that writes everything down.
 * It goes by the health route, which it asks often.
 */
export async function startWithEngine({
  loadTime,
  behaviour = {},
  before = '',
  env,
  ...setup
}: EngineSetup = {}) {
  const folder = temporaryFolder();
  const [log, stateDir] = [env?.MODEL_LOG ?? join(folder, 'model.log'), join(folder, 'state')];
  const [port = 0, control = 0] = await freePorts(2);
  const options = ['openai', '--port', port, '--control', control, '--log', '-'];
  if (loadTime !== undefined) options.push('--load-time', loadTime);
  options.push('--behave', `'${JSON.stringify(behaviour)}'`);
  onTestFinished(() => {
    for (const pid of runningOn(control)) process.kill(pid, 'SIGKILL');
  });
  const autoscaler = await Scribe.start();
  const worker = await startWorker({
    ...setup,
    backend: 'openai',
    reportTo: autoscaler.url,
    env: {
      MODEL_SERVER_URL: `http://127.0.0.1:${port}`,
      MODEL_LOG: log,
      TSWORKER_MODEL_COMMAND: `cd ${folder}; ${before} exec ${process.execPath} ${PROGRAM} ${options.join(' ')}`,
      TSWORKER_READINESS: 'health',
      TSWORKER_HEALTH_INTERVAL: '50ms',
      // So that of a process which has died its end is told, and not that nobody answers any more.
      TSWORKER_HEALTH_STRIKES: '100000',
      TSWORKER_MODEL_MAX_BACKOFF: '1ms',
      TSWORKER_MAX_PERF: '1000',
      TSWORKER_STATE_DIR: stateDir,
      TSWORKER_BENCHMARK_FILE: join(folder, 'benchmarks.json'),
      PUBLIC_IPADDR: '127.0.0.1',
      ...env,
    },
  });
  const lines = () => (statSync(log, { throwIfNoEntry: false })?.isFile() ? readLog(log) : []);
  /** Of the models that were started, in their order. */
  const pids = () => lines().flatMap((line) => /^{"event":"listening".*"pid":(\d+)/.exec(line)?.[1] ?? []);
  let requests = 0;
  /** A signed request for four tokens. */
  const ask = (payload: object = {}) => {
    const auth_data = autoscaler.authFor(worker.url, { request_idx: ++requests });
    const body = { auth_data, payload: { model: 'm', prompt: 'p', max_tokens: 4, ...payload } };
    return openAt(worker.port, '/v1/completions', JSON.stringify(body)).response;
  };
  /** Changes the behaviour of the model that runs now. */
  const behave = async (change: Readonly<Record<string, unknown>>) => {
    const { body } = await request(`http://127.0.0.1:${control}`, {
      method: 'POST',
      body: JSON.stringify(change),
      reset: true,
    });
    await body.dump();
  };
  return { folder, stateDir, log, autoscaler, worker, ask, behave, lines, pids: () => pids().map(Number) };
}

/** The processes of a model, whatever has become of the worker that has started it. */
function runningOn(control: number): number[] {
  const isModel = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0--control\0${control}\0`);
    } catch {
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isModel(name))
    .map(Number);
}
