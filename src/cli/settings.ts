import type { Backend } from '../backend/index.js';
import { type Config, type Overrides, readConfig } from '../config/index.js';
import type { Log } from '../log.js';
import { UserError } from './exit.js';
import type { Env } from './io.js';

/** Reads the settings, or tells the user everything that is wrong with them. */
export function settings(env: Env, overrides: Overrides): { config: Config; warnings: readonly string[] } {
  const result = readConfig(env, overrides);
  if (!result.ok) throw new UserError(result.problems.join('\nerror: '));
  return result;
}

/** Checks what only some backends need. */
export function checkFor(backend: Backend, config: Config): void {
  if (backend.dialect !== 'none' && config.containerId === undefined) {
    throw new UserError(
      `CONTAINER_ID is not set; ${backend.name} needs it to report. It takes the id of the instance, a whole number.`,
    );
  }
}

export function tell(warnings: readonly string[], log: Log): void {
  for (const warning of warnings) log.warn(warning);
}
