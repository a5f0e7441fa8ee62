import type { Backend } from '../backend/index.js';
import { lightBeacon } from '../beacon.js';
import { type Config, type Overrides, readConfig } from '../config/index.js';
import { SETTINGS, type SettingName } from '../config/settings.js';
import { EXIT, UserError } from './exit.js';
import type { Env, Io } from './io.js';
import { logOf } from './log.js';
import { untilAskedToStop } from './signals.js';

/** What a beacon needs to know: the rest of the settings may be what is wrong. */
const NEEDED = [
  'containerId',
  'reportAddresses',
  'masterToken',
  'beacon',
  'dialect',
  'reportIntervalMs',
  'parentPid',
] as const satisfies readonly SettingName[];

/**
 * Says why a worker could not start, on the terminal and, until it is stopped, to the autoscaler. Ends at once
 * where there is nobody to tell.
 *
 * @param given the options of the command line, which go before the environment here too
 * @param own how the backend talks to the autoscaler, if that is known
 * @returns the exit code
 */
export async function tellWhyNot(
  error: UserError,
  given: Overrides,
  io: Io,
  own?: Backend['dialect'],
): Promise<number> {
  const config = configOfBeacon(io.env, given);
  if (config === undefined || own === 'none') throw error;
  io.stderr.write(`error: ${error.message}\n`);
  const log = await logOf('info', io);
  log.info('the autoscaler is told so until this process is stopped; TSWORKER_BEACON=false ends it at once', {
    event: 'beacon.lit',
  });
  const { dialect = own ?? 'current' } = config;
  const putOut = lightBeacon({ config, dialect, message: error.message, log });
  await untilAskedToStop(io.env, config.parentPid);
  await putOut();
  return error.exitCode;
}

/** Undefined where it is not known for sure who is to be told: the token is for nobody else. */
function configOfBeacon(env: Env, given: Overrides): Config | undefined {
  const known = NEEDED.map((name) => SETTINGS[name].variable);
  const result = readConfig(
    Object.fromEntries(known.map((variable) => [variable, env[variable]])),
    Object.fromEntries(NEEDED.map((name) => [name, given[name]])),
  );
  if (!result.ok || !result.config.beacon || result.config.containerId === undefined) return undefined;
  return result.config;
}

/** An error that ends a start, be it the user's to mend or not. */
export function asUserError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new UserError(message, EXIT.failed.code);
}
