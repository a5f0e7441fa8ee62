import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config/index.js';

/** Where a worker keeps what is no setting of a backend: by itself below the home of its user. */

/** The folder of what the worker's next start must know. */
export function stateFolder({ stateDir }: Pick<Config, 'stateDir'>): string {
  return stateDir ?? join(homedir(), '.local', 'state', 'tsworker');
}

/** The file of the results of benchmarks. */
export function benchmarkFileOf({ benchmarkFile }: Pick<Config, 'benchmarkFile'>): string {
  return benchmarkFile ?? join(homedir(), '.cache', 'tsworker', 'benchmarks.json');
}
