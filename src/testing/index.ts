export * from './coverage/index.js';
export * from './models/index.js';
export {
  type MachinePath,
  machineTarget,
  type PathStep,
  type PathsOptions,
  type PathTarget,
  pathsOf,
  type WordedEvent,
  walk,
} from './paths.js';
