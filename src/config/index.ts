export { type Config, type ConfigResult, type Overrides, readConfig } from './read.js';
export type { Setting } from './setting.js';
export { SETTINGS, type SettingName } from './settings.js';
