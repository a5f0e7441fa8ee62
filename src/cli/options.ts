import { Option } from 'commander';
import { type Overrides, SETTINGS, type Setting, type SettingName } from '../config/index.js';
import type { SettingType } from '../config/types.js';
import { UserError } from './exit.js';

type OptionalSetting = Setting & { readonly option: string };

/** What stands for the value of an option in its help. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  '--report-addr': 'addresses',
  '--model-server': 'url',
  '--preset': 'name',
  '--functions': 'file',
  '--host': 'address',
  '--port': 'port',
  '--internal-port': 'port',
  '--drain-timeout': 'duration',
  '--inspect': 'file',
  '--log-level': 'level',
};

/** The command line options that set what the environment sets. */
export function settingOptions(without: readonly string[] = []): Option[] {
  const left = withOption().filter(([, { option }]) => !without.includes(option));
  return left.map(([name, setting]) => {
    const flags = `${setting.option} <${PLACEHOLDERS[setting.option] ?? 'value'}>`;
    const option = new Option(flags, `${setting.about} ($${setting.variable}; ${fallbackOf(setting)})`);
    option.attributeName = () => name;
    return option;
  });
}

/** What was given on the command line, by the name of its setting. */
export function overridesOf(options: Readonly<Record<string, unknown>>): Overrides {
  return Object.fromEntries(
    withOption().flatMap(([name]) => (typeof options[name] === 'string' ? [[name, options[name]]] : [])),
  );
}

/** The settings that the environment alone can set: the variable, and what it is about. */
export function environmentOnly(): { readonly variable: string; readonly about: string }[] {
  return Object.values<Setting>(SETTINGS)
    .filter(({ option }) => option === undefined)
    .map((setting) => ({ variable: setting.variable, about: `${setting.about} (${fallbackOf(setting)})` }));
}

/** Checks an option that is not one of the worker's settings. */
export function parseOption<T>(option: string, value: string, { schema, takes }: SettingType<T>): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new UserError(`${option} is ${JSON.stringify(value)}; it takes ${takes}.`);
  return result.data;
}

function withOption(): [SettingName, OptionalSetting][] {
  const all = Object.entries(SETTINGS) as [SettingName, Setting][];
  return all.filter((entry): entry is [SettingName, OptionalSetting] => entry[1].option !== undefined);
}

function fallbackOf({ fallback, otherwise = '' }: Setting): string {
  if (fallback === undefined) return otherwise.replaceAll('`', '');
  return fallback === '' ? 'default: none' : `default: ${fallback}`;
}
