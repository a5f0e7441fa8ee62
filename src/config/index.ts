export { type Config, type ConfigResult, type Overrides, readConfig, unknownVariables } from './read.js';
export type { Setting } from './setting.js';
export { SETTINGS, type SettingName } from './settings.js';
