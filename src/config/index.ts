export { type Config, type ConfigResult, type Overrides, readConfig } from './read.js';
export { SETTINGS, type Setting, type SettingName } from './settings.js';
