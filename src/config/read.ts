import type { z } from 'zod';
import type { Setting } from './setting.js';
import { SETTINGS, type SettingName } from './settings.js';
import { port } from './types.js';

type ValueOf<S> = S extends { type: { schema: z.ZodType<infer T, string> } } ? T : never;

type Required = {
  [N in SettingName]: (typeof SETTINGS)[N] extends { fallback: string } ? N : never;
}[SettingName];

/** The settings of one worker, read, checked and never changed again. */
export type Config = Readonly<
  { [N in Required]: ValueOf<(typeof SETTINGS)[N]> } & {
    [N in Exclude<SettingName, Required>]: ValueOf<(typeof SETTINGS)[N]> | undefined;
  } & {
    /** `VAST_TCP_PORT_<WORKER_PORT>`: the public port that leads to the worker's. */
    publicPort: number | undefined;
  }
>;

export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Values from the command line, as text, by the name of their setting. */
export type Overrides = Readonly<Partial<Record<SettingName, string>>>;

/**
 * Reads the settings: the environment, then the command line over it. An empty variable is one that
 * is not set. Every problem is told, each in one line that names the variable.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  overrides: Overrides = {},
): ConfigResult {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const { source, value } = lookUp(setting, env, overrides[name as SettingName]);
    if (value === undefined) continue;
    const result = setting.type.schema.safeParse(value);
    const isEmptyOption = source === setting.option && value === '';
    if (result.success && !isEmptyOption) values[name] = result.data;
    else
      problems.push(
        `${source} is ${setting.secret ? 'not usable' : JSON.stringify(value)}; it takes ${setting.type.takes}.`,
      );
  }
  const variable = `VAST_TCP_PORT_${values.workerPort}`;
  const publicPort = port.schema.safeParse(env[variable] || undefined);
  if (publicPort.success) values.publicPort = publicPort.data;
  else if (env[variable])
    problems.push(`${variable} is ${JSON.stringify(env[variable])}; it takes ${port.takes}.`);
  problems.push(...contradictionsIn(values));
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    config: Object.freeze(values) as Config,
    warnings: warningsAbout(env, values),
  };
}

/** What is wrong with values that are each right by themselves. */
function contradictionsIn({
  internalHost,
  internalToken,
}: Readonly<Record<string, unknown>>): readonly string[] {
  const isGuarded = typeof internalToken === 'string' && isSecret(internalToken);
  if (typeof internalHost !== 'string' || isLoopback(internalHost) || isGuarded) return [];
  const { variable } = SETTINGS.internalToken;
  return [
    `${SETTINGS.internalHost.variable} is ${JSON.stringify(internalHost)}; it takes an address of loopback such as 127.0.0.1, unless ${variable} is set to a secret.`,
  ];
}

/** Whether nobody but this machine reaches an address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** A word that everybody knows is none. */
function isSecret(token: string): boolean {
  return token !== '' && token !== 'mtoken';
}

function lookUp(
  setting: Setting,
  env: Readonly<Record<string, string | undefined>>,
  override: string | undefined,
) {
  if (override !== undefined) return { source: setting.option ?? setting.variable, value: override };
  for (const variable of [setting.variable, setting.legacyVariable]) {
    if (variable !== undefined && env[variable]) return { source: variable, value: env[variable] };
  }
  return { source: setting.variable, value: setting.fallback };
}

/** Variables of the launch scripts and of other commands, which the worker sees but does not read. */
const OTHER_VARIABLES = [
  'TSWORKER_HOME',
  'TSWORKER_PACKAGE',
  'TSWORKER_NODE_VERSION',
  // What clients authorise with at the local autoscaler.
  'TSWORKER_API_KEY',
];

/** Variables with the prefix of settings that no setting has: they may be misspelt. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set([
    ...OTHER_VARIABLES,
    ...Object.values<Setting>(SETTINGS).map(({ variable }) => variable),
  ]);
  return Object.keys(env).filter((variable) => variable.startsWith('TSWORKER_') && !known.has(variable));
}

function warningsAbout(
  env: Readonly<Record<string, string | undefined>>,
  { masterToken, unsecured }: Readonly<Record<string, unknown>>,
): string[] {
  const warnings = unknownVariables(env).map(
    (variable) => `${variable} is not a setting of this version; it is ignored.`,
  );
  if (typeof masterToken !== 'string' || !isSecret(masterToken)) {
    warnings.push('MASTER_TOKEN is not set to a secret, so nothing can be authorised by it.');
  }
  if (unsecured === true) {
    warnings.push('UNSECURED is true: the door is open, whoever reaches the port is served.');
  }
  return warnings;
}
