import type { LoadSettings } from '../../backends/index.js';
import { type Backend, configure, isHeard } from '../backend/index.js';
import { type Config, type Overrides, readConfig, SETTINGS, type SettingName } from '../config/index.js';
import type { Log } from '../log.js';
import { UserError } from './exit.js';
import type { Env } from './io.js';

/** Reads the settings, or tells the user everything that is wrong with them. */
export function settings(env: Env, overrides: Overrides): { config: Config; warnings: readonly string[] } {
  const result = readConfig(env, overrides);
  if (!result.ok) throw new UserError(result.problems.join('\nerror: '));
  return result;
}

/** What a backend may be made by. */
export function loadSettings(env: Env, config: Config): LoadSettings {
  const { preset, modelName, modelServerUrl, dialect, functions } = config;
  return { env, preset, modelName, modelServerUrl, dialect, functions };
}

/** Checks what only some backends need. */
export function checkFor(backend: Backend, config: Config): void {
  const { name, dialect: own } = backend;
  const problems: string[] = [];
  const dialect = own === 'none' ? 'none' : (config.dialect ?? own);
  if (dialect !== 'none' && config.containerId === undefined) {
    problems.push(
      `CONTAINER_ID is not set; ${name} needs it to report. It takes the id of the instance, a whole number.`,
    );
  }
  if (dialect === 'current' && config.publicIp === undefined) {
    problems.push(
      `PUBLIC_IPADDR is not set; ${name} needs it to be found. It takes the public address of the instance.`,
    );
  }
  if (dialect === 'current' && config.publicPort === undefined && config.workerPort !== 0) {
    const variable = `VAST_TCP_PORT_${config.workerPort}`;
    problems.push(
      `${variable} is not set; ${name} needs it to be found. It takes the public port that leads to port ${config.workerPort}.`,
    );
  }
  refuse([...problems, ...modelProblems(configure(backend, config))]);
}

/** Checks, of a backend as the settings have it, what is needed wherever it runs. */
export function checkModel(backend: Backend): void {
  refuse(modelProblems(backend));
}

function modelProblems({ name, model }: Backend): readonly string[] {
  if (model === null) return [];
  const { readiness, health } = model;
  const problems: string[] = [];
  if (!isHeard(model) && (readiness === 'log' || readiness === 'both')) {
    problems.push(
      `MODEL_LOG is not set; ${name} can not wait for a line in the model's log (TSWORKER_READINESS) without it.`,
    );
  }
  if (health === null && (readiness === 'health' || readiness === 'both')) {
    problems.push(
      `MODEL_HEALTH_ENDPOINT is not set; ${name} can not wait for it (TSWORKER_READINESS) without it.`,
    );
  }
  return problems;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new UserError(problems.join('\nerror: '));
}

/** What is about a model server alone. `MODEL_SERVER_URL` is not: the file of a backend may read it for its own use. */
const OF_A_MODEL_SERVER = [
  'modelCommand',
  'modelLog',
  'modelHealth',
  'readiness',
] as const satisfies readonly SettingName[];

/** What a backend can not do of what the settings say, a sentence each. */
export function warningsFor({ name, model }: Backend, config: Config): readonly string[] {
  if (model !== null) return [];
  return OF_A_MODEL_SERVER.filter((setting) => config[setting] !== undefined).map(
    (setting) => `${SETTINGS[setting].variable} is set, but ${name} has no model server; it is ignored.`,
  );
}

export function tell(warnings: readonly string[], log: Log): void {
  for (const warning of warnings) log.warn(warning);
}
