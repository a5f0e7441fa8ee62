import { randomUUID } from 'node:crypto';
import type { ReadinessEvent } from '../../machines/readiness-facts.js';
import type { Backend } from '../backend/index.js';
import type { Config } from '../config/index.js';
import type { Log } from '../log.js';
import { stateFolder } from '../places.js';
import type { Redact } from '../redact.js';
import type { Environment } from '../supervisor/environment.js';
import { runFilePath } from '../supervisor/run-file.js';
import { Supervision } from '../supervisor/supervision.js';
import { hearLines } from './watch-log.js';

export interface SuperviseOptions {
  readonly backend: Backend;
  readonly config: Config;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly tell: (event: ReadinessEvent) => void;
  readonly env: Environment;
  readonly redact: Redact;
  /** Hears each line that the model server says. */
  readonly onLine: (line: string) => void;
}

/** Each of them is renamed when the log is put aside. */
const MOST_LOGS_KEPT = 100;

/** The means to run the backend's model server; null: somebody else runs it. Nothing is started yet. */
export function supervise(options: SuperviseOptions): Supervision | null {
  const { backend, config, log, now, tell, env, redact, onLine } = options;
  const { model } = backend;
  if (model === null || model.command === null) return null;
  const { modelLogBytes: maxBytes, modelLogKeep, memoryEvents } = config;
  return new Supervision({
    command: model.command,
    env,
    redact,
    runFile: runFileOf(config),
    logFile:
      model.log === null ? null : { path: model.log, maxBytes, keep: Math.min(modelLogKeep, MOST_LOGS_KEPT) },
    log,
    now,
    onLine: hearLines({ model, log, tell, now, redact, onLine }),
    ...(memoryEvents !== undefined && { memoryEvents }),
  });
}

/** The file in which a worker keeps what it runs. */
export function runFileOf(config: Pick<Config, 'stateDir' | 'containerId' | 'workerPort'>): string {
  return runFilePath(stateFolder(config), instanceOf(config));
}

/** What tells the workers of a machine apart. Of those that take any free port, no later one is the same. */
function instanceOf({ containerId = 0, workerPort }: Pick<Config, 'containerId' | 'workerPort'>): string {
  return `${containerId}-${workerPort === 0 ? randomUUID() : workerPort}`;
}
