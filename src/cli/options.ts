import { Option } from 'commander';
import { type Overrides, SETTINGS, type Setting, type SettingName } from '../config/index.js';

/** The command line options that set what the environment sets. */
export function settingOptions(without: readonly string[]): Option[] {
  return optional().flatMap(([name, setting]) => {
    if (without.includes(setting.option)) return [];
    const option = new Option(`${setting.option} <value>`, `${setting.about} ($${setting.variable})`);
    option.attributeName = () => name;
    return [option];
  });
}

/** What was given on the command line, by the name of its setting. */
export function overridesOf(options: Readonly<Record<string, unknown>>): Overrides {
  return Object.fromEntries(
    optional().flatMap(([name]) => (typeof options[name] === 'string' ? [[name, options[name]]] : [])),
  );
}

function optional(): [SettingName, Setting & { option: string }][] {
  return Object.entries<Setting>(SETTINGS).filter(([, { option }]) => option !== undefined) as never;
}
