import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InspectionEvent, SimulatedClock } from 'xstate';
import { type Backend, configure, isBackend } from '../backend/index.js';
import { type Config, readConfig, unknownVariables } from '../config/index.js';
import { Worker } from '../worker.js';
import { RecordingLog } from './recording-log.js';
import { startTestAutoscaler, type TestAutoscaler } from './test-autoscaler.js';
import { TestWorker } from './test-worker.js';

export interface TestWorkerOptions {
  /** Settings, as in the environment of a worker. They go over those that make a worker quick to test. */
  readonly env?: Readonly<Record<string, string>>;
  /** The model server, such as a fake one: `await startFakeModel()`. */
  readonly model?: { readonly url: string };
  /** Default: one of its own, that stops with the worker. null: none, and requests need no signature. */
  readonly autoscaler?: TestAutoscaler | null;
  /** Hears what xstate says of the worker's machines: `transitionCoverage(workerMachines.lifecycle).inspect`. */
  readonly inspect?: (event: InspectionEvent) => void;
  /**
   * Time that only the test moves, for all delays of the worker's machines: `new SteppedClock()`. What is no machine
   * keeps the time of the process: sockets, the limits of requests, sessions, and the times that are told.
   */
  readonly clock?: SimulatedClock;
}

/**
 * A worker with this backend, on free ports of loopback, between a local autoscaler and whatever its model
 * is. It is started, and not yet ready: `await worker.reaches('serving')`.
 *
 * @example
 * await using worker = await startTestWorker(backend);
 * await worker.reaches('serving');
 * const answer = await worker.call('/double', { number: 21 });
 * expectPath(worker).toEqual(['loading', 'loaded', 'serving']);
 *
 * @throws when it is no backend, or a setting is wrong or unknown
 */
export async function startTestWorker(
  backend: Backend,
  options: TestWorkerOptions = {},
): Promise<TestWorker> {
  if (!isBackend(backend))
    throw new TypeError(
      'This is no backend; give what defineBackend({...}) returns, awaited if it is promised.',
    );
  const own = options.autoscaler === undefined ? await startTestAutoscaler() : null;
  const autoscaler = options.autoscaler ?? own;
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-test-'));
  const letGo = async () => {
    await own?.stop();
    rmSync(folder, { recursive: true });
  };
  try {
    const config = configOf(envOf(options, autoscaler, folder));
    const configured = configure(backend, config);
    const log = new RecordingLog();
    const { inspect, clock } = options;
    const worker = new Worker(backend, config, { log, inspect, ...(clock && { clock }) });
    return await TestWorker.start({ backend: configured, worker, autoscaler, clock, log, letGo });
  } catch (error) {
    await letGo();
    throw error;
  }
}

/** A setting that is misspelt would leave the worker as it is, and the test would see something else than it says. */
function configOf(env: Readonly<Record<string, string>>): Config {
  const [unknown] = unknownVariables(env);
  if (unknown !== undefined) throw new Error(`${unknown} is not a setting of this version.`);
  const result = readConfig(env);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

/** Free ports on loopback, files of its own, and nothing that takes long. */
function envOf({ env, model }: TestWorkerOptions, autoscaler: TestAutoscaler | null, folder: string) {
  return {
    CONTAINER_ID: '7',
    MASTER_TOKEN: 'the-master-token',
    REPORT_ADDR: autoscaler?.url ?? NOBODY,
    ...(autoscaler === null && { UNSECURED: 'true' }),
    PUBLIC_IPADDR: '127.0.0.1',
    TSWORKER_HOST: '127.0.0.1',
    WORKER_PORT: '0',
    WORKER_HTTP_PORT: '0',
    TSWORKER_REPORT_INTERVAL: '1s',
    TSWORKER_DRAIN_TIMEOUT: '1s',
    TSWORKER_BENCHMARK_FILE: join(folder, 'benchmarks.json'),
    TSWORKER_UPDATE_FILE: join(folder, 'update'),
    ...(model && { MODEL_SERVER_URL: model.url }),
    ...env,
  };
}

/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:9';
